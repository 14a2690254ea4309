"""Checked entries: what verified goes on to tables and pages, what did not is listed apart with its reason.

What was verified is kept in a file beside the site. A line of it holds for an entry whose files were not touched since
on this machine, for this code, these plugins and these registered data; the file may be deleted at any time.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

import mrbench
from mrbench.digests import digest_json
from mrbench.files import read_json, write_json
from mrbench.leaderboard.entry import Entry
from mrbench.leaderboard.registered import Registered, read_registered
from mrbench.leaderboard.store import ENTRY, SetAside, Stored, Why, entries, turn
from mrbench.leaderboard.verify import Verified, Verifier
from mrbench.registry import Registry


@dataclass(frozen=True, eq=False)
class Checked:
    """The entries of a board.

    Attributes:
        stored: those that verified, with the scores that could be computed again; of data as it is registered.
        listed_apart: all others, and scores that could not; each with its reason.
        registered: the data of the board.
    """

    stored: list[Stored]
    listed_apart: list[SetAside]
    registered: Registered


@dataclass(frozen=True)
class Kept:
    """What was verified of an entry without a fault; ``key``: digest of all that it depends on."""

    key: str
    recomputed: int
    unchecked: tuple[str, ...]
    caveats: tuple[str, ...]
    failed: tuple[str, ...]


def checked(board: Path, registry: Registry, cache: Path | None = None) -> Checked:
    """Verifies every entry of a board.

    Args:
        cache: a file that keeps what was verified for the next time.

    Raises:
        DataError: ``registry.json`` cannot be read.
    """
    found, registered = list(entries(board)), read_registered(board)
    apart = [one for one in found if isinstance(one, SetAside)]
    kept: list[Stored] = []
    verifier = _Kept(Verifier(registry, registered), cache)
    for stored in sorted((one for one in found if isinstance(one, Stored)), key=turn):
        verified = verifier.entry(stored)
        if verified.faults:
            apart.append(set_aside(verified))
        else:
            apart += _unchecked(verified)
            entry = _as_registered(stored.entry, set(verified.unchecked), registered)
            kept.append(replace(stored, entry=entry, caveats=verified.caveats, failed=verified.failed))
    verifier.save()
    return Checked(kept, sorted(apart, key=lambda one: (list(Why).index(one.why), one.path)), registered)


def set_aside(verified: Verified) -> SetAside:
    """An entry with faults in a line: the gravest, and how many others there are."""
    worst = min(verified.faults, key=lambda fault: list(Why).index(fault.why))
    more = len(verified.faults) - 1
    return SetAside(verified.path, worst.line + (f" (and {more} more)" if more else ""), worst.why)


def _unchecked(verified: Verified) -> Iterator[SetAside]:
    if verified.unchecked:
        names = ", ".join(verified.unchecked)[:300]
        yield SetAside(verified.path, f"defined otherwise here, or not installed, and not shown: {names}", Why.VERSION)


def _as_registered(entry: Entry, unchecked: set[str], registered: Registered) -> Entry:
    """An entry with the scores that were computed again alone, and with what is registered of its data."""
    line = registered.of(entry)
    assert line is not None, "an entry of data that are not registered does not verify"
    scores = {
        protocol: {name: score for name, score in own.items() if f"{protocol}.{name}" not in unchecked}
        for protocol, own in entry.scores.items()
    }
    return replace(
        entry,
        scores={protocol: own for protocol, own in scores.items() if own},
        data=line.data,
        dataset_options=line.dataset_options,
        dataset_changed=line.dataset_changed,
    )


class _Kept:
    """A verifier that remembers what it verified."""

    def __init__(self, verifier: Verifier, file: Path | None) -> None:
        self.verifier, self.file = verifier, file
        self.same = digest_json([code_digest(), verifier.digest]) if file else ""
        self.read: Mapping[str, Kept] = {}
        self.used: dict[str, Kept] = {}
        with suppress(OSError, ValueError, AttributeError):
            self.read = _adapter().validate_python(read_json(file)) if file else {}

    def entry(self, stored: Stored) -> Verified:
        return self.verifier.against_others(stored, self._alone(stored) if self.file else self.verifier.alone(stored))

    def _alone(self, stored: Stored) -> Verified:
        key = digest_json([self.same, stored.path, *_touched(stored)])
        known = self.read.get(stored.id)
        if known and known.key == key:
            self.used[stored.id] = known
            return Verified(stored.path, (), known.recomputed, known.unchecked, known.caveats, known.failed)
        found = self.verifier.alone(stored)
        if not found.faults:  # what is wrong may be mended without a byte of the entry, so it is looked at again
            self.used[stored.id] = Kept(key, found.recomputed, found.unchecked, found.caveats, found.failed)
        return found

    def save(self) -> None:
        """Keeps what was used for the next time."""
        if self.file and self.used != self.read:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.file, _adapter().dump_python(self.used, mode="json"))


def _touched(stored: Stored) -> Iterable[list[object]]:
    """What changes with any write to the entry's files; nobody else can foresee it, so no such file can be sent in."""
    for name in (*stored.entry.files, ENTRY):
        found = (stored.folder / name).lstat()
        yield [name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


@cache
def code_digest() -> str:
    """Of the program that verifies, all of it."""
    top = Path(mrbench.__file__).parent
    state = hashlib.sha256()
    for path in sorted(top.rglob("*.py")):
        state.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()


@cache
def _adapter() -> TypeAdapter[dict[str, Kept]]:
    return TypeAdapter(dict[str, Kept])
