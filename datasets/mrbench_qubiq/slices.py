"""One case read from its NIfTI files, each checked against its own header before memory is taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrbench.data.archive import FREE_BYTES, MAX_RATIO
from mrbench.data.nifti import NiftiFile, open_nifti
from mrbench.errors import DataError
from mrbench_qubiq.listing import CaseFiles


@dataclass(frozen=True, eq=False)
class Slice:
    """One case as stored; rows run along the second axis of its files, columns along the first.

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
        DataError: naming the file: damaged, no slice, not as many channels, values that are not finite, a mask of
            another size than the image or with labels other than 0 and 1.
    """
    with _opened(files.image) as file:
        image = _image(file, channels, files.image)
        spacing = _spacing(file, channels)
    masks = np.zeros((len(files.masks), *image.shape[1:]), np.uint8)
    for rater, path in enumerate(files.masks):
        if path is not None:
            masks[rater] = _mask(path, image.shape[1:])
    return Slice(image, masks, spacing)


@contextmanager
def _opened(path: Path) -> Iterator[NiftiFile]:
    with path.open("rb") as stream, open_nifti(stream, str(path)) as file:
        allowed = max(FREE_BYTES, MAX_RATIO * path.stat().st_size)
        if file.nbytes > allowed:
            raise DataError(
                f"{path} declares more than its size can hold",
                expected=f"at most {allowed} bytes",
                found=f"{file.nbytes} bytes, axes {file.shape[::-1]}",
            )
        yield file


def _image(file: NiftiFile, channels: int, path: Path) -> np.ndarray:
    shape = tuple(length for length in file.shape if length > 1)
    # Collections store channels as the last axis or as the first one; (x, y, c) comes back as (c, y, x).
    channels_first = shape[:1] == (channels,)
    if len(shape) != 2 + (channels > 1) or (channels > 1 and not channels_first and shape[-1] != channels):
        axes = f"(x, y, {channels})" if channels > 1 else "(x, y)"
        raise DataError(f"{path} is no slice", expected=f"axes {axes}", found=str(file.shape[::-1]))
    image = file.values().reshape(shape).astype(np.float32)
    if not np.isfinite(image).all():
        raise DataError(f"{path} has an image that is not finite", expected="finite float32", found="NaN or infinity")
    if channels == 1:
        return image[None]
    return image if channels_first else np.moveaxis(image, -1, 0)


def _mask(path: Path, spatial: tuple[int, ...]) -> np.ndarray:
    with _opened(path) as file:
        shape = tuple(length for length in file.shape if length > 1)
        if shape != spatial:
            raise DataError(
                f"{path} has another size than its image", expected=f"(x, y) = {spatial[::-1]}", found=f"{shape[::-1]}"
            )
        labels = file.values().reshape(shape)
    values = np.unique(labels)
    if not np.isin(values, (0, 1)).all():
        raise DataError(f"{path} has wrong labels", expected="0 and 1", found=str(values[:10].tolist()))
    return labels.astype(np.uint8)


def _spacing(file: NiftiFile, channels: int) -> tuple[float, ...] | None:
    found = file.spacing or ()
    plane = found[:2] if file.shape[0] != channels == file.shape[-1] else found[-2:]
    return plane if len(plane) == 2 and all(0 < mm < float("inf") for mm in plane) else None
