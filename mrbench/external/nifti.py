"""Predictions in NIfTI files. Axes (x, y, z) are (W, H, D): a case's (D, H, W), last axis first.

Axis directions of the affine are not looked at: mrbench does not know them of its cases.
"""

import gzip
from io import BytesIO

import numpy as np

from mrbench.data.nifti import NiftiFile, import_nibabel, open_nifti
from mrbench.errors import DataError
from mrbench.external.values import check_shape

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
    with open_nifti(BytesIO(content), where) as file:
        shape = _shape(file, len(spatial), where)
        labels = file.kind == "f" and classes > 2 and shape == spatial
        check_shape(shape, "i" if labels else file.kind, spatial, classes, where)
        _check_spacing(file, spacing, where)
        values = file.values().reshape(shape)
    return _whole(values, where) if labels else values


def _shape(file: NiftiFile, axes: int, where: str) -> tuple[int, ...]:
    """``(*spatial)`` or ``(K, *spatial)`` of what the file holds; a slice may have a third axis of length one."""
    found = file.shape[::-1]
    if axes == 2 and len(found) > 2:
        if found[2] != 1:
            raise DataError(f"{where} is a volume", expected="a slice (x, y)", found=f"(x, y, z) = {found}")
        found = found[:2] + found[3:]
    return (*found, *(1,) * (axes - len(found)))[::-1]


def _check_spacing(file: NiftiFile, spacing: tuple[float, ...] | None, where: str) -> None:
    if spacing is None or file.spacing is None:
        return
    axes = min(len(spacing), len(file.spacing))
    if not np.allclose(file.spacing[-axes:], spacing[-axes:], rtol=TOLERANCE, atol=0):
        raise DataError(
            f"{where} has another spacing than its case",
            expected=f"{_in_mm(spacing[-axes:])} (x, y, z order: last axis first)",
            found=_in_mm(file.spacing[-axes:]),
            hint="predictions are scored on the case's own grid",
        )


def _in_mm(spacing: tuple[float, ...]) -> str:
    return " x ".join(f"{value:.4g}" for value in spacing[::-1]) + " mm"


def _whole(values: np.ndarray, where: str) -> np.ndarray:
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise DataError(
            f"{where} holds floats without an axis of classes", expected="labels, or probabilities (x, y, z, K)"
        )
    return values.astype(np.int64)


def nifti_bytes(labels: np.ndarray, spacing: tuple[float, ...] | None) -> bytes:
    """A gzipped NIfTI file of ``(H, W)`` or ``(D, H, W)`` uint8 labels, with the spacing in mm in its affine."""
    nibabel = import_nibabel()
    axes = labels.ndim
    zooms = tuple(spacing)[::-1] if spacing else (1.0,) * axes
    image = nibabel.Nifti1Image(np.ascontiguousarray(labels.T), np.diag([*zooms, *(1.0,) * (4 - axes)]))
    image.header.set_xyzt_units("mm" if spacing else "unknown")
    # The same bytes for the same labels: no name and no time in the gzip header.
    return gzip.compress(image.to_bytes(), mtime=0)
