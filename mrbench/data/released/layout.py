"""A release whose names say which file is whose: the table, and the files of a folder by it."""

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

Files = dict[Key, tuple[str, Path]]
"""Files by key: their names from the folder on, and where they are."""


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
        images = [self._by_key(names, text, source) for text in self.images]
        masks = [self._by_key(names, rater.masks, source) for rater in self.raters]
        if not images[0]:
            raise self._nothing(source, names, hint)
        keys = sorted(images[0], key=lambda key: (self._place(key), natural("/".join(key))))
        if not partial:
            self._check_counts(source, keys)
        cases = [self._case(key, images, masks, partial) for key in keys]
        orphans = sorted(name for found in masks for key, (name, _) in found.items() if key not in images[0])
        return _checked(source, [case for case in cases if case], len(keys), orphans, hint)

    def _by_key(self, names: Sequence[str], text: str, source: Path) -> Files:
        """The files of a pattern by the values of the key, whatever their case."""
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
                    found=f"{found[key][0]} and {name}",
                    hint="give the folder of one release, unpacked once",
                )
            found[key] = (name, source / name)
        return found

    def _place(self, key: Key) -> int:
        part = self._part(key)
        return list(self.counts).index(part) if part in self.counts else len(self.counts)

    def _part(self, key: Key) -> str:
        """As the table writes it."""
        found = dict(zip(self.key, key, strict=True)).get(PART, "")
        return next((part for part in self.counts if part.casefold() == found), found)

    def _check_counts(self, source: Path, keys: Sequence[Key]) -> None:
        for part, count in self.counts.items():
            found = sum(self._part(key) == part for key in keys)
            if found != count:
                raise DataError(
                    f"the release in {source} is not complete" + (f": part {part!r}" if part else ""),
                    expected=f"{count} images",
                    found=f"{found}",
                    hint="download and unpack all files, or take what there is with --set partial=true",
                )

    def _case(
        self,
        key: Key,
        images: Sequence[Files],
        masks: Sequence[Files],
        partial: bool,
    ) -> CaseFiles | None:
        name, _ = images[0][key]
        fields = Pattern(self.images[0], self.fields).fields_of(name) or {}
        fields |= {PART: self._part(key)} if PART in fields else {}
        for pattern, found in zip(self.images, images, strict=True):
            if key not in found:
                raise DataError(f"{name} has no other channel", expected=_filled(pattern, fields), found="no such file")
        if not partial:
            self._check_masks(key, name, fields, masks)
        if not any(key in found for found in masks):
            return None
        return CaseFiles(
            self.id.format(**fields),
            self.subject(fields),
            tuple(found[key][1] for found in images),
            tuple(found[key][1] if key in found else None for found in masks),
        )

    def _check_masks(self, key: Key, name: str, fields: Mapping[str, str], masks: Sequence[Files]) -> None:
        for rater, found in zip(self.raters, masks, strict=True):
            if key not in found and (rater.complete is None or self._part(key) in rater.complete):
                raise DataError(
                    f"{name} lacks the mask of {rater.name}",
                    expected=_filled(rater.masks, fields),
                    found="no such file",
                    hint="download the file again, or let its rater be absent with --set partial=true",
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


def _filled(pattern: str, fields: Mapping[str, str]) -> str:
    for name, value in fields.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    return pattern
