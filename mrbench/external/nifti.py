"""Predictions in NIfTI files. Axes (x, y, z) are (W, H, D): a case's (D, H, W), last axis first.

The header is read by nibabel; the values are read here, so that a file unpacks to what its case has room for and to
no more. Axis directions of the affine are not looked at: mrbench does not know them of its cases.
"""

import gzip
from io import BytesIO
from typing import IO, Any
from zlib import error as ZlibError  # noqa: N812

import numpy as np

from mrbench.errors import DataError, UsageError
from mrbench.external.values import check_shape

HEADERS = {348: "Nifti1Header", 540: "Nifti2Header"}
"""nibabel's classes by the size of a header in bytes."""

MAX_OFFSET = 2**20
"""Bytes before the values; extensions lie there, which nobody reads."""

MILLIMETRES = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}
TOLERANCE = 0.01
"""How far spacings may differ, relative."""


def read_nifti(
    content: bytes, spatial: tuple[int, ...], spacing: tuple[float, ...] | None, classes: int, where: str
) -> np.ndarray:
    """Labels ``(*spatial)`` (uint8), or probabilities ``(*spatial)`` of the foreground or ``(K, *spatial)``.

    Integers are labels. Floats are probabilities: of the foreground where K = 2, or of all classes along a fourth axis.
    Floats without it where K > 2 can only be labels, and are where all are whole numbers.

    Args:
        content: of the file, gzipped or not.
        spatial: (H, W) or (D, H, W) of the case.
        spacing: mm per axis of ``spatial``, or None where unknown.
        classes: K, background included.
        where: the file and the case, for messages.

    Raises:
        DataError: not NIfTI, another grid or spacing, or cut short.
    """
    damaged = (OSError, EOFError, ValueError, ZlibError, _nibabel().spatialimages.HeaderDataError)
    try:
        return _read(content, spatial, spacing, classes, where)
    except KeyError as error:  # nibabel's tables of codes
        raise DataError(f"{where} is not a whole NIfTI file", found=f"unknown code {error.args[0]}") from error
    except damaged as error:
        raise DataError(f"{where} is not a whole NIfTI file", found=f"{error}"[:200]) from error


def _read(
    content: bytes, spatial: tuple[int, ...], spacing: tuple[float, ...] | None, classes: int, where: str
) -> np.ndarray:
    with _opened(content) as stream:
        header = _header(stream, where)
        shape, kind = _shape(header, len(spatial), where), "f" if _scaling(header) else header.get_data_dtype().kind
        labels = kind == "f" and classes > 2 and shape == spatial
        check_shape(shape, "i" if labels else kind, spatial, classes, where)
        _check_spacing(header, spacing, where)
        values = _values(stream, header, shape, where)
    return _whole(values, where) if labels else values


def _opened(content: bytes) -> IO[bytes]:
    packed = content[:2] == b"\x1f\x8b"
    return gzip.GzipFile(fileobj=BytesIO(content)) if packed else BytesIO(content)  # type: ignore[return-value]


def _header(stream: IO[bytes], where: str) -> Any:
    nibabel = _nibabel()
    raw = stream.read(4)
    size = next((n for n in HEADERS if n in (int.from_bytes(raw, "little"), int.from_bytes(raw, "big"))), 0)
    packed = raw + stream.read(size - len(raw)) if size else raw
    if not size or len(packed) < size:
        raise DataError(f"{where} is not a NIfTI file", expected=".nii or .nii.gz, header and values in one file")
    header = getattr(nibabel, HEADERS[size])(packed, check=False)  # a check would mend and print
    offset = float(header["vox_offset"])
    if not bytes(header["magic"]).startswith((b"n+1", b"n+2")) or not size <= offset <= MAX_OFFSET:
        raise DataError(
            f"{where} has a damaged header",
            expected=f"header and values in one file, the values after {size} to {MAX_OFFSET} bytes",
            found=f"magic {bytes(header['magic'])!r}, values after {offset:g} bytes",
        )
    stream.seek(int(offset))
    return header


def _shape(header: Any, axes: int, where: str) -> tuple[int, ...]:
    """``(*spatial)`` or ``(K, *spatial)`` of what the file holds; a slice may have a third axis of length one."""
    found = tuple(map(int, header.get_data_shape()))
    if header.get_data_dtype().kind not in "iuf":
        raise DataError(f"{where} has a wrong type", expected="integers or floats", found=str(header.get_data_dtype()))
    if axes == 2 and len(found) > 2:
        if found[2] != 1:
            raise DataError(f"{where} is a volume", expected="a slice (x, y)", found=f"(x, y, z) = {found}")
        found = found[:2] + found[3:]
    return (*found, *(1,) * (axes - len(found)))[::-1]


def _check_spacing(header: Any, spacing: tuple[float, ...] | None, where: str) -> None:
    unit = header.get_xyzt_units()[0]
    zooms = np.array(header.get_zooms()[: len(spacing or ())], float)[::-1]
    spacing = spacing[-len(zooms) :] if spacing else None
    unknown = unit == "unknown" and bool((zooms == 1).all())  # what many programs write who do not know it
    if spacing is None or unknown:
        return
    found = zooms * MILLIMETRES[unit]
    if not np.allclose(found, spacing, rtol=TOLERANCE, atol=0):
        raise DataError(
            f"{where} has another spacing than its case",
            expected=f"{_in_mm(spacing)} (x, y, z order: last axis first)",
            found=_in_mm(found),
            hint="predictions are scored on the case's own grid",
        )


def _in_mm(spacing: Any) -> str:
    return " x ".join(f"{value:.4g}" for value in tuple(spacing)[::-1]) + " mm"


def _values(stream: IO[bytes], header: Any, shape: tuple[int, ...], where: str) -> np.ndarray:
    dtype = header.get_data_dtype()
    size = int(np.prod(shape)) * dtype.itemsize
    raw = stream.read(size)
    if len(raw) < size:
        raise DataError(f"{where} is cut short", expected=f"{size} bytes of values", found=f"{len(raw)}")
    values = np.frombuffer(raw, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    if (scaling := _scaling(header)) is None:
        return values
    return values.astype(np.float64) * scaling[0] + scaling[1]


def _scaling(header: Any) -> tuple[float, float] | None:
    slope, intercept = header.get_slope_inter()
    return None if slope in (None, 1) and not intercept else (slope, intercept)


def _whole(values: np.ndarray, where: str) -> np.ndarray:
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise DataError(
            f"{where} holds floats without an axis of classes", expected="labels, or probabilities (x, y, z, K)"
        )
    return values.astype(np.int64)


def nifti_bytes(labels: np.ndarray, spacing: tuple[float, ...] | None) -> bytes:
    """A gzipped NIfTI file of ``(H, W)`` or ``(D, H, W)`` uint8 labels, with the spacing in mm in its affine."""
    nibabel = _nibabel()
    axes = labels.ndim
    zooms = tuple(spacing)[::-1] if spacing else (1.0,) * axes
    image = nibabel.Nifti1Image(np.ascontiguousarray(labels.T), np.diag([*zooms, *(1.0,) * (4 - axes)]))
    image.header.set_xyzt_units("mm" if spacing else "unknown")
    # The same bytes for the same labels: no name and no time in the gzip header.
    return gzip.compress(image.to_bytes(), mtime=0)


def _nibabel() -> Any:
    try:
        import nibabel
        import nibabel.nifti2
    except ImportError:
        raise UsageError("NIfTI files need nibabel", hint="pip install 'mrbench[nifti]'") from None
    return nibabel
