"""Registering: a person accepts what an entry was tested on, for all that come after it."""

from mrbench.errors import UsageError
from mrbench.leaderboard.registered import RegisteredData, line_of, read_registered, write_registered
from mrbench.leaderboard.source import cases_file, packed_scores
from mrbench.leaderboard.store import Stored, board_of
from mrbench.metrics.protocol import PROTOCOLS


def line_of_entry(stored: Stored) -> RegisteredData:
    """The line that an entry's data would have, read from the cases packed with it.

    Raises:
        DataError: cases that cannot be read, or cells of one fold with other test cases.
        UsageError: no cell has finished under a protocol that is known here.
    """
    entry = stored.entry
    cells = [
        (cell.fold, protocol, packed_scores(stored, protocol, cell))
        for protocol in PROTOCOLS
        for cell in entry.finished
        if cases_file(protocol, cell) in entry.files
    ]
    if not cells:
        raise UsageError(f"entry {stored.path} has no finished cell, so that nothing tells its test cases")
    return line_of(entry, cells)


def register(stored: Stored) -> tuple[RegisteredData, list[RegisteredData]]:
    """Adds an entry's data to ``registry.json`` of its board; the line, and others of the same data set's name.

    Raises:
        DataError: as :func:`line_of_entry`, or a fold is registered with other test cases.
        UsageError: as :func:`line_of_entry`.
    """
    board = board_of(stored.folder)
    registered = read_registered(board).with_line(line_of_entry(stored))
    write_registered(board, registered)
    line = registered.of(stored.entry)
    assert line is not None
    return line, [one for one in registered.named(line.dataset) if one.key != line.key]
