"""Results folders put together: each cell and training once, verified by its digests, whole or not at all."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from mrbench.engine.build import TRAINED, read_training
from mrbench.engine.cell import CURVES, DIAGNOSTICS, CellSpec
from mrbench.engine.inventory import Inventory, Item, Kind, inventory
from mrbench.engine.manifest import FILES, check_files, facts_of
from mrbench.engine.merge_runs import merge_run
from mrbench.engine.record import RECORD, read_record
from mrbench.engine.run import failed_folder
from mrbench.engine.store import CHECKPOINT, attempt, discard
from mrbench.engine.writing_faults import WritingError, writing_error
from mrbench.errors import DataError, MrbenchError, UsageError
from mrbench.files import flush

MEASURED = (CURVES, DIAGNOSTICS)
"""Files that hold seconds, or were added to a finished cell, and so differ where the same cell was computed twice."""


class Outcome(StrEnum):
    """What became of a thing."""

    COPIED = "copied"
    KEPT = "kept"
    REFUSED = "refused"


@dataclass(frozen=True)
class Merged:
    """A thing of a source, and what became of it.

    Attributes:
        fault: why it was refused.
    """

    item: Item
    source: Path
    outcome: Outcome
    fault: str = ""


def merge(sources: Sequence[Path], into: Path) -> Iterator[Merged]:
    """Copies trainings, cells, failures and runs into a results folder that may be there already; the sources stay.

    What was copied stays copied wherever it is interrupted; the same call goes on from there.

    Raises:
        UsageError: a source is no results folder, or lies in ``into`` or around it.
        WritingError: a disk that is full, read-only or broken.
    """
    for source in sources:
        _check_apart(source, into)
    for found in [inventory(source) for source in sources]:
        yield from _refused(found)
        for kind in (Kind.TRAINING, Kind.CELL, Kind.FAILURE, Kind.RUN):  # a run when what it refers to is there
            for item in found.of(kind):
                yield _merged(item, found.results, into)


def _check_apart(source: Path, into: Path) -> None:
    a, b = source.resolve(), into.resolve()
    if a.is_relative_to(b) or b.is_relative_to(a):
        raise UsageError(
            f"cannot merge {source} into {into}", expected="folders apart", found="one that lies in the other"
        )


def _refused(found: Inventory) -> Iterator[Merged]:
    for item in found.of(Kind.LINK):
        if len(item.path.parts) > 1 or item.path.name in ("cells", "trainings", "runs"):
            yield Merged(item, found.results, Outcome.REFUSED, f"{found.results / item.path} is a link: not followed")
    for folder in found.unreadable:
        item = Item(Kind.OTHER, folder.relative_to(found.results), 0)
        yield Merged(item, found.results, Outcome.REFUSED, f"{folder} cannot be listed")


def _merged(item: Item, source: Path, into: Path) -> Merged:
    try:
        copied = _MERGES[item.kind](item, source, into)
    except WritingError:
        raise
    except MrbenchError as error:
        return Merged(item, source, Outcome.REFUSED, error.fault)
    except OSError as error:
        if told := writing_error(error, into):
            raise told from error
        return Merged(item, source, Outcome.REFUSED, f"cannot copy {source / item.path}: {error}")
    return Merged(item, source, Outcome.COPIED if copied else Outcome.KEPT)


def _merge_cell(item: Item, source: Path, into: Path) -> bool:
    record, final = _record(item, source), into / item.path
    if (there := read_record(final)) is not None:
        _check_same(source / item.path, record, final, there)
        return False
    _copy(source / item.path, final, RECORD, record)
    discard(failed_folder(final))  # it is finished now
    return True


def _merge_failure(item: Item, source: Path, into: Path) -> bool:
    record = _record(item, source)
    if read_record(into / item.final) is not None or read_record(into / item.path) is not None:
        return False
    _copy(source / item.path, into / item.path, RECORD, record)
    return True


def _merge_training(item: Item, source: Path, into: Path) -> bool:
    training, final = read_training(source / item.path), into / item.path
    if training is None:
        raise DataError(f"the training {source / item.path} has no {TRAINED}")
    if (there := read_training(final)) is not None:
        _check_same(source / item.path, training, final, there)
        return False
    _copy(source / item.path, final, TRAINED, training)
    return True


def _merge_run(item: Item, source: Path, into: Path) -> bool:
    return merge_run(source / item.path, into / item.path)


_MERGES = {
    Kind.CELL: _merge_cell,
    Kind.FAILURE: _merge_failure,
    Kind.TRAINING: _merge_training,
    Kind.RUN: _merge_run,
}


def _record(item: Item, source: Path) -> Mapping[str, Any]:
    """The record of a cell or a failure, which lies where its specification says."""
    record = read_record(source / item.path)
    if record is None:
        raise DataError(f"the cell {source / item.path} has no {RECORD}")
    own = CellSpec.from_json(record["spec"]).folder(Path())
    if own != item.final:
        raise DataError(f"the cell {source / item.path} is not where it was computed", expected=str(source / own))
    return record


def _check_same(own: Path, document: Mapping[str, Any], other: Path, there: Mapping[str, Any]) -> None:
    a, b = (_content(one) for one in (document, there))
    if a != b:
        names = ", ".join(sorted(name for name in {*a, *b} if a.get(name) != b.get(name)))
        raise DataError(f"{own} and {other} are one by their digest and differ in {names}; the second stays")


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    files = {name: facts for name, facts in document.get(FILES, {}).items() if name not in MEASURED}
    return files | {"status": document.get("status")}


def _copy(folder: Path, final: Path, marker: str, document: Mapping[str, Any]) -> None:
    """Copies a finished folder, once every byte of it is what was written, and looks at every byte of the copy.

    Raises:
        DataError: a file is not what was written, or is no file in the folder.
        BusyError: a live process is at it.
    """
    for name in (*document.get(FILES, {}), marker):
        _check_plain(folder, name)
    check_files(folder, document)  # here, so that a disk that cannot be read is not taken for one that is full
    with attempt(final, marker) as work:
        shutil.rmtree(work.folder / CHECKPOINT, ignore_errors=True)
        log = ["log.txt"] if _is_plain(folder / "log.txt") else []
        for name in (*document.get(FILES, {}), *log, marker):
            (work.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, work.folder / name)
            flush(work.folder / name)
        check_files(work.folder, document)
        if facts_of(work.folder / marker) != facts_of(folder / marker):
            raise DataError(f"{folder / marker} changed while it was copied")
        work.complete()


def _check_plain(folder: Path, name: str) -> None:
    path, within = folder / name, PurePosixPath(name)
    if ".." in within.parts or within.is_absolute():
        raise DataError(f"a file of {folder} lies outside", found=name)
    if not _is_plain(path) or any((folder / one).is_symlink() for one in within.parents):
        raise DataError(f"{path} is no plain file", expected="the file that was written", hint="mrbench repair")


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
