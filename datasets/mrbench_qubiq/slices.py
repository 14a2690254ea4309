"""One case read from its NIfTI files: the rules and the grid of every import, and the challenge's own labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrbench.data.frame import Frame, frame_of
from mrbench.data.image_file import ImageFile, open_image
from mrbench.errors import DataError
from mrbench_qubiq.listing import CaseFiles


@dataclass(frozen=True, eq=False)
class Slice:
    """One case as stored; rows run along the second axis of files whose header turns nothing, columns along the first.

    Attributes:
        image: ``(C, H, W)`` float32.
        masks: ``(R, H, W)`` uint8 of 0 and 1; zero where a rater has no file.
        spacing: mm along H and W, or None where the header does not know.
    """

    image: np.ndarray
    masks: np.ndarray
    spacing: tuple[float, ...] | None


def read_slice(files: CaseFiles, channels: int) -> Slice:
    """Reads and checks the files of one case.

    Raises:
        DataError: naming the file: damaged, no slice, not as many channels, values that are not finite, a mask that
            lies elsewhere than the image or with labels other than 0 and 1.
    """
    path = files.image
    first = next(mask for mask in files.masks if mask is not None)
    with open_image(path, str(path)) as file:
        with open_image(first, str(first)) as header:
            frame = frame_of(file, [header], str(path), str(first))
        image = _image(file, frame, channels, path)
    masks = np.zeros((len(files.masks), *frame.spatial), np.uint8)
    for rater, own in enumerate(files.masks):
        if own is not None:
            masks[rater] = _mask(own, frame)
    plane = (frame.spacing or ())[-2:]
    known = len(plane) == 2 and all(0 < mm < float("inf") for mm in plane)
    return Slice(image, masks, plane if known else None)


def _image(file: ImageFile, frame: Frame, channels: int, path: Path) -> np.ndarray:
    if len(frame.spatial) != 2 or frame.n_channels(file.shape) != channels:
        axes = f"(x, y, {channels})" if channels > 1 else "(x, y)"
        raise DataError(f"{path} is no slice", expected=f"axes {axes}", found=str(file.shape[::-1]))
    image = frame.image(file.image()).astype(np.float32)
    if not np.isfinite(image).all():
        raise DataError(f"{path} has an image that is not finite", expected="finite float32", found="NaN or infinity")
    return image


def _mask(path: Path, frame: Frame) -> np.ndarray:
    with open_image(path, str(path)) as file:
        labels = frame.mask(file.mask().labels, file, str(path))
    if labels.max() > 1:
        raise DataError(f"{path} has wrong labels", expected="0 and 1", found=str(np.unique(labels)[:10].tolist()))
    return labels.astype(np.uint8)
