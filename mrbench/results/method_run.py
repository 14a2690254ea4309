"""A method run: one method with its options on one data set, over folds and seeds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mrbench.cards import Capability
from mrbench.diagnostics.document import Diagnosis, read_diagnosis
from mrbench.diagnostics.figures import Figure, mean_of
from mrbench.diagnostics.verdicts import verdicts
from mrbench.engine.cell import FOLDS, CellSpec, Status
from mrbench.engine.result import Result
from mrbench.engine.run import Run
from mrbench.errors import DataError, IncompatibleError
from mrbench.results.caveats import DAMAGED_DIAGNOSIS, SEES_TEST_MASKS, caveats_of, code_caveats, void_caveats
from mrbench.results.columns import costs_of
from mrbench.results.plausible import doubts
from mrbench.results.trainings import curves_of, cut_short, failed_trainings


@dataclass(frozen=True, eq=False)
class MethodRun:
    """The unit of every row, rank and comparison.

    Attributes:
        results: its cells, at least one; they differ by fold and seed.
        description: what the data set declares.
        runs: ids of the runs that it comes from.
        id: of the entry that it was packed with; empty where it was not.
        more_caveats: that do not follow from its specification.
        tested_cases: what it was packed with says of its test cases, fold by fold.
        packed_digest: of its predictions, where it was packed.
    """

    results: tuple[Result, ...]
    description: Mapping[str, Any]
    runs: tuple[str, ...] = ()
    id: str = ""
    more_caveats: tuple[str, ...] = ()
    tested_cases: tuple[object, ...] = ()
    packed_digest: str = ""

    def __repr__(self) -> str:
        return f"<MethodRun {self.title} on {self.dataset}, {len(self.done)} of {len(self.results)} cells>"

    @property
    def spec(self) -> CellSpec:
        """The specification of its first cell; all of them share it, but for fold and seed."""
        return self.results[0].spec

    @property
    def method(self) -> str:
        """The method's registry key."""
        return self.spec.method

    @property
    def dataset(self) -> str:
        """The data set's registry key; ``A~B`` where it is trained on A and tested on B."""
        return self.spec.domain

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        return f"entry {self.id[:6]}" if self.id else f"run{'s' * (len(self.runs) > 1)} {', '.join(self.runs)}"

    @property
    def title(self) -> str:
        """The method and where it comes from, in words."""
        return f"{self.method!r} of {self.origin}"

    @property
    def digest(self) -> str:
        """Digest of the predictions, folds and seeds aside."""
        return self.packed_digest or self.spec.digest

    @property
    def options(self) -> Mapping[str, Any]:
        """All options of the method."""
        return self.spec.options

    @property
    def samples(self) -> int | None:
        """S of its sample set; 1 where it has a single output, None where it gives none."""
        return samples_of(self.spec)

    @cached_property
    def caveats(self) -> tuple[str, ...]:
        """What a reader must know before comparing."""
        own = (
            *self._some_folds,
            *self._unequal_seeds,
            *self._chosen_seeds,
            *self._cut_short,
            *code_caveats(self.results),
        )
        more = (*doubts(self.results), *void_caveats(self.results), *self._diagnosed, *self.more_caveats)
        return (*caveats_of(self.spec, self.description), *own, *more)

    @cached_property
    def diagnosis(self) -> Mapping[str, Figure]:
        """What the weights do, each figure the mean over the cells that are diagnosed; blank where one is damaged."""
        return mean_of(one.figures for one in self._diagnoses or ())

    @cached_property
    def _diagnoses(self) -> list[Diagnosis] | None:
        try:
            return [found for result in self.done if (found := read_diagnosis(result))]
        except DataError:
            return None

    @property
    def _diagnosed(self) -> tuple[str, ...]:
        return (DAMAGED_DIAGNOSIS,) if self._diagnoses is None else verdicts(self.diagnosis)

    @property
    def _cut_short(self) -> tuple[str, ...]:
        return cut_short(list(curves_of(self.done)))

    @property
    def _some_folds(self) -> tuple[str, ...]:
        planned = max((int((one.record or {}).get(FOLDS, 0)) for one in self.results), default=0)
        if len(self.folds) >= planned:
            return ()
        return (f"{len(self.folds)} of the split's {planned} folds: intervals are of their subjects alone",)

    @property
    def _unequal_seeds(self) -> tuple[str, ...]:
        seeds = Counter(result.spec.fold for result in self.results)
        if len({*seeds.values()}) < 2:
            return ()
        return (f"seeds by fold: {', '.join(str(seeds[fold]) for fold in sorted(seeds))}",)

    @property
    def _chosen_seeds(self) -> tuple[str, ...]:
        """Of a method that learns: seeds that do not begin at 0 may be the lucky ones of more."""
        seeds = sorted({result.spec.seed for result in self.results if result.spec.kind == "method"})
        return () if seeds == list(range(len(seeds))) else (f"not the first seeds: {', '.join(map(str, seeds))}",)

    @cached_property
    def costs(self) -> dict[str, float]:
        """Means over the cells, by the names of ``results.columns.COSTS``."""
        return costs_of(self.results)

    @cached_property
    def done(self) -> list[Result]:
        """The cells that finished, by fold and seed."""
        return [result for _, result in self.finished]

    @property
    def finished(self) -> list[tuple[int, Result]]:
        """The cells that finished with their places in ``results``, by fold and seed."""
        found = [(place, result) for place, result in enumerate(self.results) if result.finished]
        return sorted(found, key=lambda one: (one[1].spec.fold, one[1].spec.seed))

    @property
    def cells(self) -> tuple[int, int]:
        """Finished and planned."""
        return len(self.done), len(self.results)

    @cached_property
    def folds(self) -> tuple[int, ...]:
        """Numbers of the folds that were planned."""
        return tuple(sorted({result.spec.fold for result in self.results}))

    @property
    def written(self) -> str:
        """When the last of its records was written, in ISO 8601, UTC."""
        return max(result.written for result in self.results)

    @property
    def applies(self) -> bool:
        """Can the method work on the data set at all?"""
        return any(result.status is not Status.NOT_APPLICABLE for result in self.results)

    @cached_property
    def failed_trainings(self) -> int:
        """How many of its trainings learned nothing; each counts with what it predicts."""
        return failed_trainings(self.results)

    @cached_property
    def failures(self) -> tuple[str, ...]:
        """A line on each cell that did not finish."""
        return tuple(result.failure for result in self.results if not result.finished)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What its cells warn of, a line each."""
        return tuple(line for result in self.results for line in result.warnings)

    @cached_property
    def human(self) -> bool:
        """Does it see the masks that it is scored on? Then it is a reference made of people's masks."""
        return SEES_TEST_MASKS in self.caveats

    @cached_property
    def ranked(self) -> bool:
        """May it be ranked: is it complete, no human reference, and predicted here? Nobody knows what external
        predictions were made from: the raters' own masks would come first."""
        return len(self.done) == len(self.results) and not self.human and self.spec.kind != "external"

    @property
    def trained(self) -> bool:
        """Would another training change it?"""
        return is_trained(self.spec.kind)

    @cached_property
    def trainings(self) -> dict[tuple[int, int], frozenset[tuple[str, int]]]:
        """Digest and seed of the trainings that its finished cells answer from, by fold and seed of the cell."""
        return {
            (cell.spec.fold, cell.spec.seed): frozenset((one.training_digest, one.seed) for one in cell.spec.trainings)
            for cell in self.done
        }

    def shares_trainings(self, other: "MethodRun") -> bool:
        """Do both answer from the same trainings, cell by cell?"""
        own, others = self.trainings, other.trainings
        return any(own.values()) and set(own) == set(others) and all(own[place] & others[place] for place in own)

    @cached_property
    def digests(self) -> set[tuple[str, str]]:
        """Digests of data and split, of all its cells."""
        return {(result.spec.tested.data_digest, result.spec.tested.split_digest) for result in self.results}

    @cached_property
    def tested(self) -> tuple[object, ...]:
        """Equal where the test cases are the same, folds aside."""
        data = self.spec.tested
        return data.data_digest, data.split, data.split_digest, self.spec.limit, self.tested_cases

    def shown(self, fold: int | None = None) -> list[Result]:
        """The cells whose cases a page shows: of each fold, or of one, the first seed that has finished."""
        first: dict[int, Result] = {}
        for result in self.done:
            first.setdefault(result.spec.fold, result)
        return [result for at, result in first.items() if fold in (None, at)]

    def with_damaged(self, errors: Mapping[int, DataError]) -> "MethodRun":
        """The same run, once files of some of its cells turned out to be unreadable.

        Args:
            errors: by the cell's place in ``results``.
        """
        if not errors:
            return self
        cells = (one.damaged(errors[at]) if at in errors else one for at, one in enumerate(self.results))
        return replace(self, results=tuple(cells))

    def same_as(self, other: "MethodRun") -> bool:
        """Are both the same cells?"""
        own, others = (
            {result.folder or (run.id, result.spec.digest, result.spec.place) for result in run.results}
            for run in (self, other)
        )
        return own == others


def is_trained(kind: str) -> bool:
    """Would another training change what a method of this kind gives? Of external predictions nobody knows: it may."""
    return kind != "fusion"


def samples_of(spec: CellSpec) -> int | None:
    """S of a method's sample set; 1 where it has a single output, None where it gives none."""
    if Capability.DIVERSE in spec.capabilities:
        return spec.samples
    return 1 if Capability.CONSENSUS in spec.capabilities else None


def runs_of(run: Run, results: Iterable[Result] | None = None) -> list[MethodRun]:
    """The method runs of a run, data set by data set, in the order of its command.

    Args:
        results: its cells, where they have been read; None: they are read.
    """
    cells = run.cell_results() if results is None else results
    grouped: dict[tuple[str, str], list[Result]] = {}
    for result in cells:
        grouped.setdefault((result.spec.domain, result.spec.method), []).append(result)
    found = [MethodRun(tuple(own), run.descriptions[name], (run.id,)) for (name, _), own in grouped.items()]
    return sorted(found, key=lambda one: list(run.descriptions).index(one.dataset))


def merged_runs(runs: Sequence[Run]) -> list[MethodRun]:
    """The method runs of several runs: cells of equal specification are put together, folds and seeds aside.

    Where a cell stands in several runs, one that finished is taken.

    Raises:
        IncompatibleError: runs that describe a data set differently.
        DataError: a run that cannot be read.
    """
    grouped: dict[tuple[str, str, str], dict[tuple[int, int], Result]] = {}
    descriptions: dict[tuple[str, str], Mapping[str, Any]] = {}
    origins: dict[tuple[str, str, str], dict[str, None]] = {}
    for run in runs:
        for result in run.cell_results():
            spec = result.spec
            _check_description(descriptions, spec, run)
            key = spec.domain, spec.method, spec.digest
            cells = grouped.setdefault(key, {})
            earlier = cells.get((spec.fold, spec.seed))
            if earlier is None or not earlier.finished:
                cells[spec.fold, spec.seed] = result
                origins.setdefault(key, {})[run.id] = None
    return [
        MethodRun(
            tuple(cells[place] for place in sorted(cells)),
            descriptions[key[0], next(iter(cells.values())).spec.tested.data_digest],
            tuple(origins[key]),
        )
        for key, cells in grouped.items()
    ]


def _check_description(known: dict[tuple[str, str], Mapping[str, Any]], spec: CellSpec, run: Run) -> None:
    own = run.descriptions[spec.domain]
    if known.setdefault((spec.domain, spec.tested.data_digest), own) != own:
        raise IncompatibleError(f"the runs describe {spec.domain!r} differently", hint="take them one by one")
