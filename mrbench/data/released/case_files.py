"""The files of the cases of a release, whoever found them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mrbench.errors import DataError


@dataclass(frozen=True)
class CaseFiles:
    """The files of one case.

    Attributes:
        id: of the case, unique; that of a release in parts begins with its part and ``-``.
        subject: the patient, as far as names tell; folds never split one.
        images: the file of all channels, or one for each.
        masks: (R,) by rater, None where there is none; at least one is there.
    """

    id: str
    subject: str
    images: tuple[Path, ...]
    masks: tuple[Path | None, ...]

    @property
    def first_mask(self) -> Path:
        """Of the first rater who has one."""
        return next(path for path in self.masks if path is not None)


@dataclass(frozen=True)
class Found:
    """What lies in a folder.

    Attributes:
        cases: those that at least one rater has a mask of.
        told: what was left out, for people, a line each.
    """

    cases: tuple[CaseFiles, ...]
    told: tuple[str, ...] = ()


def check_folder(source: Path, holds: str, hint: str) -> None:
    """Refuses an archive that nobody unpacked, and any other file.

    Raises:
        DataError: not a folder.
    """
    if not source.is_dir():
        raise DataError(
            f"{source} is no folder", expected=f"the folder that holds {holds}, unpacked", found="one file", hint=hint
        )


def unpacked_not(names: Sequence[str]) -> str:
    """The archives among some files, for a message; empty where there are none."""
    packed = [name for name in names if name.lower().endswith((".zip", ".tar", ".tgz", ".rar", ".7z", ".tar.gz"))]
    return f"{', '.join(packed[:5])}: not unpacked" if packed else ""
