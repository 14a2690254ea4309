"""Adding: packed entries are put onto a board, each whole or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mrbench.files import made_folder
from mrbench.leaderboard.duplicates import same_results
from mrbench.leaderboard.entry import Entry, entry_bytes
from mrbench.leaderboard.pack import Packed
from mrbench.leaderboard.store import ENTRY, SetAside, Stored, entries, folder_of, id_of, safe


@dataclass(frozen=True)
class Added:
    """Where an entry lies now; ``new``: was it not there before?"""

    folder: Path
    bytes: int
    new: bool


def add(packed: Packed, board: Path) -> Added:
    """Puts an entry onto a board; the same results are there once, whoever submits them.

    Raises:
        DataError: it does not fit the schema.
    """
    content = entry_bytes(packed.entry)
    size = len(content) + sum(map(len, packed.files.values()))
    for stored in _of_method(board, packed.entry):
        if same_results(stored.entry) == same_results(packed.entry):
            return Added(stored.folder, size, new=False)
    folder = folder_of(board, packed.entry, id_of(content))
    with made_folder(folder) as temporary:
        for name, own in packed.files.items():
            (temporary / name).write_bytes(own)
        (temporary / ENTRY).write_bytes(content)
    return Added(folder, size, new=True)


def _of_method(board: Path, entry: Entry) -> Iterable[Stored]:
    found = entries(board, safe(entry.spec.domain), safe(entry.method))
    return (one for one in found if not isinstance(one, SetAside))
