"""Checks of data sets whose raters can be asked again: their redraws are masks of the raters who are stored."""

from collections.abc import Iterator, Sequence

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.diagnostics.masks import distances, mean_of_pairs, packed_labels
from mrbench.errors import NotApplicableError
from mrbench.seeds import derive_noise
from mrbench.testing.check import CheckFailedError, rule
from mrbench.testing.datasets import DatasetCandidate
from mrbench.testing.predicting import works
from mrbench.testing.watch import seeded_globally

DRAWS = 6
"""Of each rater of a case, beside the stored mask."""

SUBJECTS = 8, 40
"""The fewest that tell anything, and the most that are looked at."""

ERRORS = 5.0
"""Standard errors by which a stored mask may lie farther from redraws, or nearer, than they from one another."""


@rule("dataset")
def redraws_are_masks(candidate: DatasetCandidate) -> None:
    """A redraw of a rater who looked is labels of the shape of the case, below K."""
    _draw_each(_able(candidate))


@rule("dataset")
def redraws_repeat(candidate: DatasetCandidate) -> None:
    """A redraw is a function of case, rater and noise alone, whatever state the global generators are in."""
    cases = _drawn_from(candidate)
    asked = _asked(cases)
    with seeded_globally(1):
        first = [_redraws(cases, *one, 1) for one in asked]
    with seeded_globally(2):
        again = [_redraws(cases, *one, 1) for one in reversed(asked)][::-1]
    for (index, rater), one, other in zip(asked, first, again, strict=True):
        if not np.array_equal(one, other):
            what = f"rater {rater} of case {cases.ids[index]!r}, asked again with equal noise, marks another mask"
            raise CheckFailedError(what, expected="all that is random from the noise that it is given")


@rule("dataset")
def redraws_differ(candidate: DatasetCandidate) -> None:
    """Other noise gives other redraws, if not in every case."""
    cases = _drawn_from(candidate)
    if all((drawn == drawn[0]).all() for drawn in (_redraws(cases, *one, 2) for one in _asked(cases))):
        raise CheckFailedError(
            "whatever the noise, a redraw is the same mask", expected="new noise of the same person", found="copies"
        )


@rule("dataset")
def redraws_agree(candidate: DatasetCandidate) -> None:
    """A stored mask lies as far from redraws as these from one another: their mean, within 5 standard errors."""
    cases, excess = _drawn_from(candidate), dict[str, list[float]]()
    for index, rater in _asked(cases):
        excess.setdefault(cases.subjects[index], []).append(_excess(cases, index, rater))
    means = np.array([np.nanmean(own) for own in excess.values() if np.isfinite(own).any()])
    if len(means) < SUBJECTS[0]:
        raise NotApplicableError(f"fewer than {SUBJECTS[0]} subjects say nothing of a distribution")
    error = float(means.std(ddof=1)) / len(means) ** 0.5
    if abs(means.mean()) > ERRORS * error:
        raise CheckFailedError(
            "redraws are not distributed as the stored masks are",
            expected=f"equal mean distances, within {ERRORS:g} standard errors of {error:.2g}",
            found=f"stored masks lie {abs(means.mean()):.3g} {'farther' if means.mean() > 0 else 'nearer'}",
            hint="a redraw has the rater's style and all of the noise that made the stored mask, drawn anew",
        )


def _able(candidate: DatasetCandidate) -> CaseSet:
    cases = candidate.ready.cases
    if cases.redraw is None:
        raise NotApplicableError("its raters cannot be asked again")
    return cases


def _draw_each(cases: CaseSet) -> None:
    for index, rater in _asked(cases):
        _redraws(cases, index, rater, 1)


def _drawn_from(candidate: DatasetCandidate) -> CaseSet:
    # For checks that have another subject than that there are redraws at all
    cases = _able(candidate)
    if not works(lambda: _draw_each(cases)):
        raise NotApplicableError("it needs redraws that fail: see redraws-are-masks")
    return cases


def _asked(cases: CaseSet) -> Sequence[tuple[int, int]]:
    # The first case of each of some subjects, with every rater who looked
    first = {subject: index for index, subject in reversed([*enumerate(cases.subjects)])}
    indices = sorted(first.values())[: SUBJECTS[1]]
    return [(index, rater) for index in indices for rater in np.flatnonzero(cases.present[index]).tolist()]


def _redraws(cases: CaseSet, index: int, rater: int, draws: int) -> np.ndarray:
    # (S, *spatial)
    def each() -> Iterator[np.ndarray]:
        redraw = cases[index].redraw
        assert redraw is not None
        for draw in range(draws):
            yield redraw(rater, derive_noise("redraws", cases.ids[index], rater, draw))

    return np.stack([*each()])


def _excess(cases: CaseSet, index: int, rater: int) -> float:
    labels = np.concatenate([cases.pixels.masks(index)[rater][None], _redraws(cases, index, rater, DRAWS)])
    distance = distances(packed_labels(labels, cases.description.n_classes))
    return float(distance[0, 1:].mean()) - mean_of_pairs(distance[1:, 1:])
