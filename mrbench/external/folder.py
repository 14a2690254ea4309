"""Predictions in a folder, one per PNG or NIfTI file; a pattern of the names says which is which."""

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

import numpy as np

from mrbench.data.archive import FREE_BYTES
from mrbench.data.description import Description
from mrbench.data.mask_rules import AS_STORED, MaskRules
from mrbench.data.odd_files import is_odd
from mrbench.digests import digest_json
from mrbench.errors import DataError
from mrbench.external.content import changed
from mrbench.external.form import Form
from mrbench.external.grid import Grid
from mrbench.external.pattern import ENDINGS, STEMS, Match, read_patterns
from mrbench.external.raters import rater_columns
from mrbench.external.stems import TABLE, read_stems
from mrbench.external.values import as_probability
from mrbench.interfaces.draw import Draw, DrawKind

BYTES_PER_VALUE = 16
"""Of a file, at most, per pixel and class of its case; more than any type of number, packed or not, takes."""

Files = dict[tuple[DrawKind, int, int], Path]
"""The files of a case by kind, rater (column; -1 where there is none) and number."""


class FolderSource:
    """Predictions in a folder.

    Args:
        path: the folder.
        patterns: of names in it; none: those that ``mrbench export`` writes.
        description: of the data set.
        rules: what is said of the values.

    Raises:
        UsageError: a wrong pattern.
        DataError: no file fits a pattern, two are the same prediction, or one leads out of the folder.
    """

    def __init__(
        self, path: Path, patterns: Sequence[str], description: Description, rules: MaskRules = AS_STORED
    ) -> None:
        self.path, self.description, self.rules = path, description, rules
        self._patterns = read_patterns(patterns, description.rater_names)
        self._stems = read_stems(path)
        self._digests: dict[Path, str] = {}
        self.unmatched: list[str] = []
        self._files = self._assigned(dict(self._matches()))
        if not self._files:
            raise self._nothing(patterns)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""

    def cases(self, known: Sequence[str]) -> Sequence[str]:  # noqa: ARG002
        """Names of the cases that files were found of."""
        return list(self._files)

    def form(self, case: str) -> Form:
        """Which predictions of a case there are, by the names of the files."""
        keys = self._files[case]
        samples = sum(kind is DrawKind.SAMPLE for kind, _, _ in keys)
        raters = tuple(rater for kind, rater, _ in sorted(keys) if kind is DrawKind.RATER)
        return Form(samples, raters, any(kind is DrawKind.CONSENSUS for kind, _, _ in keys))

    def draws(self, case: str, grid: Grid) -> Iterator[Draw]:
        """The predictions of a case, one file at a time, in the order of rater and number."""
        files = self._files[case]
        for kind in (DrawKind.SAMPLE, DrawKind.RATER, DrawKind.CONSENSUS):
            for key in sorted(key for key in files if key[0] is kind):
                rater = key[1] if kind is DrawKind.RATER else None
                yield Draw(kind, self._read(files[key], case, grid), rater)

    def left_alone(self) -> Sequence[str]:
        """Names of files that fit no pattern, but for those of operating systems."""
        return [name for name in self.unmatched if not any(map(is_odd, name.split("/")))]

    def digest(self) -> str:
        """SHA-256 of the files and of what each is taken for."""
        entries = [
            [case, kind.value, rater, number, self._digest(file)]
            for case, files in sorted(self._files.items())
            for (kind, rater, number), file in sorted(files.items())
        ]
        return digest_json([entries, self.rules.as_json()] if self.rules else entries)

    def check_unchanged(self) -> None:
        """Nothing to do: each file is compared with its digest when it is read."""

    def _matches(self) -> Iterator[tuple[Path, Match]]:
        root = self.path.resolve()
        for name in _names(self.path):
            match = next(filter(None, (pattern.match(name) for pattern in self._patterns)), None)
            if match is None:
                self.unmatched += [name] if name != TABLE else []
                continue
            file = self.path / name
            if not file.resolve().is_relative_to(root) or not file.is_file():
                raise DataError(f"{file} is no file of {self.path}", hint="put the files themselves into the folder")
            yield file, match

    def _assigned(self, matches: Mapping[Path, Match]) -> dict[str, Files]:
        columns = self._columns({match.rater for match in matches.values() if match.kind is DrawKind.RATER})
        found: dict[str, Files] = {}
        for file, match in matches.items():
            files = found.setdefault(self._stems.get(match.case, match.case), {})
            key = (match.kind, columns.get(match.rater, -1), match.number)
            if files.setdefault(key, file) != file:
                raise DataError(f"{file} is the same prediction as {files[key]}", hint="--pattern chooses among names")
        return found

    def _columns(self, labels: Collection[str]) -> dict[str, int]:
        # Of all files together: where raters have numbers for names, one alone would not tell names from columns.
        names = self.description.rater_names
        plain = [label if label in names else unquote(label) for label in labels]
        return dict(zip(labels, rater_columns(plain, names, str(self.path)), strict=True))

    def _nothing(self, patterns: Sequence[str]) -> DataError:
        files = [name for name in self.unmatched if name.endswith((".npz", ".h5", ".hdf5"))]
        hint = "--pattern '{case}/sample-{sample}.png' says how they are named"
        return DataError(
            f"no file in {self.path} has a name that fits",
            expected=", ".join(patterns or STEMS) + ("" if patterns else f" with {', '.join(ENDINGS)}"),
            found=", ".join(self.unmatched[:5]) or "no files",
            hint=f"--predictions {self.path / files[0]}" if files else hint,
        )

    def _read(self, file: Path, case: str, grid: Grid) -> np.ndarray:
        from mrbench.external.images import read_nifti, read_png

        classes, where = self.description.n_classes, f"{file} (case {case!r})"
        content = self._content(file, FREE_BYTES + BYTES_PER_VALUE * classes * prod(grid.spatial))
        read = read_png if file.suffix.lower() == ".png" else read_nifti
        return as_probability(read(content, grid, classes, where, self.rules), grid.spatial, classes, where)

    def _content(self, file: Path, limit: int) -> bytes:
        try:
            with file.open("rb") as stream:
                content = stream.read(limit + 1)
        except FileNotFoundError:
            raise changed(file) from None
        if len(content) > limit:
            raise DataError(f"{file} is larger than its case", expected=f"at most {limit} bytes")
        if self._digests.get(file) not in (None, hashlib.sha256(content).hexdigest()):
            raise changed(file)
        return content

    def _digest(self, file: Path) -> str:
        if file not in self._digests:
            with file.open("rb") as stream:
                self._digests[file] = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._digests[file]


def _names(folder: Path) -> Iterator[str]:
    # Links to folders are not followed; a link to a file is looked at where its name fits a pattern.
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield (Path(place) / name).relative_to(folder).as_posix()
