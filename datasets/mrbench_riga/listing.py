"""The lists of the label masks: ``Glaucoma_multirater_<collection>.csv``, one row per image and rater.

A list names its columns for image, mask and rater; rater 0 is the final label and is left out, 1 to 6 are people. Paths
are relative to the folder of ``DiscRegion`` or lie in it.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mrbench.errors import DataError
from mrbench_riga.config import RigaConfig

COUNTS = {"BinRushed": 195, "MESSIDOR": 460, "Magrabia": 95}
"""Images of each collection."""

RATERS = 6
REGION = "DiscRegion"
MAX_LIST_BYTES = 2**24

_WORDS = {"image": ("image", "img"), "mask": ("mask",), "rater": ("rater",)}
_HINT = f"mrbench data prepare riga --source FOLDER, where FOLDER holds {REGION} and the three lists"


@dataclass(frozen=True)
class CaseFiles:
    """The files of one image.

    Attributes:
        id: of the case: collection and path, such as ``Magrabia-image12``.
        image: its crop of the disc region.
        masks: (6,) by rater, None where the list names none.
    """

    id: str
    image: Path
    masks: tuple[Path | None, ...]


def collection_of(case_id: str) -> str:
    """The collection that a case is of."""
    return case_id.partition("-")[0]


def list_cases(source: Path, config: RigaConfig) -> list[CaseFiles]:
    """The images of the three collections, each in the order of its list.

    Raises:
        DataError: a list or a file is not there, a list is damaged, other counts than the collections' where
            ``partial`` is not set; names the list and its line.
    """
    cases = [case for name in COUNTS for case in _collection(source, name, config)]
    name, count = Counter(case.id for case in cases).most_common(1)[0]
    if count > 1:
        raise DataError(f"{source} lists two images of one name", found=name)
    return cases


def _collection(source: Path, name: str, config: RigaConfig) -> list[CaseFiles]:
    path = _list_of(source, name)
    rows = _rows(path)
    images: dict[str, dict[int, str]] = {}
    for line, image, mask, rater in rows:
        masks = images.setdefault(image, {})
        if rater in masks:
            raise DataError(f"{path}, line {line}: rater {rater} has two masks", found=image)
        masks[rater] = mask
    if not config.partial:
        _check_complete(path, name, images)
    return [_case(source, path, name, image, masks) for image, masks in images.items()]


def _list_of(source: Path, name: str) -> Path:
    file = f"Glaucoma_multirater_{name}.csv"
    found = next((folder / file for folder in (source, source / REGION) if (folder / file).is_file()), None)
    if found is not None:
        return found
    drawn = next(
        (f"{path.name}: a photograph beside those with outlines drawn in" for path in source.rglob("*prime.*")), ""
    )
    raise DataError(
        f"{source} does not hold the label masks of RIGA",
        expected=f"{file}, beside {REGION} or in it",
        found=drawn or "no such file",
        hint=_HINT,
    )


def _rows(path: Path) -> list[tuple[int, str, str, int]]:
    """Line number, image, mask and rater, without the rows of the final label."""
    try:
        lines = list(csv.reader(_text(path).splitlines(), strict=True))
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV file", found=str(error), hint=_HINT) from error
    columns = _columns(path, lines[0] if lines else [])
    rows = [(n, *_row(path, n, line, columns)) for n, line in enumerate(lines[1:], 2) if any(line)]
    people = [row for row in rows if row[3]]
    if not people:
        raise DataError(f"{path} lists no mask", expected="a row per image and rater")
    return people


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_LIST_BYTES:
        raise DataError(f"{path} is too large", expected=f"<= {MAX_LIST_BYTES} bytes", found=f"{path.stat().st_size}")
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gbk"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DataError(f"{path} is not text", expected="UTF-8 or GBK", hint=_HINT)


def _columns(path: Path, header: Sequence[str]) -> tuple[int, ...]:
    found = {
        what: [n for n, title in enumerate(header) if any(word in title.lower() for word in words)]
        for what, words in _WORDS.items()
    }
    if any(len(places) != 1 for places in found.values()):
        raise DataError(
            f"{path} has other columns",
            expected="one for the image, one for the mask and one for the rater, as imgName, maskName, rater",
            found=", ".join(header)[:200] or "none",
            hint=_HINT,
        )
    return tuple(places[0] for places in found.values())


def _row(path: Path, number: int, line: Sequence[str], columns: tuple[int, ...]) -> tuple[str, str, int]:
    if len(line) <= max(columns) or not all(line[column].strip() for column in columns):
        raise DataError(f"{path}, line {number}: a field is not there", found=",".join(line)[:200])
    image, mask, rater = (line[column].strip() for column in columns)
    if not (rater.isascii() and rater.isdigit() and len(rater) < 3 and int(rater) <= RATERS):
        raise DataError(f"{path}, line {number}: no such rater", expected=f"0 to {RATERS}", found=repr(rater[:20]))
    return image, mask, int(rater)


def _check_complete(path: Path, name: str, images: dict[str, dict[int, str]]) -> None:
    hint = "download all files, or take what there is with --set partial=true"
    if len(images) != COUNTS[name]:
        raise DataError(
            f"collection {name!r} of data set 'riga' is not complete",
            expected=f"{COUNTS[name]} images in {path}",
            found=f"{len(images)}",
            hint=hint,
        )
    for image, masks in images.items():
        if absent := [rater for rater in range(1, RATERS + 1) if rater not in masks]:
            raise DataError(f"{path} lacks a mask of {image}", expected=f"a row of rater {absent[0]}", hint=hint)


def _case(source: Path, path: Path, name: str, image: str, masks: dict[int, str]) -> CaseFiles:
    file = _file(source, path, image)  # first: what is no file may have no name either
    plain = PurePosixPath(image.replace("\\", "/")).with_suffix("")
    parts = [part for part in plain.parts if part not in (REGION, name, ".")]
    return CaseFiles(
        "-".join([name, *parts]),
        file,
        tuple(_file(source, path, masks[r]) if r in masks else None for r in range(1, RATERS + 1)),
    )


def _file(source: Path, path: Path, text: str) -> Path:
    """The file that a list names, inside ``source``."""
    relative = text.replace("\\", "/")
    for folder in (source, source / REGION):
        found = folder / relative
        if found.is_file():
            if not found.resolve().is_relative_to(source.resolve()):
                raise DataError(f"{path} names a file outside its folder", found=text[:200])
            return found
    raise DataError(f"{path} names a file that is not there", found=text[:200], hint=_HINT)
