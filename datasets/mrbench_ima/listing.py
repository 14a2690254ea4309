"""The list of IMA++: ``ISIC_id, img_filename, seg_filename, annotator, tool, skill_level, mskObjectID, mask_md5``.

The lists are those of https://github.com/sfu-mial/IMAplusplus, which were read here; nobody here held the masks and the
images. Rows of the annotators ``ST`` and ``MV`` are consensus masks and no people. 218 times an annotator has several
masks of one image: the last one counts, that of the largest ``mskObjectID``, which begins with the time. So 144 of the
images with several masks have one annotator. Images of one patient or, where that is not told, of one lesion are one
subject, as ``IMAplusplus_img_metadata.csv`` says. It is needed unless ``partial`` is set.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrbench.data.inside import check_inside
from mrbench.data.odd_files import is_odd
from mrbench.data.released.case_files import CaseFiles, Found, check_folder, unpacked_not
from mrbench.errors import DataError

ANNOTATORS = tuple(f"A{n:02}" for n in range(16))
CONSENSUS = ("ST", "MV")
COLUMNS = ("ISIC_id", "img_filename", "seg_filename", "annotator", "mskObjectID")
ABOUT_IMAGES = "IMAplusplus_img_metadata.csv"
ABOUT = ("isic_id", "patient_id", "lesion_id")
MAX_LIST_BYTES = 2**26

Row = Mapping[str, str]

Files = Mapping[str, Path]
"""Files by their names in lower case."""


@dataclass(frozen=True)
class ListedFiles:
    """Finds the files that a list names, at any depth of a folder; upper and lower case are the same.

    Attributes:
        table: name of the list.
        count: images that it names.
    """

    table: str
    count: int

    rater_names = ANNOTATORS

    @property
    def holds(self) -> str:
        """What the folder holds, in words."""
        return f"{self.table}, {ABOUT_IMAGES}, segs and the images"

    def list_cases(self, source: Path, *, partial: bool, hint: str) -> Found:
        """The cases in the order of their ISIC names.

        Raises:
            DataError: no folder, a list or (without ``partial``) a file that is not there, other columns, an unknown
                annotator or another count than the release's; names the list and its line, or the file.
        """
        check_folder(source, self.holds, hint)
        files = _by_name(source)
        for name in (self.table, ABOUT_IMAGES)[: 1 if partial else 2]:
            _check_there(files, name, source, hint)
        rows, told = self._rows(files)
        images: dict[str, dict[str, Row]] = {}
        for row in rows:
            images.setdefault(row["ISIC_id"], {})[row["annotator"]] = row
        if len(images) != self.count and not partial:
            raise DataError(
                f"{self.table} is not complete", expected=f"{self.count} images", found=f"{len(images)}", hint=hint
            )
        subjects = _subjects(files)
        cases = [_case(name, images[name], subjects, files, partial, source) for name in sorted(images)]
        kept = tuple(case for case in cases if case is not None)
        if not kept:
            raise DataError(f"{source} has no image of its list with a mask", expected="at least one", hint=hint)
        lost = len(cases) - len(kept)
        return Found(kept, (*told, *([f"left out: {lost} images without files"] if lost else [])))

    def _rows(self, files: Files) -> tuple[list[Row], list[str]]:
        """One row per image and annotator, of his last mask; and how many are left out."""
        found: dict[tuple[str, str], Row] = {}
        several = 0
        for number, row in _read(files[self.table.casefold()]):
            _check_row(files[self.table.casefold()], number, row)
            if row["annotator"] in CONSENSUS:
                continue
            key = row["ISIC_id"], row["annotator"]
            several += key in found
            if key not in found or row["mskObjectID"] > found[key]["mskObjectID"]:
                found[key] = row
        told = [f"left out: {several} masks of annotators who drew another one later"] if several else []
        return list(found.values()), told


def _check_there(files: Files, name: str, source: Path, hint: str) -> None:
    if name.casefold() not in files:
        raise DataError(
            f"{source} lacks a list of IMA++",
            expected=name,
            found=unpacked_not(list(files)) or ", ".join(sorted(files)[:5]) or "nothing",
            hint=hint,
        )


def _by_name(source: Path) -> Files:
    found: dict[str, Path] = {}
    for path in sorted(source.rglob("*")):
        if any(map(is_odd, path.relative_to(source).parts)) or not path.is_file():
            continue
        name = path.name.casefold()
        if name in found and path.suffix.lower() in (".png", ".jpg", ".csv"):
            raise DataError(f"{source} holds two files of one name", found=f"{found[name]} and {path}")
        found[name] = path
    return found


def _read(path: Path) -> Iterator[tuple[int, Row]]:
    if path.stat().st_size > MAX_LIST_BYTES:
        raise DataError(f"{path} is too large", expected=f"<= {MAX_LIST_BYTES} bytes", found=f"{path.stat().st_size}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from enumerate(csv.DictReader(file, restval="", strict=True), 2)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV file", found=str(error)[:200]) from error


def _check_row(path: Path, number: int, row: Row) -> None:
    _check_columns(path, row, COLUMNS)
    if not all(row[name] for name in COLUMNS):
        raise DataError(f"{path}, line {number}: a field is not there", expected=", ".join(COLUMNS))
    if row["annotator"] not in (*ANNOTATORS, *CONSENSUS):
        raise DataError(
            f"{path}, line {number}: no such annotator",
            expected=f"{ANNOTATORS[0]} to {ANNOTATORS[-1]}, or {' or '.join(CONSENSUS)}",
            found=repr(row["annotator"][:20]),
        )


def _check_columns(path: Path, row: Row, columns: Sequence[str]) -> None:
    if absent := [name for name in columns if name not in row]:
        raise DataError(f"{path} has other columns", expected=", ".join(columns), found=f"no {', '.join(absent)}")


def _subjects(files: Files) -> dict[str, str]:
    """The patient or else the lesion by ISIC name, as far as the list of images tells."""
    path = files.get(ABOUT_IMAGES.casefold())
    found: dict[str, str] = {}
    if path is None:
        return found
    for _, row in _read(path):
        _check_columns(path, row, ABOUT)
        found[row["isic_id"]] = row["patient_id"] or row["lesion_id"] or row["isic_id"]
    return found


def _case(
    name: str, rows: Mapping[str, Row], subjects: Mapping[str, str], files: Files, partial: bool, source: Path
) -> CaseFiles | None:
    """None where the image is not there, or no mask."""
    wanted = [next(iter(rows.values()))["img_filename"], *(row["seg_filename"] for row in rows.values())]
    absent = [file for file in wanted if file.casefold() not in files]
    if absent and not partial:
        raise DataError(
            f"{source} lacks a file of {name}",
            expected=absent[0],
            found="no such file at any depth",
            hint="download it, or take what there is with --set partial=true",
        )
    image = files.get(wanted[0].casefold())
    masks = tuple(files.get(rows[a]["seg_filename"].casefold()) if a in rows else None for a in ANNOTATORS)
    if image is None or not any(masks):
        return None
    for path in (path for path in (image, *masks) if path is not None):
        check_inside(path, source, hint="copy the files themselves into the folder")
    return CaseFiles(name, subjects.get(name, name), (image,), masks)
