"""NIfTI files from strangers: what the header declares is known before a value is read.

The header is read by nibabel; the values are read here, so that a file unpacks to what its header declares and to no
more. Axes (x, y, z, ...) come back last axis first, as they lie: (..., D, H, W); ``geometry`` says where they lie.
"""

import gzip
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from zlib import error as ZlibError  # noqa: N812

import numpy as np

from mrbench.data.geometry import Geometry, is_affine
from mrbench.errors import DataError, UsageError

HEADERS = {348: "Nifti1Header", 540: "Nifti2Header"}
"""nibabel's classes by the size of a header in bytes."""

MAX_OFFSET = 2**20
"""Bytes before the values; extensions lie there, which nobody reads."""

MILLIMETRES = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}


@dataclass(frozen=True, eq=False)
class NiftiFile:
    """A file whose header has been read and checked.

    Attributes:
        shape: lengths of the axes, last axis first: ``(..., D, H, W)``.
        kind: NumPy's letter of the values' type: ``f`` also where integers are scaled.
        spacing: mm along the last three axes of ``shape`` (two where it has two); None where the header does not know.
    """

    shape: tuple[int, ...]
    kind: str
    spacing: tuple[float, ...] | None
    _stream: IO[bytes]
    _header: Any
    _where: str

    @property
    def nbytes(self) -> int:
        """Bytes that the values take, as declared."""
        return math.prod(self.shape) * int(self._header.get_data_dtype().itemsize)

    @property
    def geometry(self) -> Geometry | None:
        """Where its voxels lie; None where the header does not say."""
        if not int(self._header["sform_code"]) and not int(self._header["qform_code"]):
            return None
        affine, unit = self._header.get_best_affine(), self._header.get_xyzt_units()[0]
        width, height, depth = (*self.shape[::-1], 1, 1)[:3]
        bare = unit == "unknown" and np.array_equal(affine, np.eye(4))
        affine = np.vstack([affine[:3] * MILLIMETRES[unit], affine[3:]])
        return Geometry(affine, (width, height, depth), bare) if is_affine(affine) else None

    def values(self) -> np.ndarray:
        """The values, of ``shape``; whoever asks has decided that ``nbytes`` are not too many.

        Raises:
            DataError: cut short.
        """
        dtype = self._header.get_data_dtype()
        raw = self._stream.read(self.nbytes)
        if len(raw) < self.nbytes:
            raise DataError(
                f"{self._where} is cut short", expected=f"{self.nbytes} bytes of values", found=f"{len(raw)}"
            )
        values = np.frombuffer(raw, dtype).reshape(self.shape).astype(dtype.newbyteorder("="))
        if (scaling := _scaling(self._header)) is None:
            return values
        scaled = values.astype(np.float64)
        scaled *= scaling[0]  # in place: a scan takes eight bytes per voxel here
        scaled += scaling[1]
        return scaled


@contextmanager
def open_nifti(stream: IO[bytes], where: str) -> Iterator[NiftiFile]:
    """The file in a stream, gzipped or not; faults while it is read become errors that name it.

    Args:
        stream: at the file's beginning; it can be sought.
        where: the file, and the case where there is one, for messages.

    Raises:
        DataError: not NIfTI, damaged, or values that are neither integers nor floats.
        UsageError: nibabel is not installed.
    """
    damaged = (OSError, EOFError, ValueError, ZlibError, import_nibabel().spatialimages.HeaderDataError)
    try:
        yield _opened(_unpacked(stream), where)
    except KeyError as error:  # nibabel's tables of codes
        raise DataError(f"{where} is not a whole NIfTI file", found=f"unknown code {error.args[0]}") from error
    except damaged as error:
        raise DataError(f"{where} is not a whole NIfTI file", found=f"{error}"[:200]) from error


def import_nibabel() -> Any:
    """nibabel.

    Raises:
        UsageError: it is not installed; says what installs it.
    """
    try:
        import nibabel
        import nibabel.nifti2
    except ImportError:
        raise UsageError("NIfTI files need nibabel", hint="pip install 'mrbench[nifti]'") from None
    return nibabel


def _unpacked(stream: IO[bytes]) -> IO[bytes]:
    packed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    return gzip.GzipFile(fileobj=stream) if packed else stream  # type: ignore[return-value]


def _opened(stream: IO[bytes], where: str) -> NiftiFile:
    header = _header(stream, where)
    kind = header.get_data_dtype().kind
    if kind not in "iuf":
        raise DataError(f"{where} has a wrong type", expected="integers or floats", found=str(header.get_data_dtype()))
    shape = tuple(map(int, header.get_data_shape()))[::-1]
    if not shape or min(shape) < 1:
        raise DataError(f"{where} has a damaged header", expected="axes of at least one value", found=str(shape[::-1]))
    return NiftiFile(shape, "f" if _scaling(header) else kind, _spacing(header), stream, header, where)


def _header(stream: IO[bytes], where: str) -> Any:
    raw = stream.read(4)
    size = next((n for n in HEADERS if n in (int.from_bytes(raw, "little"), int.from_bytes(raw, "big"))), 0)
    packed = raw + stream.read(size - len(raw)) if size else raw
    if not size or len(packed) < size:
        raise DataError(f"{where} is not a NIfTI file", expected=".nii or .nii.gz, header and values in one file")
    header = getattr(import_nibabel(), HEADERS[size])(packed, check=False)  # a check would mend and print
    offset = float(header["vox_offset"])
    if not bytes(header["magic"]).startswith((b"n+1", b"n+2")) or not size <= offset <= MAX_OFFSET:
        raise DataError(
            f"{where} has a damaged header",
            expected=f"header and values in one file, the values after {size} to {MAX_OFFSET} bytes",
            found=f"magic {bytes(header['magic'])!r}, values after {offset:g} bytes",
        )
    stream.seek(int(offset))
    return header


def _spacing(header: Any) -> tuple[float, ...] | None:
    unit = header.get_xyzt_units()[0]
    zooms = np.array(header.get_zooms()[:3], float)[::-1]
    if unit == "unknown" and bool((zooms == 1).all()):  # what many programs write who do not know it
        return None
    return tuple((zooms * MILLIMETRES[unit]).tolist())


def _scaling(header: Any) -> tuple[float, float] | None:
    slope, intercept = header.get_slope_inter()
    return None if slope in (None, 1) and not intercept else (slope, intercept)
