"""One case read from its pictures: the photograph resized by area, the masks by nearest neighbour alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrbench.data.image_file import ImageFile, open_image
from mrbench.data.raster import import_pillow
from mrbench.errors import DataError
from mrbench_riga.listing import CaseFiles

MAX_SIDE = 4096
RIM, CUP = 1, 2
WHITE = 255


@dataclass(frozen=True, eq=False)
class Crop:
    """One case.

    Attributes:
        image: ``(3, H, W)`` uint8, H = W.
        masks: ``(6, H, W)`` uint8: 0 background, 1 rim of the disc, 2 cup; zero where a rater is absent.
        native: (H, W) of the files.
    """

    image: np.ndarray
    masks: np.ndarray
    native: tuple[int, int]


def read_crop(files: CaseFiles, size: int) -> Crop:
    """Reads and checks the files of one case.

    Raises:
        DataError: naming the file: damaged, too large, no colour photograph, a mask of another size than the image or
            of other values than 0, one grey and 255.
        UsageError: Pillow is not installed.
    """
    pillow = import_pillow()
    with _opened(files.image) as file:
        native = file.shape[:2]
        if len(file.shape) != 3:
            raise DataError(f"{files.image} is no colour photograph", expected="RGB", found="one channel")
        # Averages what falls on each pixel; where a crop is smaller than that, pixels are repeated.
        image = np.asarray(pillow.fromarray(file.image()).resize((size, size), pillow.Resampling.BOX))
    masks = np.zeros((len(files.masks), size, size), np.uint8)
    for rater, path in enumerate(files.masks):
        if path is not None:
            labels = pillow.fromarray(_labels(path, native))
            masks[rater] = np.asarray(labels.resize((size, size), pillow.Resampling.NEAREST))
    return Crop(image.transpose(2, 0, 1).copy(), masks, (native[0], native[1]))


def _labels(path: Path, native: tuple[int, ...]) -> np.ndarray:
    """``(H, W)`` classes of a mask: the cup lies in the disc, so that what is not 0 is disc and what is 255 is cup."""
    with _opened(path) as file:
        if file.mask_shape != native:
            raise DataError(
                f"{path} has another size than its image", expected=f"(H, W) = {native}", found=f"{file.mask_shape}"
            )
        labels = file.mask().labels * (WHITE if file.dtype.kind == "b" else 1)
    values = np.unique(labels)
    if len(set(values.tolist()) - {0, WHITE}) > 1:
        raise DataError(
            f"{path} has wrong labels",
            expected="0 outside, one grey for the rim of the disc, 255 for the cup",
            found=str(values[:10].tolist()),
        )
    return np.where(labels == WHITE, CUP, np.where(labels > 0, RIM, 0)).astype(np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile]:
    with open_image(path, str(path)) as file:
        if max(file.shape[:2]) > MAX_SIDE:
            raise DataError(
                f"{path} is too large", expected=f"<= {MAX_SIDE} x {MAX_SIDE} pixels", found=f"{file.shape[:2]}"
            )
        yield file
