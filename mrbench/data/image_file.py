"""One image or mask in a file of its own, whatever the format; its header is checked before memory is taken."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812

import numpy as np

from mrbench.data.archive import FREE_BYTES, MAX_RATIO, open_member, read_header
from mrbench.data.hdf5 import MAX_ARRAY_BYTES
from mrbench.errors import DataError, MrbenchError


@dataclass(frozen=True, eq=False)
class ImageFile:
    """A file whose header has been read and checked.

    Attributes:
        shape: of the image: ``(H, W)`` or ``(H, W, 3)`` of a picture; last axis first, ``(..., D, H, W)``, of a NIfTI
            file; as stored of a NumPy file.
        dtype: of the values.
        spacing: mm along D, H, W or H, W, or None where the file does not know.
        directions: where the axes x, y, z of a NIfTI file run to, such as ``LPS``; empty where nothing says it.
        lossy: does the format keep no labels?
        image: unpacks the image; a palette becomes colours.
        labels: unpacks a mask: of a palette the indices, of colours the grey that they are.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    image: Callable[[], np.ndarray]
    labels: Callable[[], np.ndarray]
    spacing: tuple[float, ...] | None = None
    directions: str = ""
    lossy: bool = False


@contextmanager
def open_image(path: Path, where: str, *, allowed: int = FREE_BYTES) -> Iterator[ImageFile]:
    """A PNG, TIFF, JPEG, NIfTI (gzipped or not), npy or npz file, by its ending; a npz file holds one array.

    Args:
        path: the file.
        where: the same for messages.
        allowed: bytes that it may unpack to, however small it is packed.

    Raises:
        DataError: another format, damaged, values that are no numbers, or more of them than the file can account for.
        UsageError: the package that reads the format is not installed.
    """
    opened = _OPENED.get(_ending(path), _open_picture)
    with opened(path, where) as file:
        _check_size(file, where, max(allowed, FREE_BYTES, MAX_RATIO * path.stat().st_size))
        yield file


def _ending(path: Path) -> str:
    name = path.name.lower()
    return ".nii" if name.endswith(".nii.gz") else path.suffix.lower()


def _check_size(file: ImageFile, where: str, allowed: int) -> None:
    size = prod(file.shape) * file.dtype.itemsize
    allowed = min(allowed, MAX_ARRAY_BYTES)
    if not file.shape or 0 in file.shape:
        raise DataError(f"{where} is empty", expected="at least one pixel", found=f"axes {file.shape}")
    if size > allowed:
        raise DataError(
            f"{where} declares more than its size can hold",
            expected=f"at most {allowed} bytes",
            found=f"{size} bytes, axes {file.shape}",
        )


@contextmanager
def _open_picture(path: Path, where: str) -> Iterator[ImageFile]:
    from mrbench.data.raster import open_picture, palette_colours, picture_layout, picture_values

    with open_picture(path, where) as image:
        shape, dtype = picture_layout(image, where)
        has_palette = image.mode == "P"
        yield ImageFile(
            (*shape, 3) if has_palette else shape,
            dtype,
            image=lambda: (palette_colours if has_palette else picture_values)(image, where),
            labels=lambda: _grey(picture_values(image, where), where),
            lossy=image.format == "JPEG",
        )


def _grey(values: np.ndarray, where: str) -> np.ndarray:
    if values.ndim == 3 and (values != values[..., :1]).any():
        raise DataError(
            f"{where} is a mask in colours", expected="one channel of labels", hint="save labels as grey or by palette"
        )
    return values if values.ndim == 2 else values[..., 0]


@contextmanager
def _open_nifti(path: Path, where: str) -> Iterator[ImageFile]:
    from mrbench.data.nifti import open_nifti

    with path.open("rb") as stream, open_nifti(stream, where) as file:
        # Values that are scaled come as floats of eight bytes.
        dtype = np.dtype(np.float64) if file.kind == "f" else np.dtype(f"{file.kind}{file.nbytes // prod(file.shape)}")
        yield ImageFile(file.shape, dtype, file.values, file.values, file.spacing, file.directions)


@contextmanager
def _open_npy(path: Path, where: str) -> Iterator[ImageFile]:
    with _reading(where), path.open("rb") as stream:
        shape, column_major, dtype = read_header(stream)
        yield _array(shape, column_major, dtype, stream.read, path.stat().st_size - stream.tell(), where)


@contextmanager
def _open_npz(path: Path, where: str) -> Iterator[ImageFile]:
    with _reading(where), ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) != 1:
            raise DataError(
                f"{where} holds {len(members)} arrays",
                expected="one; a file for each image and mask",
                found=", ".join(member.filename for member in members[:5]),
            )
        with open_member(archive, members[0]) as stream:
            shape, column_major, dtype = read_header(stream)
            yield _array(shape, column_major, dtype, stream.read, members[0].file_size, where)


_OPENED = {".nii": _open_nifti, ".npy": _open_npy, ".npz": _open_npz}


@contextmanager
def _reading(where: str) -> Iterator[None]:
    try:
        yield
    except MrbenchError:
        raise
    except (BadZipFile, ZlibError, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{where} is not a whole NumPy file", found=f"{error}"[:200]) from error


def _array(
    shape: tuple[int, ...], column_major: bool, dtype: np.dtype, read: Callable[[int], bytes], left: int, where: str
) -> ImageFile:
    if dtype.kind not in "biuf":
        raise DataError(f"{where} has a wrong type", expected="integers, floats or booleans", found=str(dtype))
    size = prod(shape) * dtype.itemsize
    if size > left:
        raise DataError(f"{where} declares more than it holds", expected=f"at most {left} bytes", found=f"{size} bytes")

    def values() -> np.ndarray:
        array = np.frombuffer(read(size), dtype).reshape(shape, order="F" if column_major else "C")
        return array.astype(dtype.newbyteorder("="), order="C")

    return ImageFile(shape, dtype, values, values)
