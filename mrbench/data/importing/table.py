"""A CSV file that names every file: columns case, rater, image, mask and maybe subject and slice, in any order."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mrbench.data.importing.assign import OWN_SUBJECT, check_lossless
from mrbench.data.importing.files import CaseFiles, Layout, Unused
from mrbench.data.importing.listing import ENDINGS, Listing, natural, split_ending
from mrbench.errors import DataError

COLUMNS = ("case", "rater", "image", "mask")
OPTIONAL = ("subject", "slice")
MAX_TABLE_BYTES = 2**28
MAX_TEXT = 500
"""Characters of an entry."""


@dataclass
class _Case:
    image: str
    subject: str
    slice: str
    masks: dict[str, str] = field(default_factory=dict)


def read_table(path: Path, listing: Listing) -> Layout:
    """The cases that a table lists, a row per case and rater; an empty mask is an absent rater.

    Paths are relative to the table and stay in the folder. Columns of other names are passed over.

    Raises:
        DataError: no such table, a column that is absent, a path that is no file of the folder, two masks of a rater in
            a case, or rows of a case that disagree; names the row.
    """
    table = _Table(path, listing)
    cases: dict[str, _Case] = {}
    for number, row in _rows(path):
        table.add(cases, number, row)
    names = sorted(cases, key=natural)
    found = tuple(_case(name, cases[name]) for name in names if cases[name].masks)
    if not found:
        raise DataError(f"{path} names no mask", expected=f"the columns {', '.join(COLUMNS)}, a row per mask")
    unmarked = tuple(cases[name].image for name in names if not cases[name].masks)
    own = all(case.subject == case.id for case in found)
    return Layout(
        listing,
        found,
        f"as {path.name} names them",
        f"as {path.name} names them",
        ("--csv", str(path)),
        OWN_SUBJECT if own else f"as {path.name} names them",
        _unused(listing, found, unmarked, path),
    )


def _case(name: str, case: _Case) -> CaseFiles:
    number = int(case.slice) if case.slice else None
    return CaseFiles(name, case.subject or name, case.image, case.masks, number)


def _unused(listing: Listing, cases: Sequence[CaseFiles], unmarked: tuple[str, ...], table: Path) -> Unused:
    used = {*unmarked, *(name for case in cases for name in (case.image, *case.masks.values()))}
    others = tuple(name for name in listing.others if (listing.folder / name).resolve() != table.resolve())
    return Unused(unmarked, tuple(name for name in listing.images if name not in used), others)


@dataclass(frozen=True)
class _Table:
    path: Path
    listing: Listing

    def add(self, cases: dict[str, _Case], number: int, row: Mapping[str, str]) -> None:
        """Takes in one row."""
        name, rater = row["case"], row["rater"]
        if max(map(len, row.values())) > MAX_TEXT:
            raise self.fault(number, "has too long an entry", expected=f"at most {MAX_TEXT} characters")
        if not name or not row["image"]:
            raise self.fault(number, "has no case or no image", expected="both in every row")
        image, mask = self._file(number, row["image"]), self._file(number, row["mask"]) if row["mask"] else ""
        case = cases.setdefault(name, _Case(image, row["subject"], row["slice"]))
        if (case.image, case.subject, case.slice) != (image, row["subject"], row["slice"]):
            raise self.fault(number, f"disagrees with another row of case {name!r}", expected=case.image, found=image)
        if row["slice"] and not (row["slice"].isascii() and row["slice"].isdigit() and len(row["slice"]) <= 9):
            raise self.fault(number, "has a wrong slice", expected="a whole number", found=row["slice"][:20])
        if not mask:
            return
        if not rater:
            raise self.fault(number, "has a mask and no rater", expected="both or none")
        check_lossless(self.listing, mask)
        if case.masks.setdefault(rater, mask) != mask:
            raise self.fault(
                number, f"names a second mask of {rater!r} in case {name!r}", expected=case.masks[rater], found=mask
            )

    def _file(self, number: int, text: str) -> str:
        root = self.listing.folder.resolve()
        if "\0" in text:
            raise self.fault(number, "names no image file", expected="a path without NUL", found=text)
        path = Path(os.path.realpath(self.path.parent / text))
        if "\\" in text and not path.is_file():  # as Windows writes paths
            path = Path(os.path.realpath(self.path.parent / text.replace("\\", "/")))
        if not path.is_relative_to(root):
            raise self.fault(number, "names a file outside the folder", expected=f"files in {root}", found=text)
        if not path.is_file() or not split_ending(path.name)[1]:
            expected = f"a file that ends with {', '.join(ENDINGS)}"
            raise self.fault(number, "names no image file", expected=expected, found=text)
        return path.relative_to(root).as_posix()

    def fault(self, number: int, what: str, *, expected: str, found: str = "") -> DataError:
        """The error that names the row."""
        return DataError(
            f"row {number} of {self.path} {what}",
            expected=expected,
            found=found,
            hint="paths in the table are relative to the table",
        )


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise DataError(f"{path} is too large", expected=f"at most {MAX_TABLE_BYTES} bytes")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            head = [name.strip().lower() for name in next(lines, [])]
            _check_head(path, head)
            for row in filter(any, lines):
                values = dict(zip(head, (text.strip() for text in row), strict=True))
                yield lines.line_num, {name: values.get(name, "") for name in (*COLUMNS, *OPTIONAL)}
    except (ValueError, csv.Error) as error:
        found = f"{error}"[:200]
        raise DataError(f"{path} is no table", expected="CSV in UTF-8, commas between", found=found) from error


def _check_head(path: Path, head: Sequence[str]) -> None:
    if not set(COLUMNS) <= set(head) or len(set(head)) < len(head):
        raise DataError(
            f"{path} lacks columns",
            expected=f"{', '.join(COLUMNS)} and maybe {', '.join(OPTIONAL)}, each once, commas between",
            found=", ".join(head)[:200] or "nothing",
        )
