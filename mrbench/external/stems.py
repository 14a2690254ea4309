"""Cases in file names: every case has a stem that any file system takes, and ``cases.csv`` says which case it is."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mrbench.errors import DataError

TABLE = "cases.csv"
COLUMNS = ["file", "case"]
MAX_TABLE_BYTES = 2**24
STEM_LENGTH = 80

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that one file system keeps for itself."""


def stems_of(cases: Sequence[str]) -> dict[str, str]:
    """A stem for each case: its name where that is one already, else with ``_`` for what is not; all different."""
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for case in cases:
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", case)[:STEM_LENGTH].strip(".") or "case"
        plain = f"_{plain}" if RESERVED.fullmatch(plain) else plain
        stem, number = plain, 2
        while stem.lower() in taken:  # some file systems do not tell upper from lower case
            stem, number = f"{plain}-{number}", number + 1
        taken.add(stem.lower())
        stems[case] = stem
    return stems


def write_stems(folder: Path, stems: dict[str, str]) -> None:
    """Writes ``cases.csv``."""
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *([stem, case] for case, stem in stems.items())])


def read_stems(folder: Path) -> dict[str, str]:
    """Case by stem, as ``cases.csv`` in a folder says; empty where there is none.

    Raises:
        DataError: it is no such table, leads out of the folder, or names a stem or a case twice.
    """
    path = folder / TABLE
    if not path.is_file():
        return {}
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{path} is no file of {folder}", hint="put the table itself into the folder")
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise DataError(f"{path} is too large", expected=f"at most {MAX_TABLE_BYTES} bytes")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _table(csv.reader(file, strict=True))
    except (ValueError, csv.Error) as error:
        expected = f"the columns {','.join(COLUMNS)}, one row per case"
        raise DataError(f"{path} is no table of cases", expected=expected, found=f"{error}"[:200]) from error


def _table(rows: Iterator[list[str]]) -> dict[str, str]:
    table: dict[str, str] = {}
    cases: set[str] = set()
    if (head := next(rows, [])) != COLUMNS:
        raise ValueError(f"{','.join(head)[:80]!r}")
    for number, row in enumerate(rows, 2):
        if len(row) != len(COLUMNS):
            raise ValueError(f"row {number}: {','.join(row)[:80]!r}")
        stem, case = row
        if stem in table or case in cases:
            raise ValueError(f"row {number}: a file or a case for the second time, {stem[:40]!r} and {case[:40]!r}")
        table[stem] = case
        cases.add(case)
    return table
