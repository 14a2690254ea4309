"""One pass over the cases, a batch at a time: what is kept of a case are sums, never masks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.agreement.accumulator import SubjectSums
from mrbench.agreement.attributes import MOMENTS, moments
from mrbench.agreement.counts import CaseCounts
from mrbench.agreement.estimates import Estimates, estimate
from mrbench.agreement.quantities import case_quantities
from mrbench.agreement.references import References
from mrbench.consensus import staple_batch
from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.checks import Copies, Twins, check_columns, check_masks, check_valid
from mrbench.data.description import Description, Raters
from mrbench.metrics.counting import count_intersections, pack_masks
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.registry import Registry
from mrbench.results.table import Table

BATCH_CASES = 32
"""Cases whose STAPLE iterations run together, at most."""

BATCH_PIXELS = 2**24
"""Pixels of all masks of a batch, at most, unless one case has more."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Agreement:
    """What one pass found.

    Attributes:
        description: of the data set.
        digest: of its content.
        chosen: which cases, in words.
        n_cases, n_subjects: looked at.
        own_subject: is every image its own subject?
        protocol: decides on two empty masks and on the weight of subjects.
        samples: S of the human reference rows that draw.
        present: ``(R,)`` int, cases that each rater looked at.
        cases_by_present: for each number of raters who looked, in how many cases they were so many.
        nothing: ``(F, R)`` int, cases in which a rater looked and marked nothing of a class.
        estimates: quantities by name, as :mod:`mrbench.agreement.quantities` has them.
        attributes: names of the ratings that were compared with the masks.
        references: the human reference rows.
        equal, both: ``(R, R)`` int, upper triangle: cases in which two raters' masks are the same, or both marked.
        warnings: duplicates and void pixels, in words.
        copies: pairs of cases (copy, original) with the same image.
    """

    description: Description
    digest: str
    chosen: str
    n_cases: int
    n_subjects: int
    own_subject: bool
    protocol: ScoringProtocol
    samples: int
    present: np.ndarray
    cases_by_present: dict[int, int]
    nothing: np.ndarray
    estimates: dict[str, Estimates]
    attributes: tuple[str, ...]
    references: Table
    equal: np.ndarray
    both: np.ndarray
    warnings: Sequence[str]
    copies: Sequence[tuple[str, str]]


def survey(
    cases: CaseSet,
    registry: Registry,
    protocol: ScoringProtocol,
    *,
    samples: int,
    metrics: tuple[str, ...] = (),
    indices: np.ndarray | None = None,
    chosen: str = "all cases",
    progress: Callable[[Iterator[Case]], Iterator[Case]] = iter,
) -> Agreement:
    """Reads every chosen case once and measures its raters' agreement.

    Args:
        cases: the data set.
        registry: of the fusions and metrics of the human reference rows.
        protocol: decides on two empty masks and on the weight of subjects.
        samples: of the human reference rows that draw.
        metrics: of the human reference rows; none: all that apply.
        indices: of the cases to look at; None: all.
        chosen: which ones these are, in words.
        progress: wraps the cases as they are read.

    Raises:
        DataError: columns or masks that are not what the data set declares; names the case.
        UnknownNameError: a metric that is not installed.
    """
    check_columns(cases)
    indices = np.arange(len(cases)) if indices is None else indices
    found = _Pass(cases, References(registry, cases, samples, protocol, metrics), protocol)
    for batch in _batches(progress(cases[int(index)] for index in indices), cases.description):
        for case, counts in zip(batch, _counted(batch, cases.description), strict=True):
            found.add(case, counts)
    return found.agreement(indices, chosen, samples)


class _Pass:
    """What one pass over the cases gathers: sums per subject and scores, never masks."""

    def __init__(self, cases: CaseSet, references: References, protocol: ScoringProtocol) -> None:
        self.cases, self.references, self.protocol = cases, references, protocol
        self.attributes = tuple(cases.attributes) if cases.description.n_classes == 2 else ()
        self.sums, self.twins, self.copies = SubjectSums(), Twins(cases.description), Copies()
        self.pixels = self.void = 0

    def add(self, case: Case, counts: CaseCounts) -> None:
        quantities = case_quantities(counts, _by_slice(case, counts), self.protocol)
        if self.attributes:
            quantities[MOMENTS] = moments(counts, case.attributes, float(quantities["mean_distance"][0]))
        self.sums.add(case.subject, quantities)
        self.references.add(case)
        self.twins.add(case)
        self.copies.add(case)
        self.pixels += case.masks[0].size
        self.void += 0 if case.valid is None else int(np.count_nonzero(~case.valid))

    def agreement(self, indices: np.ndarray, chosen: str, samples: int) -> Agreement:
        present = self.cases.present[indices]
        numbers, times = np.unique(present.sum(axis=1), return_counts=True)
        return Agreement(
            description=self.cases.description,
            digest=self.cases.digest,
            chosen=chosen,
            n_cases=len(indices),
            n_subjects=len(self.sums.subjects),
            own_subject=self.cases.subjects == self.cases.ids,
            protocol=self.protocol,
            samples=samples,
            present=present.sum(axis=0),
            cases_by_present=dict(zip(numbers.tolist(), times.tolist(), strict=True)),
            nothing=self.sums.total("nothing", np.ones((1, len(self.sums.subjects))))[0].astype(np.int64),
            estimates=estimate(self.sums, self.protocol),
            attributes=self.attributes,
            references=self.references.table(),
            equal=self.twins.equal,
            both=self.twins.both,
            warnings=self._warnings(),
            copies=[(copy, original) for copy, original, _ in self.copies.copies],
        )

    def _warnings(self) -> list[str]:
        # Slots of anonymous raters are nobody: that two often agree says nothing of a person.
        anonymous = self.cases.description.raters is Raters.EXCHANGEABLE
        void = [f"{self.void / self.pixels:.2%} of the pixels are void and count nowhere"] if self.void else []
        return [*([] if anonymous else self.twins.warnings()), *self.copies.warnings(), *void]


def _batches(cases: Iterator[Case], description: Description) -> Iterator[list[Case]]:
    batch: list[Case] = []
    pixels = 0
    for case in cases:
        where = f"case {case.id!r} of {description.name!r}"
        check_masks(case.masks, case.image.shape[1:], description, where)
        check_valid(case.valid, case.masks, where)
        if batch and (len(batch) == BATCH_CASES or pixels + case.masks.size > BATCH_PIXELS):
            yield batch
            batch, pixels = [], 0
        batch.append(case)
        pixels += case.masks.size
    if batch:
        yield batch


def _counted(batch: Sequence[Case], description: Description) -> list[CaseCounts]:
    present = np.array([case.present for case in batch])
    valid = [case.valid for case in batch]
    estimates = staple_batch([case.masks for case in batch], present, description.n_classes, valid=valid)
    return [CaseCounts.of(found, case.present) for found, case in zip(estimates, batch, strict=True)]


def _by_slice(case: Case, counts: CaseCounts) -> np.ndarray:
    """``(D, F, R, R)`` pixels that two raters share in each slice; D = 1 where the case is one."""
    if case.masks.ndim == 3:
        return counts.shared[None]
    masks = np.where(case.present[:, None, None, None], case.masks, 0)
    slices = masks.transpose(1, 0, 2, 3).reshape(masks.shape[1], len(masks), -1)  # (D, R, pixels)
    labels = range(1, counts.classes)
    return np.stack([np.stack([count_intersections(pack_masks(one == label)) for label in labels]) for one in slices])
