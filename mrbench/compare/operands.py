"""What is compared: the methods of a run, or one of them, as ``RUN`` or ``RUN:METHOD`` names them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.run import CellResult, Run, open_run
from mrbench.engine.summary import SEES_TEST_MASKS, failure_of, marks_of, samples_of
from mrbench.errors import UnknownNameError


@dataclass(frozen=True, eq=False)
class MethodCells:
    """The cells of one method on one data set: a row of a run's table."""

    run: Run
    dataset: str
    method: str
    results: tuple[CellResult, ...]

    @property
    def title(self) -> str:
        """The method and its run in words."""
        return f"{self.method!r} of run {self.run.id}"

    @property
    def spec(self) -> CellSpec:
        """Of any of its cells: they differ by fold and seed."""
        return self.results[0].spec

    @property
    def description(self) -> Mapping[str, Any]:
        """What the data set declares."""
        return self.run.descriptions[self.dataset]

    @property
    def samples(self) -> int | None:
        """S of its sample set; None where it gives none."""
        return samples_of(self.spec)

    @property
    def marks(self) -> tuple[str, ...]:
        """What a reader must know before comparing."""
        return marks_of(self.spec, self.description)

    @property
    def done(self) -> list[CellResult]:
        """The cells that finished."""
        return [result for result in self.results if result.status is Status.OK]

    @property
    def applies(self) -> bool:
        """Can the method work on the data set at all?"""
        return any(result.status is not Status.NOT_APPLICABLE for result in self.results)

    @property
    def failures(self) -> list[str]:
        """A line on each cell that did not finish."""
        return [f"{self.method} {failure_of(result)}" for result in self.results if result.status is not Status.OK]

    @property
    def ranked(self) -> bool:
        """May it be ranked: is it complete, and does it not see the masks that it is scored on?"""
        return len(self.done) == len(self.results) and SEES_TEST_MASKS not in self.marks

    @property
    def digests(self) -> set[tuple[str, str]]:
        """Digests of data and split, of all its cells."""
        return {(result.spec.data_digest, result.spec.split_digest) for result in self.results}

    def same_as(self, other: "MethodCells") -> bool:
        """Are both the same cells?"""
        return {r.spec.folder(self.run.results) for r in self.results} == {
            r.spec.folder(other.run.results) for r in other.results
        }


@dataclass(frozen=True, eq=False)
class Operand:
    """A run, or one method of it.

    Attributes:
        method: its key in the run; empty: all methods.
    """

    run: Run
    method: str = ""

    @property
    def datasets(self) -> list[str]:
        """The run's data sets."""
        return list(self.run.descriptions)

    @property
    def title(self) -> str:
        """The operand in words."""
        return f"{self.method} of run {self.run.id}" if self.method else f"run {self.run.id}"

    @cached_property
    def _rows(self) -> list[MethodCells]:
        return [row for row in rows_of(self.run) if self.method in ("", row.method)]

    def rows(self, dataset: str) -> list[MethodCells]:
        """Its methods on a data set, in the order of the table: rows that see the test masks come last."""
        return [row for row in self._rows if row.dataset == dataset]


def rows_of(run: Run) -> Iterator[MethodCells]:
    """The rows of a run's tables, in the order in which they are printed."""
    results = run.cell_results()
    for dataset in run.descriptions:
        by_method: dict[str, list[CellResult]] = {}
        for result in results:
            if result.spec.dataset == dataset:
                by_method.setdefault(result.spec.method, []).append(result)
        rows = [MethodCells(run, dataset, method, tuple(own)) for method, own in by_method.items()]
        yield from sorted(rows, key=lambda row: SEES_TEST_MASKS in row.marks)


def parse_operand(text: str, results: Path) -> Operand:
    """The operand that ``RUN`` or ``RUN:METHOD`` names; the names of both may hold colons.

    Raises:
        UnknownNameError: no such run, or no such method in it; names the nearest.
        DataError, IncompatibleError: the run cannot be read.
    """
    for run, method in _splits(text):
        try:
            opened = open_run(run, results)
        except UnknownNameError:
            continue
        return Operand(opened, method_key(method, opened) if method else "")
    return Operand(open_run(text.partition(":")[0], results))  # raises, with the nearest names


def _splits(text: str) -> Iterator[tuple[str, str]]:
    yield text, ""
    for place, letter in enumerate(text):
        if letter == ":":
            yield text[:place], text[place + 1 :]


def method_key(name: str, run: Run) -> str:
    """The key of a method in a run; its bare name will do where one method alone has it.

    Raises:
        UnknownNameError: no such method in the run.
    """
    known = dict.fromkeys(spec.method for spec, _ in run.cells)
    found = [key for key in known if key == name] or [key for key in known if key.rpartition(":")[2] == name]
    if len(found) != 1:
        raise UnknownNameError("method", name, known, where=f"in the run {run.id}", hint=f"mrbench show {run.id}")
    return found[0]
