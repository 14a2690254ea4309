"""A release whose names say which file is whose: the table, and the files of a folder by it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrbench.data.importing.listing import natural
from mrbench.data.inside import check_inside
from mrbench.data.odd_files import is_odd
from mrbench.data.released.case_files import CaseFiles, Found, check_folder, unpacked_not
from mrbench.data.released.pattern import Pattern
from mrbench.errors import DataError

PART = "part"
"""The field that says which part of a release a file is of, where it has parts."""

Key = tuple[str, ...]
"""The values of the fields that tell cases apart, in lower case."""


@dataclass(frozen=True)
class Placed:
    """A file that fits a pattern.

    Attributes:
        name: from the folder on.
        path: where it is.
        fields: what the name says; the part as the table writes it.
    """

    name: str
    path: Path
    fields: Mapping[str, str]

    @property
    def part(self) -> str:
        """Of the release; ``""`` where it has none."""
        return self.fields.get(PART, "")


Files = dict[Key, Placed]


@dataclass(frozen=True)
class RaterFiles:
    """The masks of one rater.

    Attributes:
        name: of the rater.
        masks: the pattern of the files.
        complete: parts of which every case has such a mask; None: all.
    """

    name: str
    masks: str
    complete: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The table.

    Attributes:
        fields: the regular expression of each field of the patterns.
        key: the fields that tell the cases apart; every pattern has them.
        images: the pattern of the file of all channels, or one for each.
        raters: in the order of the columns.
        counts: images of each part; the part of a release without parts is ``""``.
        id: names a case from its fields.
        subject: names the patient from the fields.
        holds: what the folder holds, in words.
    """

    fields: Mapping[str, str]
    key: tuple[str, ...]
    images: tuple[str, ...]
    raters: tuple[RaterFiles, ...]
    counts: Mapping[str, int]
    id: str
    subject: Callable[[Mapping[str, str]], str]
    holds: str

    @property
    def rater_names(self) -> tuple[str, ...]:
        """In the order of the columns."""
        return tuple(rater.name for rater in self.raters)

    def list_cases(self, source: Path, *, partial: bool, hint: str) -> Found:
        """The cases of a folder in natural order, part by part.

        Args:
            source: the folder.
            partial: take what there is.
            hint: the next command, for messages.

        Raises:
            DataError: no folder, no such files, two files in one place, or (without ``partial``) other counts than the
                release's or a mask that is not there; names the file.
        """
        check_folder(source, self.holds, hint)
        names = _names(source)
        images = [self._placed(names, text, source) for text in self.images]
        masks = [self._placed(names, rater.masks, source) for rater in self.raters]
        if not images[0]:
            raise self._nothing(source, names, hint)
        if not partial:
            self._check_counts(source, images[0])
            self._check_masks(images[0], masks)
        self._check_channels(images)
        keys = sorted(images[0], key=lambda key: (self._place(images[0][key].part), natural("/".join(key))))
        cases = [self._case(key, images, masks) for key in keys if any(key in found for found in masks)]
        orphans = sorted(one.name for found in masks for key, one in found.items() if key not in images[0])
        return _checked(source, cases, len(keys), orphans, hint)

    def _placed(self, names: Sequence[str], text: str, source: Path) -> Files:
        """The files that fit a pattern by the values of the key, whatever their case."""
        pattern, found = Pattern(text, self.fields), Files()
        for name in names:
            fields = pattern.fields_of(name)
            if fields is None or not (source / name).is_file():
                continue
            key = tuple(fields[field].casefold() for field in self.key)
            if key in found:
                raise DataError(
                    f"{source} holds two files in one place",
                    expected=f"one {text} of each case",
                    found=f"{found[key].name} and {name}",
                    hint="give the folder of one release, unpacked once",
                )
            found[key] = Placed(name, source / name, self._with_part(fields))
        return found

    def _with_part(self, fields: dict[str, str]) -> dict[str, str]:
        written = {part.casefold(): part for part in self.counts}
        return fields | {PART: written[fields[PART].casefold()]} if PART in fields else fields

    def _place(self, part: str) -> int:
        return list(self.counts).index(part)

    def _check_counts(self, source: Path, images: Files) -> None:
        for part, count in self.counts.items():
            found = sum(image.part == part for image in images.values())
            if found != count:
                raise DataError(
                    f"the release in {source} is not complete" + (f": part {part!r}" if part else ""),
                    expected=f"{count} images",
                    found=f"{found}",
                    hint="download and unpack all files, or take what there is with --set partial=true",
                )

    def _check_masks(self, images: Files, masks: Sequence[Files]) -> None:
        for key, image in images.items():
            for rater, found in zip(self.raters, masks, strict=True):
                if key not in found and (rater.complete is None or image.part in rater.complete):
                    raise DataError(
                        f"{image.name} lacks the mask of {rater.name}",
                        expected=self._filled(rater.masks, image),
                        found="no such file",
                        hint="download the file again, or let its rater be absent with --set partial=true",
                    )

    def _check_channels(self, images: Sequence[Files]) -> None:
        for key, image in images[0].items():
            for pattern, found in zip(self.images, images, strict=True):
                if key not in found:
                    raise DataError(
                        f"{image.name} lacks another channel",
                        expected=self._filled(pattern, image),
                        found="no such file",
                        hint="download the file again",
                    )

    def _filled(self, pattern: str, image: Placed) -> str:
        """The name that a file beside an image has; ``*`` for what may be one thing or another."""
        found: Mapping[str, str] = {name: "" if re.fullmatch(text, "") else "*" for name, text in self.fields.items()}
        return pattern.format(**{**found, **image.fields})

    def _case(self, key: Key, images: Sequence[Files], masks: Sequence[Files]) -> CaseFiles:
        fields = images[0][key].fields
        return CaseFiles(
            self.id.format(**fields),
            self.subject(fields),
            tuple(found[key].path for found in images),
            tuple(found[key].path if key in found else None for found in masks),
        )

    def _nothing(self, source: Path, names: Sequence[str], hint: str) -> DataError:
        """Nothing was found: too deep in the release, still packed, or something else."""
        above = source.resolve()
        for depth in range(1, 4):
            prefix = "/".join(above.parts[-depth:])
            if any(Pattern(self.images[0], self.fields).fields_of(f"{prefix}/{name}") for name in names):
                return DataError(
                    f"{source} is only a part of the release",
                    expected=f"the folder that holds {self.holds}",
                    found=f"a folder in it, {prefix}",
                    hint=f"--source {above.parents[depth - 1]}",
                )
        return DataError(
            f"{source} does not hold the release",
            expected=f"{self.holds}, with files such as {self.images[0]}",
            found=unpacked_not(names) or ", ".join(names[:5]) or "nothing",
            hint=hint,
        )


def _names(source: Path) -> list[str]:
    paths = (path.relative_to(source) for path in source.rglob("*"))
    return sorted(path.as_posix() for path in paths if not any(map(is_odd, path.parts)))


def _checked(source: Path, cases: Sequence[CaseFiles], images: int, orphans: Sequence[str], hint: str) -> Found:
    if not cases:
        raise DataError(f"{source} has no mask of any of its {images} images", expected="at least one", hint=hint)
    for path in (path for case in cases for path in (*case.images, *case.masks) if path is not None):
        check_inside(path, source, hint="copy the files themselves into the folder")
    told = [f"left out: {images - len(cases)} images that nobody has a mask of"] if images > len(cases) else []
    told += [f"left out: {len(orphans)} masks without an image, {orphans[0]} first"] if orphans else []
    return Found(tuple(cases), tuple(told))
