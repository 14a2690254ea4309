"""A run: the cells of one command, written down and read back."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.data.description import Description
from mrbench.engine.cases import CellFiles
from mrbench.engine.cell import FORMAT, CellSpec, Status
from mrbench.engine.manifest import read_sealed, write_sealed
from mrbench.engine.record import read_record
from mrbench.engine.result import Result
from mrbench.errors import DataError, IncompatibleError, UnknownNameError

if TYPE_CHECKING:
    from mrbench.engine.plan import Plan


@dataclass(frozen=True, eq=False)
class Run:
    """The cells of one command.

    Attributes:
        id: of its folder under ``runs``.
        results: the results folder.
        cells: its specifications with the reason why one cannot be.
        descriptions: what each data set declares, those that cells are trained on and, by domain, tested on.
        command: as it was typed.
        data: the folder of prepared data that it was given.
    """

    id: str
    results: Path
    cells: Sequence[tuple[CellSpec, str]]
    descriptions: Mapping[str, Mapping[str, Any]]
    command: str
    data: str = ""

    @property
    def folder(self) -> Path:
        """Where ``run.json`` and the logs lie."""
        return self.results / "runs" / self.id

    def write(self) -> None:
        """Writes ``run.json``, with its seal."""
        self.folder.mkdir(parents=True, exist_ok=True)
        cells = [{"spec": spec.as_json(), "not_applicable": reason} for spec, reason in self.cells]
        head = {
            "format": FORMAT,
            "id": self.id,
            "data": self.data,
            "command": self.command,
            "written": datetime.now(UTC).isoformat(),
        }
        write_sealed(self.folder / "run.json", head | {"descriptions": self.descriptions, "cells": cells})

    def cell_results(self) -> list[Result]:
        """Where each cell stands, read from its folder.

        A record that is damaged, or that another version wrote, costs its own cell only.
        """
        return [self._result(spec, reason) for spec, reason in self.cells]

    def result_of(self, spec: CellSpec) -> Result:
        """Where one cell that can be stands, with what reads its files."""
        return self._result(spec, "")

    def _result(self, spec: CellSpec, not_applicable: str) -> Result:
        if not_applicable:
            return Result(spec, Status.NOT_APPLICABLE, not_applicable)
        try:
            record = self.record_of(spec)
        except (DataError, IncompatibleError) as error:
            return Result(spec, Status.INTERRUPTED).damaged(error)
        if record is None:
            return Result(spec, Status.INTERRUPTED, "not finished; run the same command again")
        folder = spec.folder(self.results)
        status = Status(record["status"])
        files = CellFiles(folder, record, self.descriptions[spec.domain]) if status is Status.OK else None
        return Result(spec, status, record["reason"], record, files, folder)

    def record_of(self, spec: CellSpec) -> dict[str, Any] | None:
        """What a cell left behind, finished or failed; None where it did neither.

        Raises:
            DataError, IncompatibleError: a record that cannot be read.
        """
        folder = spec.folder(self.results)
        return read_record(folder) or read_record(failed_folder(folder))


def failed_folder(final: Path) -> Path:
    """Where the record of a cell's last failure lies, beside where it would be finished."""
    return final.with_name(f"{final.name}.failed")


def run_of(plan: "Plan", results: Path, data: Path, command: str) -> Run:
    """The run of a plan."""
    cells = [(cell.spec, cell.not_applicable) for cell in plan.cells]
    return Run(plan.run_id, results, cells, plan.descriptions, command, str(data))


REWRITTEN = "the mrbench run that made it writes it again"
COMPUTED_BESIDE = "the same mrbench run computes it anew beside this one, which stays for the version that made it"


def open_run(name: str, results: Path) -> Run:
    """A run by its id, by the path of its folder, or ``last``.

    Raises:
        UnknownNameError: no such run; names the nearest.
        DataError, IncompatibleError: it cannot be read.
    """
    folder = _run_folder(name, results)
    if not folder.name.isprintable():
        raise DataError(f"cannot read the run {folder}", found="hidden characters in its name", hint="rename it")
    try:
        stored, broken = read_sealed(folder / "run.json")
        if stored["format"] != FORMAT:
            found = str(stored["format"])[:80]
            raise IncompatibleError(
                f"the run {folder} has another format", expected=str(FORMAT), found=found, hint=COMPUTED_BESIDE
            )
        cells = [(CellSpec.from_json(cell["spec"]), str(cell["not_applicable"])) for cell in stored["cells"]]
        facts = {name: Description.from_json(facts).as_json() for name, facts in stored["descriptions"].items()}
        if {name for spec, _ in cells for name in (spec.dataset, spec.domain)} != set(facts):
            raise ValueError("its cells are of other data sets than it describes")
        _check_cells(folder, [spec for spec, _ in cells])
        if broken:
            raise ValueError(broken)
        return Run(folder.name, folder.parent.parent, cells, facts, str(stored["command"]), str(stored["data"]))
    except DataError as error:
        raise DataError(f"cannot read the run {folder}", found=error.what, hint=REWRITTEN) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"{type(error).__name__}: {error}"[:200]
        raise DataError(f"cannot read the run {folder}", found=said, hint=REWRITTEN) from error


def _check_cells(folder: Path, specs: Sequence[CellSpec]) -> None:
    # A cell that counts twice would be two of the folds and seeds of its method run.
    counts = Counter(spec.folder(Path()) for spec in specs)
    for spec in specs:
        if counts[spec.folder(Path())] > 1:
            raise DataError(f"the cell {spec.title} stands in {folder} twice")


def run_and_rest(text: str, results: Path) -> tuple[Run, str]:
    """The run that ``RUN`` or ``RUN:REST`` names, and the rest; both may hold colons, and a path does.

    Raises:
        UnknownNameError: no such run; names the nearest.
        DataError, IncompatibleError: the run cannot be read.
    """
    for name, rest in _splits(text):
        try:
            return open_run(name, results), rest
        except UnknownNameError:
            continue
    return open_run(text.partition(":")[0], results), ""  # raises, with the nearest names


def _splits(text: str) -> Iterator[tuple[str, str]]:
    yield text, ""
    for place, letter in enumerate(text):
        if letter == ":":
            yield text[:place], text[place + 1 :]


def _run_folder(name: str, results: Path) -> Path:
    return Path(name).resolve() if (Path(name) / "run.json").exists() else folder_of_run(name, results)


def folder_of_run(name: str, results: Path) -> Path:
    """The folder of a run in a results folder, by the run's id or ``last``.

    Raises:
        UnknownNameError: no such run; names the nearest.
    """
    runs = sorted((results / "runs").glob("*/run.json"), key=lambda path: path.stat().st_mtime)
    known = {path.parent.name: path.parent for path in runs}
    if name == "last" and runs:
        return runs[-1].parent
    if name not in known:
        where = f"in {results}" if known else f"in {results}, which holds none"
        raise UnknownNameError("run", name, known, where=where, hint="mrbench run starts one; --out says where")
    return known[name]
