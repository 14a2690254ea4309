"""Where external predictions come from, whatever the format."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from mrbench.data.description import Description
from mrbench.data.mask_rules import AS_STORED, MaskRules
from mrbench.errors import UsageError
from mrbench.external.form import Form
from mrbench.external.grid import Grid
from mrbench.interfaces.draw import Draw

if TYPE_CHECKING:
    from mrbench.external.arrays import Arrays

HDF5 = (".h5", ".hdf5")
NPZ = (".npz",)


class Source(Protocol):
    """Predictions by case, read one draw at a time. Used in a ``with`` statement."""

    def cases(self, known: Sequence[str]) -> Sequence[str]:
        """Names of the cases found, among them names that are not ``known``."""
        ...

    def form(self, case: str) -> Form:
        """Which predictions of a case there are; reads no pixel.

        Raises:
            DataError: predictions that contradict each other or the data set.
        """
        ...

    def draws(self, case: str, grid: Grid) -> Iterator[Draw]:
        """The predictions of a case: samples, rater predictions, consensus.

        Args:
            case: its name.
            grid: of the case.

        Raises:
            DataError: predictions that do not fit the case.
        """
        ...

    def left_alone(self) -> Sequence[str]:
        """Names of files that lie there and are not read."""
        ...

    def digest(self) -> str:
        """SHA-256 of what is read from, and of what each file is taken for."""
        ...

    def check_unchanged(self) -> None:
        """Refuses predictions that are not what the digest is of.

        Raises:
            DataError: they changed while they were read.
        """
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


def open_source(path: Path, patterns: Sequence[str], description: Description, rules: MaskRules = AS_STORED) -> Source:
    """The predictions at a path: an HDF5 file, a NumPy archive, or a folder of PNG or NIfTI files.

    Args:
        path: as given.
        patterns: of the names in a folder; none: those that ``mrbench export`` writes.
        description: of the data set.
        rules: what is said of the values in image files.

    Raises:
        UsageError: no such path, another format, patterns or rules for a file, or a wrong pattern.
        DataError: a damaged file, or one that no prediction is in.
    """
    if path.is_dir():
        from mrbench.external.folder import FolderSource

        return FolderSource(path, patterns, description, rules)
    if patterns:
        raise UsageError(f"--pattern is for a folder of files, and {path} is none")
    if rules:
        raise UsageError(
            f"--labels, --threshold and --invert are for a folder of image files, and {path} is none",
            expected="labels or probabilities, which HDF5 and npz files hold as they are",
        )
    return _open_file(path, description)


def _open_file(path: Path, description: Description) -> Source:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise UsageError(f"there are no predictions at {path}", expected="a file or a folder", found="nothing")
    if suffix in HDF5:
        from mrbench.external.hdf5 import Hdf5Arrays

        return _array_source(Hdf5Arrays, path, description)
    if suffix in NPZ:
        from mrbench.external.npz import NpzArrays

        return _array_source(NpzArrays, path, description)
    raise UsageError(
        f"cannot read predictions from {path}",
        expected=f"a name that ends with {', '.join(HDF5 + NPZ)}, or a folder of PNG or NIfTI files",
        found=path.suffix or "no ending",
        hint="put single images into a folder, a file per case and draw",
    )


def _array_source(opened: "Callable[[Path], Arrays]", path: Path, description: Description) -> Source:
    from mrbench.external.arrays import ArraySource
    from mrbench.external.content import FileContent

    content = FileContent(path)  # before it is opened: one that takes its place in between is told from it
    arrays = opened(path)
    try:
        return ArraySource(arrays, content, description)
    except BaseException:
        arrays.close()
        raise
