"""One row of a page: a method of a run on one data set."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrbench.engine.cell import Status
from mrbench.engine.run import CellResult, Run
from mrbench.engine.summary import SEES_TEST_MASKS, Row


@dataclass(frozen=True, eq=False)
class Entry:
    """A row with the cells that it comes from.

    Attributes:
        label: the method, with its run where several runs have it.
        style: number of its colour and marker, the same all over the page.
        row: as the tables of a run have it; its ``method`` is the label.
    """

    label: str
    style: int
    run: Run
    results: Sequence[CellResult]
    row: Row

    @property
    def people(self) -> bool:
        """Does it see the masks that it is scored on?"""
        return SEES_TEST_MASKS in self.row.marks

    def finished(self) -> list[CellResult]:
        """Its finished cells, by fold and seed."""
        done = [result for result in self.results if result.status is Status.OK]
        return sorted(done, key=lambda result: (result.spec.fold, result.spec.seed))

    def shown(self, fold: int | None) -> list[CellResult]:
        """The cells whose cases are shown: of each fold, or of one, the first seed that has finished."""
        first: dict[int, CellResult] = {}
        for result in self.finished():
            first.setdefault(result.spec.fold, result)
        return [result for at, result in first.items() if fold in (None, at)]
