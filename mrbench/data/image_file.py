"""One image or mask in a file of its own, whatever the format; its header is checked before memory is taken."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from gzip import GzipFile
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812

import numpy as np

from mrbench.data.archive import FREE_BYTES, MAX_RATIO, Bounded, open_member, read_header
from mrbench.data.geometry import Geometry
from mrbench.data.hdf5 import MAX_ARRAY_BYTES
from mrbench.data.mask_rules import AS_STORED, MaskRules
from mrbench.data.mask_values import MaskValues, StoredMask
from mrbench.errors import DataError, MrbenchError

PACKED = (".ppm.gz", ".pgm.gz")
"""Endings of pictures that come gzipped."""


@dataclass(frozen=True, eq=False)
class ImageFile:
    """A file whose header has been read and checked.

    Attributes:
        shape: of the image: ``(H, W)`` or ``(H, W, 3)`` of a picture; last axis first, ``(..., D, H, W)``, of a NIfTI
            file; as stored of a NumPy file.
        dtype: of the values.
        image: unpacks the image; a palette becomes colours.
        stored: unpacks a mask before anything is made of its values.
        where: the file, for messages.
        spacing: mm along D, H, W or H, W, or None where the file does not know.
        geometry: where the voxels lie, of a NIfTI file whose header says it.
        lossy: does the format keep no labels?
        ratio: bytes that it may unpack to per byte of the file.
        colours: are the last axis of its shape colours, which a mask has not?
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    image: Callable[[], np.ndarray]
    stored: Callable[[], StoredMask]
    where: str
    spacing: tuple[float, ...] | None = None
    geometry: Geometry | None = None
    lossy: bool = False
    ratio: int = MAX_RATIO
    colours: bool = False

    @property
    def mask_shape(self) -> tuple[int, ...]:
        """Of the labels that :attr:`mask` unpacks."""
        return self.shape[:-1] if self.colours else self.shape

    def mask(self, rules: MaskRules = AS_STORED) -> MaskValues:
        """Unpacks a mask: labels by :mod:`mrbench.data.mask_values`, or as somebody says.

        Raises:
            DataError: damaged, or values that are no labels.
        """
        return rules.read(self.stored(), self.where)


@dataclass(frozen=True)
class _Source:
    """The bytes of a file: on disk, or read already."""

    path: Path
    where: str
    content: bytes | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.content is None else len(self.content)

    def open(self) -> IO[bytes]:
        return self.path.open("rb") if self.content is None else BytesIO(self.content)


@contextmanager
def open_image(
    path: Path, where: str, *, allowed: int = FREE_BYTES, content: bytes | None = None
) -> Iterator[ImageFile]:
    """A PNG, TIFF, JPEG, GIF, PPM, NIfTI (these two gzipped or not), npy or npz file, by its ending.

    An npz file holds one array.

    Args:
        path: the file.
        where: the same for messages.
        allowed: bytes that it may unpack to, however small it is packed.
        content: of the file, where it was read already.

    Raises:
        DataError: another format, damaged, values that are no numbers, or more of them than the file can account for.
        UsageError: the package that reads the format is not installed.
    """
    source = _Source(path, where, content)
    if path.name.lower().endswith(PACKED):
        source = replace(source, content=_unpacked(source, max(allowed, FREE_BYTES, MAX_RATIO * source.size)))
    with _OPENED.get(_ending(path), _open_picture)(source) as file:
        _check_size(file, where, max(allowed, FREE_BYTES, file.ratio * source.size))
        yield file


def _ending(path: Path) -> str:
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix if name.endswith((".nii.gz", *PACKED)) else path.suffix.lower()


def _unpacked(source: _Source, allowed: int) -> bytes:
    """The content of a gzipped file, where that is no more than ``allowed`` bytes."""
    try:
        with source.open() as stream, GzipFile(fileobj=stream) as packed:
            return Bounded(packed, allowed).readall()
    except (OSError, EOFError, ValueError, ZlibError) as error:
        raise DataError(f"{source.where} is not a whole gzipped file", found=f"{error}"[:200]) from error


def _check_size(file: ImageFile, where: str, allowed: int) -> None:
    size = prod(file.shape) * file.dtype.itemsize
    if not file.shape or 0 in file.shape:
        raise DataError(f"{where} is empty", expected="at least one pixel", found=f"axes {file.shape}")
    if size > allowed:
        raise DataError(
            f"{where} declares more than its size can hold",
            expected=f"at most {allowed} bytes",
            found=f"{size} bytes, axes {file.shape}",
        )
    if size > MAX_ARRAY_BYTES:
        raise DataError(
            f"{where} is too large",
            expected=f"at most {MAX_ARRAY_BYTES:,} bytes",
            found=f"{size:,} bytes, axes {file.shape}",
        )


@contextmanager
def _open_picture(source: _Source) -> Iterator[ImageFile]:
    from mrbench.data import raster

    where = source.where
    formats = raster.BY_ENDING.get(_ending(source.path), raster.FORMATS)
    with source.open() as stream, raster.open_picture(stream, where, formats) as image:
        shape, dtype = raster.picture_layout(image, where)
        has_palette, has_colours = image.mode == "P", len(shape) == 3

        def stored() -> StoredMask:
            values = raster.picture_values(image, where)
            return StoredMask(values, raster.palette(image) if has_palette else None, has_colours)

        yield ImageFile(
            (*shape, 3) if has_palette else shape,
            dtype,
            image=lambda: (raster.palette_colours if has_palette else raster.picture_values)(image, where),
            stored=stored,
            where=where,
            lossy=image.format == "JPEG",
            ratio=raster.MAX_RATIO,
            colours=has_palette or has_colours,
        )


@contextmanager
def _open_nifti(source: _Source) -> Iterator[ImageFile]:
    from mrbench.data.nifti import open_nifti

    with source.open() as stream, open_nifti(stream, source.where) as file:
        # Values that are scaled come as floats of eight bytes.
        dtype = np.dtype(np.float64) if file.kind == "f" else np.dtype(f"{file.kind}{file.nbytes // prod(file.shape)}")
        yield _image_file(file.shape, dtype, file.values, source.where, file.spacing, file.geometry)


@contextmanager
def _open_npy(source: _Source) -> Iterator[ImageFile]:
    with _reading(source.where), source.open() as stream:
        shape, column_major, dtype = read_header(stream)
        yield _array(shape, column_major, dtype, stream.read, source.size - stream.tell(), source.where)


@contextmanager
def _open_npz(source: _Source) -> Iterator[ImageFile]:
    where = source.where
    with _reading(where), source.open() as packed, ZipFile(packed) as archive:
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


def _image_file(
    shape: tuple[int, ...],
    dtype: np.dtype,
    values: Callable[[], np.ndarray],
    where: str,
    spacing: tuple[float, ...] | None = None,
    geometry: Geometry | None = None,
) -> ImageFile:
    return ImageFile(shape, dtype, values, lambda: StoredMask(values()), where, spacing, geometry)


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

    return _image_file(shape, dtype, values, where)
