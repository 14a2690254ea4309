"""Predictions in PNG files: labels, or probabilities in 16 bits."""

from io import BytesIO
from typing import Any

import numpy as np

from mrbench.data.raster import import_pillow, open_picture
from mrbench.errors import DataError, UsageError

LABELS = ("1", "L", "P")
"""Pillow's names of the modes that hold labels: bits, 8-bit grey, indices into a palette."""

PROBABILITIES = ("I;16", "I;16B", "I;16N", "I")
"""And of 16-bit grey."""

WHITE = 255


def read_png(content: bytes, spatial: tuple[int, ...], classes: int, where: str) -> np.ndarray:
    """``(H, W)`` labels (uint8) or probabilities of the foreground (float32).

    8-bit images and those with a palette are labels below K; where K = 2, also 0 and 255. 16-bit images are
    probabilities of the foreground times 65535, where K = 2 alone: with more classes they would name no class.

    Args:
        content: of the file.
        spatial: (H, W) of the case.
        classes: K, background included.
        where: the file and the case, for messages.

    Raises:
        DataError: not a PNG, of another size, or of values that are neither labels nor probabilities.
        UsageError: the case is a volume.
    """
    if len(spatial) != 2:
        raise UsageError(f"{where}: a PNG holds a slice, and the cases are volumes", hint="use NIfTI, npz or HDF5")
    mode, values = _decoded(content, spatial, where)
    if mode in LABELS:
        return _labels(values, classes, where)
    if classes > 2:
        raise DataError(f"{where} has 16 bits", expected=f"8-bit labels below {classes}; probabilities fit npz or HDF5")
    if 0 < int(values.max()) < classes:
        raise DataError(f"{where} has 16 bits but looks like labels", expected="labels in 8 bits, or probabilities")
    return values.astype(np.float32) / np.float32(65535)


def _decoded(content: bytes, spatial: tuple[int, ...], where: str) -> tuple[str, np.ndarray]:
    with open_picture(BytesIO(content), where, ["PNG"]) as image:
        _check_header(image, spatial, where)
        return image.mode, np.asarray(image)


def _check_header(image: Any, spatial: tuple[int, ...], where: str) -> None:
    if image.mode not in LABELS + PROBABILITIES:
        raise DataError(f"{where} is a colour image", expected="one channel: labels, or 16-bit grey", found=image.mode)
    if image.size[::-1] != spatial:
        raise DataError(f"{where} is on another grid", expected=f"(H, W) = {spatial}", found=f"{image.size[::-1]}")


def _labels(values: np.ndarray, classes: int, where: str) -> np.ndarray:
    labels = values.astype(np.uint8)
    if classes == 2 and np.isin(labels, (0, WHITE)).all():
        return labels // WHITE
    if labels.max() >= classes:
        raise DataError(
            f"{where} holds no labels",
            expected=f"values from 0 to {classes - 1}" + (", or 0 and 255" if classes == 2 else ""),
            found=f"values from {labels.min()} to {labels.max()}",
            hint="probabilities need 16 bits",
        )
    return labels


def png_bytes(labels: np.ndarray, classes: int) -> bytes:
    """A PNG of ``(H, W)`` uint8 labels: 0 and 255 where K = 2, so that one sees it, else the labels themselves."""
    file = BytesIO()
    import_pillow().fromarray(labels * WHITE if classes == 2 else labels).save(file, format="PNG")
    return file.getvalue()
