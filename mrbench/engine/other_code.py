"""Runs that show nothing any more but numbers of other code than is installed here."""

from pathlib import Path

from mrbench.engine.cell import CellSpec
from mrbench.engine.equivalence import other_code
from mrbench.engine.record import read_record
from mrbench.engine.references import References, paths_of
from mrbench.engine.run import Run
from mrbench.engine.store import is_busy
from mrbench.errors import DataError, IncompatibleError


def runs_of_other_code(references: References, results: Path) -> list[str]:
    """The runs with cells of other code, whose further finished cells stand in a run that stays; at none is a process.

    A cell whose method is not installed here, or whose record cannot be read, is never of other code.
    """
    gone: list[str] = []
    for name, run in references.runs.items():
        if any(is_busy(results / path) for spec in _cells(run) for path in paths_of(spec)):
            continue
        codes = {spec.folder(Path()): of for spec in _cells(run) if (of := _is_of_other(spec, results)) is not None}
        staying = references.without([*gone, name])
        if any(codes.values()) and all(staying.to(path) for path, other in codes.items() if not other):
            gone.append(name)
    return gone


def _cells(run: Run) -> list[CellSpec]:
    return [spec for spec, not_applicable in run.cells if not not_applicable]


def _is_of_other(spec: CellSpec, results: Path) -> bool | None:
    """Is a finished cell of other code than is installed? None where there is none."""
    try:
        record = read_record(spec.folder(results))
    except (DataError, IncompatibleError):
        return False
    return None if record is None else bool(other_code(spec, record.get("code", {})))
