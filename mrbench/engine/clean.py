"""Removing from a results folder what no run refers to: named first, then gone in one step each."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mrbench.engine.inventory import CELLS, RUNS, TRAININGS, Item, Kind
from mrbench.engine.other_code import runs_of_other_code
from mrbench.engine.store import discard, owner_of
from mrbench.engine.unreferred import Holdings, What, holdings
from mrbench.errors import DataError

USUAL = (What.CELLS, What.TRAININGS, What.ATTEMPTS, What.DAMAGED)
"""What goes where nothing is named."""

OWNED = (Kind.CELL, Kind.FAILURE, Kind.TRAINING, Kind.ATTEMPT)
"""What a process may be at."""


@dataclass(frozen=True)
class Removable:
    """A thing that may go, and as what."""

    what: What
    item: Item


def removable(results: Path, what: Sequence[What] = USUAL) -> list[Removable]:
    """What may go, in the order of its paths.

    A training that a cell needs goes only with its cell.

    Raises:
        UsageError: there is no results folder.
        DataError: a run cannot be read, and what it refers to is asked about.
    """
    found = holdings(results)
    if found.references.faults and not {*what}.isdisjoint((What.CELLS, What.TRAININGS, What.OTHER_CODE)):
        raise _not_known(found)
    gone = [Removable(one, item) for one in What if one in what for item in found.groups.get(one, ())]
    if What.CELLS not in what:
        gone = [one for one in gone if one.item.path not in found.needed]
    if What.OTHER_CODE in what:
        stay = frozenset() if What.CELLS in what else found.needed
        gone += [one for one in _of_other_code(found) if one.item.path not in stay]
    return gone


def _not_known(found: Holdings) -> DataError:
    first, *others = found.references.faults
    return DataError(
        "cannot tell what no run refers to: " + first.what + (f", and {len(others)} more" if others else ""),
        found=first.found,
        hint=f"{first.hint}, or remove its folder; mrbench clean attempts damaged looks at no run",
    )


def _of_other_code(found: Holdings) -> Iterator[Removable]:
    """The runs first: where only they are gone, what they referred to is of no run, and none lacks anything."""
    names = runs_of_other_code(found.references, found.inventory.results)
    for item in found.inventory.of(Kind.RUN):
        if item.path.name in names:
            logs = sum(one.bytes for one in found.inventory.of(Kind.LOGS) if one.path.parent == item.path)
            yield Removable(What.OTHER_CODE, replace(item, bytes=item.bytes + logs))
    after = replace(found, references=found.references.without(names))
    before = {item.path for items in found.groups.values() for item in items}
    for items in after.groups.values():
        yield from (Removable(What.OTHER_CODE, item) for item in items if item.path not in before)


def clean(results: Path, listed: Sequence[Removable], what: Sequence[What]) -> Iterator[tuple[Removable, str]]:
    """Removes what was listed and may still go; with each, in a line, why it stays, empty where it is gone.

    Errors: :func:`removable`.
    """
    # Looked at again: while somebody was thinking, a run may have started that refers to it.
    now = {one.item.path for one in removable(results, what)}
    run_stays = False
    for one in listed:
        if one.item.path not in now:
            reason = "it is in use by now"
        elif run_stays and one.what is What.OTHER_CODE:
            reason = "a run that refers to it stays"
        else:
            reason = remove(results, one.item)
        run_stays |= bool(reason) and one.item.kind is Kind.RUN
        yield one, reason


def remove(results: Path, item: Item) -> str:
    """Removes a thing: first its name, at once, then its content. Returns in a line why it stays; empty: it is gone."""
    path = results / item.path
    if item.kind in OWNED and (owner := owner_of(results / item.final)):
        return f"{owner} is at it"
    if any((results / part).is_symlink() for part in (item.path, *item.path.parents[:-1])):
        return "a link stands in its path"
    try:
        _discard(path, item.kind)
    except OSError as error:
        return f"it cannot be removed: {error.strerror}"
    _remove_empty(results, path.parent)
    left = [path, *path.parent.glob(f"{path.name.partition('.attempt-')[0]}.trash-*")]
    return "some of its files cannot be removed" if any(one.exists() for one in left) else ""


def _discard(path: Path, kind: Kind) -> None:
    if kind is Kind.REMOVAL:
        shutil.rmtree(path)
        return
    if kind is Kind.RUN:
        (path / "run.json").unlink(missing_ok=True)  # what is moved aside would be a run still
    discard(path)


def _remove_empty(results: Path, folder: Path) -> None:
    """Removes empty folders above what is gone, up to those of the layout."""
    while folder not in (results, *(results / name for name in (RUNS, CELLS, TRAININGS))):
        with suppress(OSError):
            folder.rmdir()
        folder = folder.parent
