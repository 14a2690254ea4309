"""The folders of task 2, unpacked from the archives of their names: ``Annotator_1`` to ``Annotator_4``."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mrbench.data.hdf5 import GuardedFile
from mrbench.data.inside import check_inside
from mrbench.data.odd_files import files_below
from mrbench.errors import DataError
from mrbench_npc.files import SPACING, shape_of

RATERS = 4
MAX_MEMBERS = 64
HINT = "download the archive again from the challenge's site, unpack it, then: mrbench data prepare gbm --source FOLDER"


@dataclass(frozen=True)
class CaseFile:
    """One file.

    Attributes:
        path: of it.
        rater: who outlined the case, from 0.
        channels: names of its images, in alphabetical order.
        label: name of its mask.
        shape: (D, H, W).
    """

    path: Path
    rater: int
    channels: tuple[str, ...]
    label: str
    shape: tuple[int, ...]

    @property
    def id(self) -> str:
        """Annotator and name: two folders may count from the same number."""
        return f"A{self.rater + 1}-{self.path.stem}"

    @property
    def subject(self) -> str:
        """The name alone: should two annotators have outlined one patient, no fold splits them."""
        return self.path.stem


def list_cases(source: Path) -> list[CaseFile]:
    """The files by annotator and name; of each only what it declares is read.

    Raises:
        DataError: a folder is absent or empty, two files of a folder have one name, a file has not exactly one mask or
            other images than the first file; names the file.
    """
    cases = [_case(path, rater) for rater in range(RATERS) for path in _files(source, rater)]
    for case in cases:
        if case.channels != cases[0].channels:
            raise DataError(
                f"{case.path} has other images than {cases[0].path}",
                expected=", ".join(cases[0].channels),
                found=", ".join(case.channels),
                hint=HINT,
            )
    return cases


def _files(source: Path, rater: int) -> list[Path]:
    folder = source / f"Annotator_{rater + 1}"
    found = list(files_below(folder, (".h5",)))
    if not found:
        packed = next(source.glob(f"{folder.name}.*"), None)
        raise DataError(
            f"{source} does not hold the challenge's files",
            expected=f"folders Annotator_1 to Annotator_{RATERS} with .h5 files",
            found=f"{packed.name}, which is not unpacked" if packed else f"no .h5 file in {folder}",
            hint="mrbench data prepare gbm --source FOLDER, where FOLDER holds the unpacked archives",
        )
    for path in found:
        check_inside(path, source, hint=HINT)
    name, count = Counter(path.stem for path in found).most_common(1)[0]
    if count > 1:
        raise DataError(f"{folder} holds two files of one name", found=f"{name}.h5")
    return found


def _case(path: Path, rater: int) -> CaseFile:
    with GuardedFile(path, hint=HINT) as file:
        names = [name for name in file.names("", limit=MAX_MEMBERS) if name != SPACING]
        labels = [name for name in names if name.startswith("label")]
        channels = tuple(name for name in names if name not in labels)
        if labels not in (["label"], own := [f"label_a{rater + 1}"]):
            raise file.fault("has not one mask", expected=f"label or {own[0]}", found=", ".join(labels) or "none")
        if not channels:
            raise file.fault("has no image", expected="an array per MR sequence, such as t1")
        return CaseFile(path, rater, channels, labels[0], shape_of(file, channels))
