"""What was read of source files before, kept between processes: a parse of all of them would cost each command 0.1 s.

Entries go by the SHA-256 of a file's bytes, so that none can be stale; the file holds a digest of itself, and a damaged
one counts as none. It may be deleted.
"""

import atexit
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

from mrbench.digests import digest_json
from mrbench.files import read_json, write_json

FORM = 1
"""Version of how code is digested: entries of another one are not used."""

MOST = 20_000
"""Entries at most; with more of them the file begins anew."""

Entry = tuple[str, tuple[str, ...]]
"""The digest of a file's code, and the modules of mrbench that it imports."""


class CodeCache:
    """Entries by key, read once and written where some are new.

    Args:
        path: of the file; None: in the user's cache folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(platformdirs.user_cache_dir("mrbench")) / "code.json"
        self.entries: dict[str, Entry] | None = None
        self.new = False

    def get(self, key: str) -> Entry | None:
        """The entry of a key; None where there is none."""
        return self._read().get(key)

    def put(self, key: str, entry: Entry) -> None:
        """Adds an entry, which is written when the process ends."""
        self._read()[key] = entry
        if not self.new:
            atexit.register(self.save)
        self.new = True

    def save(self) -> None:
        """Writes the file; a disk that takes nothing costs the next command its time alone."""
        sources = {key: list(entry) for key, entry in self._read().items()}
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, {"form": FORM, "digest": _digest(sources), "sources": sources})

    def _read(self) -> dict[str, Entry]:
        if self.entries is None:
            try:
                self.entries = _checked(read_json(self.path))
            except (OSError, ValueError, KeyError, TypeError):
                self.entries = {}
        return self.entries


def _checked(stored: Mapping[str, Any]) -> dict[str, Entry]:
    sources = stored["sources"]
    whole = stored["form"] == FORM and stored["digest"] == _digest(sources) and len(sources) <= MOST
    return {key: (code, tuple(imports)) for key, (code, imports) in sources.items()} if whole else {}


def _digest(sources: Mapping[str, Sequence[object]]) -> str:
    return digest_json({key: list(entry) for key, entry in sources.items()})
