"""Predictions in image files: labels as in every mask, or probabilities, on the grid of their case.

Axes (x, y, z) of NIfTI are (W, H, D): a case's (D, H, W), last axis first, brought to the case's order by the header.
"""

import gzip
from io import BytesIO
from pathlib import Path

import numpy as np

from mrbench.data.geometry import Reordering, check_spacing, onto, same_grid
from mrbench.data.image_file import ImageFile, open_image
from mrbench.data.mask_rules import AS_STORED, MaskRules
from mrbench.data.mask_values import StoredMask, whole_labels
from mrbench.data.nifti import NiftiFile, import_nibabel, open_nifti
from mrbench.data.raster import import_pillow
from mrbench.errors import DataError, UsageError
from mrbench.external.grid import Grid
from mrbench.external.values import check_shape

WHITE, WHITE_16 = 255, 65535


def read_png(content: bytes, grid: Grid, classes: int, where: str, rules: MaskRules = AS_STORED) -> np.ndarray:
    """``(H, W)`` labels (unsigned) or probabilities of the foreground (float32).

    16-bit grey is the probability of the foreground times 65535, where K = 2 alone: with more classes it would name no
    class. All else is labels below K; where K = 2, also 0 and 255. By rules, all are labels.

    Args:
        content: of the file.
        grid: of the case.
        classes: K, background included.
        where: the file and the case, for messages.
        rules: what is said of the values.

    Raises:
        DataError: not a PNG, of another size, or of values that are neither labels nor probabilities.
        UsageError: the case is a volume.
    """
    if len(grid.spatial) != 2:
        raise UsageError(f"{where}: a PNG holds a slice, and the cases are volumes", hint="use NIfTI, npz or HDF5")
    with open_image(Path("a.png"), where, content=content) as file:
        if file.lossy or file.mask_shape != grid.spatial:
            found = "JPEG" if file.lossy else str(file.mask_shape)
            raise DataError(f"{where} is on another grid", expected=f"PNG, (H, W) = {grid.spatial}", found=found)
        if rules:
            return _checked(file.mask(rules).labels, classes, where)
        return _probabilities(file, classes, where) if file.dtype.itemsize > 1 else _labels(file, classes, where)


def _probabilities(file: ImageFile, classes: int, where: str) -> np.ndarray:
    if classes > 2:
        raise DataError(f"{where} has 16 bits", expected=f"8-bit labels below {classes}; probabilities fit npz or HDF5")
    values = file.image()
    if 0 < int(values.max()) < classes:
        raise DataError(f"{where} has 16 bits but looks like labels", expected="labels in 8 bits, or probabilities")
    return values.astype(np.float32) / np.float32(WHITE_16)


def _labels(file: ImageFile, classes: int, where: str) -> np.ndarray:
    read = file.mask()
    labels = read.labels
    if classes == 2 and np.isin(labels, (0, WHITE)).all():
        return labels // WHITE
    if read.colour is not None and classes > 2:
        raise _no_labels(classes, where, "two colours")
    return _checked(labels, classes, where)


def _checked(labels: np.ndarray, classes: int, where: str) -> np.ndarray:
    if labels.max() >= classes:
        raise _no_labels(classes, where, f"values from {labels.min()} to {labels.max()}")
    return labels


def _no_labels(classes: int, where: str, found: str) -> DataError:
    return DataError(
        f"{where} holds no labels",
        expected=f"values from 0 to {classes - 1}" + (", or 0 and 255" if classes == 2 else ""),
        found=found,
        hint="say what the values mean: --labels VALUE=CLASS, --threshold T or --invert; probabilities need 16 bits",
    )


def read_nifti(content: bytes, grid: Grid, classes: int, where: str, rules: MaskRules = AS_STORED) -> np.ndarray:
    """Labels ``(*spatial)``, or probabilities ``(*spatial)`` of the foreground or ``(K, *spatial)``.

    Integers are labels. Floats are probabilities: of the foreground where K = 2, or of all classes along a fourth axis.
    Floats without it where K > 2 can only be labels, and are where all are whole numbers.
    By rules, all are labels, without a fourth axis.

    Args:
        content: of the file, gzipped or not.
        grid, classes, where, rules: as of :func:`read_png`.

    Raises:
        DataError: not NIfTI, on another grid, or cut short.
    """
    with open_nifti(BytesIO(content), where) as file:
        order = _order(file, grid, where)
        shape = _shape(file, len(grid.spatial), where) if order is None else _leading(file) + grid.spatial
        labels = file.kind == "f" and classes > 2 and shape == grid.spatial
        check_shape(shape, "i" if labels or rules else file.kind, grid.spatial, classes, where)
        if order is None:
            check_spacing(grid.spacing, file.spacing, where, "its case")
        values = _ordered(file, order).reshape(shape)
    if rules:
        return _checked(rules.read(StoredMask(values), where).labels, classes, where)
    return _whole(values, where) if labels else values


def _order(file: NiftiFile, grid: Grid, where: str) -> Reordering | None:
    """From the file's axes to the case's; None where it is taken as it lies, since one of them states no directions."""
    if file.geometry is None:
        return None
    if grid.geometry is None:
        return onto(grid.exported, file.geometry)
    return same_grid(grid.geometry, file.geometry, where, "its case")


def _leading(file: NiftiFile) -> tuple[int, ...]:
    return tuple(length for length in file.shape[:-3] if length > 1)


def _ordered(file: NiftiFile, order: Reordering | None) -> np.ndarray:
    values, geometry = file.values(), file.geometry
    if order is None or geometry is None:
        return values
    return np.ascontiguousarray(order.apply(values.reshape(*file.shape[:-3], *geometry.array_shape)))


def _shape(file: NiftiFile, axes: int, where: str) -> tuple[int, ...]:
    """``(*spatial)`` or ``(K, *spatial)`` of what the file holds; a slice may have a third axis of length one."""
    found = file.shape[::-1]
    if axes == 2 and len(found) > 2:
        if found[2] != 1:
            raise DataError(f"{where} is a volume", expected="a slice (x, y)", found=f"(x, y, z) = {found}")
        found = found[:2] + found[3:]
    return (*found, *(1,) * (axes - len(found)))[::-1]


def _whole(values: np.ndarray, where: str) -> np.ndarray:
    try:
        return whole_labels(values, where).labels
    except DataError as error:
        raise DataError(
            f"{where} holds floats without an axis of classes",
            expected="labels, or probabilities (x, y, z, K)",
            found=error.found,
        ) from None


def png_bytes(labels: np.ndarray, classes: int) -> bytes:
    """A PNG of ``(H, W)`` uint8 labels: 0 and 255 where K = 2, so that one sees it, else the labels themselves."""
    file = BytesIO()
    import_pillow().fromarray(labels * WHITE if classes == 2 else labels).save(file, format="PNG")
    return file.getvalue()


def nifti_bytes(labels: np.ndarray, grid: Grid) -> bytes:
    """A gzipped NIfTI file of ``(H, W)`` or ``(D, H, W)`` uint8 labels, with the affine of their grid."""
    image = import_nibabel().Nifti1Image(np.ascontiguousarray(labels.T), grid.exported.affine)
    image.header.set_xyzt_units("unknown" if grid.spacing is None and grid.geometry is None else "mm")
    # The same bytes for the same labels: no name and no time in the gzip header.
    return gzip.compress(image.to_bytes(), mtime=0)
