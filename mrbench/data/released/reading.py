"""One case of a release: its files on one grid, values as classes, a picture reduced where that is asked for."""

from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np

from mrbench.data.case import Case
from mrbench.data.frame import Frame, frame_of
from mrbench.data.geometry import AFFINE, same_grid
from mrbench.data.image_file import ImageFile, open_image
from mrbench.data.importing.stacks import BYTES_PER_LABEL
from mrbench.data.raster import import_pillow
from mrbench.data.released.case_files import CaseFiles
from mrbench.data.released.labels import Labels
from mrbench.data.stored_image import stored_image
from mrbench.errors import DataError


def frame_of_files(image: Path, mask: Path, axes: int) -> Frame:
    """The grid of an image and one of its masks, from their headers alone.

    Raises:
        DataError: damaged, of two sizes, or not of as many axes; names the file.
    """
    with (
        open_image(image, str(image)) as file,
        open_image(mask, str(mask), allowed=BYTES_PER_LABEL * prod(file.shape)) as header,
    ):
        frame = frame_of(file, [header], str(image), str(mask))
    if len(frame.spatial) != axes:
        raise DataError(
            f"{image} is no {'slice' if axes == 2 else 'volume'}", expected=f"{axes} axes", found=str(frame.spatial)
        )
    return frame


def read_case(
    files: CaseFiles, labels: Labels, channels: int, axes: int, *, longest: int = 0, bare: Sequence[Path] = ()
) -> Case:
    """Reads and checks the files of one case.

    Args:
        files: of the case.
        labels: what the values of masks stand for.
        channels: C.
        axes: 2 for slices, 3 for volumes.
        longest: pixels along the longer side that a larger picture is reduced to, by area, and its masks by nearest
            neighbour; 0: none is.
        bare: masks whose header is known to be wrong: they are taken as they lie.

    Raises:
        DataError: naming the file: damaged, not as many channels, channels or masks that lie elsewhere than the
            image or have another size, values that are not finite or stand for no class.
        UsageError: the package that reads the format is not installed.
    """
    frames = [frame_of_files(path, files.first_mask, axes) for path in files.images]
    image = np.concatenate([_channels(*pair) for pair in zip(files.images, frames, strict=True)])
    _check_channels(files, frames, len(image), channels)
    spatial = frames[0].spatial
    masks = np.zeros((len(files.masks), *spatial), np.uint8)
    for rater, path in enumerate(files.masks):
        if path is not None:
            masks[rater] = _mask(path, frames[0], labels, path in bare)
    if longest:
        image, masks = _reduced(image, masks, longest)
    return Case(
        id=files.id,
        subject=files.subject,
        image=image,
        masks=masks,
        present=np.array([path is not None for path in files.masks]),
        spacing=None if longest else frames[0].spacing,
        metadata={"native_shape": list(spatial), **_affine(frames[0])},
    )


def reduced_shape(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """(H, W) of a picture that is reduced; one that is small enough keeps its size."""
    height, width = shape[-2:]
    if not longest or max(height, width) <= longest:
        return height, width
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _channels(path: Path, frame: Frame) -> np.ndarray:
    with open_image(path, str(path)) as file:
        return stored_image(file, frame, path)


def _check_channels(files: CaseFiles, frames: Sequence[Frame], found: int, expected: int) -> None:
    if found != expected:
        raise DataError(f"{files.images[0]} has other channels", expected=f"{expected}", found=f"{found}")
    first = frames[0]
    for path, frame in zip(files.images[1:], frames[1:], strict=True):
        if first.geometry is not None and frame.geometry is not None:
            same_grid(first.geometry, frame.geometry, str(path), str(files.images[0]))


def _mask(path: Path, frame: Frame, labels: Labels, bare: bool) -> np.ndarray:
    with open_image(path, str(path), allowed=BYTES_PER_LABEL * prod(frame.lies)) as file:
        values = frame.mask(file.mask().labels, _Bare(file) if bare else file, str(path))
        return labels(values, file, str(path))


class _Bare:
    """A file whose header says nothing of where it lies."""

    geometry, spacing = None, None

    def __init__(self, file: ImageFile) -> None:
        self.shape, self.mask_shape = file.shape, file.mask_shape


def _reduced(image: np.ndarray, masks: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    height, width = shape = reduced_shape(image.shape, longest)
    if shape == image.shape[-2:]:
        return image, masks
    pillow = import_pillow()

    def each(planes: np.ndarray, how: int) -> np.ndarray:
        resized = (pillow.fromarray(np.ascontiguousarray(plane)).resize((width, height), how) for plane in planes)
        return np.stack([np.asarray(plane) for plane in resized])

    return each(image, pillow.Resampling.BOX), each(masks, pillow.Resampling.NEAREST)


def _affine(frame: Frame) -> dict[str, list[list[float]]]:
    geometry = frame.geometry
    return {} if geometry is None or geometry.bare else {AFFINE: geometry.affine.tolist()}
