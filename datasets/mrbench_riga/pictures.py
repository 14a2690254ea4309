"""One case read from its pictures: the photograph resized by area, the masks by nearest neighbour alone."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.errors import DataError, MrbenchError, UsageError
from mrbench_riga.listing import CaseFiles

FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
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
    pillow = _pillow()
    with _opened(files.image) as picture:
        native = picture.size[::-1]
        if picture.mode not in ("RGB", "RGBA"):
            raise DataError(f"{files.image} is no colour photograph", expected="RGB", found=picture.mode)
        # Averages what falls on each pixel; where a crop is smaller than that, pixels are repeated.
        image = np.asarray(picture.convert("RGB").resize((size, size), pillow.Resampling.BOX))
    masks = np.zeros((len(files.masks), size, size), np.uint8)
    for rater, path in enumerate(files.masks):
        if path is not None:
            labels = pillow.fromarray(_labels(path, native))
            masks[rater] = np.asarray(labels.resize((size, size), pillow.Resampling.NEAREST))
    return Crop(image.transpose(2, 0, 1).copy(), masks, native)


def _labels(path: Path, native: tuple[int, int]) -> np.ndarray:
    """``(H, W)`` classes of a mask: the cup lies in the disc, so that what is not 0 is disc and what is 255 is cup."""
    with _opened(path) as picture:
        if picture.size[::-1] != native:
            raise DataError(
                f"{path} has another size than its image", expected=f"(H, W) = {native}", found=f"{picture.size[::-1]}"
            )
        if picture.mode not in ("1", "L", "RGB"):
            raise DataError(f"{path} is no grey picture", expected="8 bits of grey", found=picture.mode)
        grey = np.asarray(picture.convert("L"))
        coloured = picture.mode == "RGB" and bool(np.ptp(np.asarray(picture), axis=2).any())
    values = np.unique(grey)
    if coloured or len(set(values.tolist()) - {0, WHITE}) > 1:
        raise DataError(
            f"{path} has wrong labels",
            expected="0 outside, one grey for the rim of the disc, 255 for the cup",
            found="colours" if coloured else str(values[:10].tolist()),
        )
    return np.where(grey == WHITE, CUP, np.where(grey > 0, RIM, 0)).astype(np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    pillow = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow warns of pictures that unpack to very much
            with pillow.open(path, formats=FORMATS) as picture:
                if max(picture.size) > MAX_SIDE:
                    raise DataError(
                        f"{path} is too large", expected=f"<= {MAX_SIDE} x {MAX_SIDE} pixels", found=f"{picture.size}"
                    )
                yield picture
    except MrbenchError:
        raise
    except pillow.UnidentifiedImageError:
        raise DataError(f"{path} is not a picture", expected=", ".join(FORMATS), found="another format") from None
    except Exception as error:  # its decoders raise what they like on damaged files
        raise DataError(f"{path} is not a whole picture", found=f"{error}"[:200]) from error


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise UsageError("pictures need Pillow", hint="pip install 'mrbench[pictures]'") from None
    return Image
