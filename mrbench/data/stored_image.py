"""An image from its file as a data set stores it: channels in front, finite values, no wide types."""

from pathlib import Path

import numpy as np

from mrbench.data.frame import Frame
from mrbench.data.image_file import ImageFile
from mrbench.errors import DataError


def stored_image(file: ImageFile, frame: Frame, path: Path) -> np.ndarray:
    """``(C, *spatial)`` of an image's file on its frame: bits as bytes, numbers of eight bytes as those of four.

    Raises:
        DataError: values that are not finite; names the file.
    """
    stored = frame.image(file.image())
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        raise DataError(
            f"{path} is an image with values that are not finite",
            expected="finite numbers",
            found=f"{np.count_nonzero(~np.isfinite(stored))} NaN or infinite",
        )
    if stored.dtype.kind == "b":
        return stored.astype(np.uint8) * np.uint8(255)
    return stored.astype(np.float32) if stored.dtype.itemsize == 8 else stored
