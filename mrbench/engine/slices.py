"""Training slices: held in memory as stored (bytes where they are bytes), normalised batch by batch on the device.

Those of a large container stay in their file.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from mrbench.data.caseset import CaseSet, Pixels
from mrbench.data.container import StreamedPixels
from mrbench.engine.void import names_valid
from mrbench.errors import DataError, PluginError, UsageError
from mrbench.interfaces.method import Batch

MEMORY_MIB = 2048
"""Of training slices, and as much of validation slices, that are held in memory."""

VARIABLE = "MRBENCH_MEMORY_MIB"

Fuse = Callable[..., np.ndarray]
"""``(N, R, H, W)`` masks and ``(N, R)`` presence to ``(N, H, W)`` labels, each of one slice alone: ``Stage.fuse``."""


@dataclass(frozen=True, eq=False)
class Slices:
    """2-D slices of some cases; a volume gives all its slices.

    Attributes:
        image: ``(N, C, H, W)``, bytes where the data set is normalised as ``byte``, else normalised float32.
        masks: ``(N, R, H, W)`` uint8; absent raters' rows carry no meaning, and are zero in a batch.
        present: ``(N, R)`` bool.
        scale: what a stored value is divided by.
        valid: ``(N, H, W)`` bool, the pixels that count; None: all.
    """

    image: Tensor
    masks: Tensor
    present: Tensor
    scale: float
    valid: Tensor | None = None

    def __len__(self) -> int:
        return len(self.image)

    def batch(self, indices: Tensor, device: torch.device) -> Batch:
        """The slices at ``indices`` ``(B,)``, on the device."""
        image = self.image.index_select(0, indices).to(device).float() / self.scale
        present = self.present.index_select(0, indices).to(device)
        masks = self.masks.index_select(0, indices).to(device) * present[:, :, None, None]
        if self.valid is None:
            valid = torch.ones(len(image), *image.shape[2:], dtype=torch.bool, device=device)
        else:
            valid = self.valid.index_select(0, indices).to(device)
        return Batch(image, masks.long(), present, valid, void=self.valid is not None)

    def select(self, keep: np.ndarray) -> "Slices":
        """The slices where ``keep`` ``(N,)`` holds."""
        rows = torch.from_numpy(np.flatnonzero(keep))
        return Slices(
            self.image.index_select(0, rows),
            self.masks.index_select(0, rows),
            self.present.index_select(0, rows),
            self.scale,
            None if self.valid is None else self.valid.index_select(0, rows),
        )

    def fused(self, fuse: Fuse | None) -> "Slices":
        """A label of each slice in place of its raters' masks, R = 1, as a stage's ``fuse`` makes it; None: the masks.

        Raises:
            PluginError: labels that are not ``(N, H, W)`` bytes.
        """
        if fuse is None or not len(self):
            return self
        own = {"valid": None if self.valid is None else self.valid.numpy()} if names_valid(fuse) else {}
        labels = fuse((self.masks * self.present[:, :, None, None]).numpy(), self.present.numpy(), **own)
        found = f"{labels.dtype} {labels.shape}" if isinstance(labels, np.ndarray) else type(labels).__name__
        expected = f"uint8 {(len(self), *self.masks.shape[2:])}"
        if found != expected:
            raise PluginError("a stage's fuse() does not give a label of each slice", expected=expected, found=found)
        everybody = torch.ones(len(self), 1, dtype=torch.bool)
        return replace(self, masks=torch.tensor(labels)[:, None], present=everybody)


@dataclass(frozen=True, eq=False)
class StreamedSlices:
    """As :class:`Slices`, read from the container when a batch asks for them: the same batches in little memory.

    Attributes:
        cases: streamed.
        rows: ``(N, 2)`` integers: the case of each slice, and its place in it.
        present: ``(N, R)`` bool.
        byte: are all images bytes that are divided by 255?
        fuse: of the stage.
    """

    cases: CaseSet
    rows: np.ndarray
    present: Tensor
    byte: bool
    fuse: Fuse | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: Tensor, device: torch.device) -> Batch:
        """The slices at ``indices`` ``(B,)``, on the device."""
        rows = self.rows[indices.numpy()]
        read = replace(_gathered(self.cases, rows, self.byte), present=self.present.index_select(0, indices))
        return read.fused(self.fuse).batch(torch.arange(len(rows)), device)

    def select(self, keep: np.ndarray) -> "StreamedSlices":
        """The slices where ``keep`` ``(N,)`` holds."""
        return replace(self, rows=self.rows[keep], present=self.present[torch.from_numpy(keep)])

    def fused(self, fuse: Fuse | None) -> "StreamedSlices":
        """With a label of each slice in place of its raters' masks, made anew for each batch; None: the masks."""
        return replace(self, fuse=fuse)


AnySlices = Slices | StreamedSlices


def slices_of(cases: CaseSet, indices: np.ndarray) -> Slices:
    """The slices of the cases at ``indices``, in memory.

    Raises:
        DataError: slices of different sizes in a data set that declares no training size.
    """
    rows, byte = _survey(cases, indices)
    return _gathered(cases, rows, byte)


def training_slices(cases: CaseSet, indices: np.ndarray, *, memory: int | None = None) -> AnySlices:
    """As :func:`slices_of`; those of a streamed container stay in it where they are many.

    Args:
        memory: bytes that they may take in memory. Default: :func:`memory_limit`.
    """
    rows, byte = _survey(cases, indices)
    if isinstance(cases.pixels, StreamedPixels):
        channels, height, width = _slice_shape(cases, cases.pixels.layout(int(indices[0]))[0])
        size = len(rows) * height * width * (channels * (1 if byte else 4) + cases.description.n_raters)
        if size > (memory_limit() if memory is None else memory):
            return StreamedSlices(cases, rows, torch.from_numpy(cases.present[rows[:, 0]]), byte)
    return _gathered(cases, rows, byte)


def memory_limit() -> int:
    """Bytes of training slices that are held in memory: ``$MRBENCH_MEMORY_MIB``, else :data:`MEMORY_MIB`.

    Raises:
        UsageError: the variable is no number.
    """
    text = os.environ.get(VARIABLE, "") or f"{MEMORY_MIB}"
    if not text.isdecimal():
        raise UsageError(f"${VARIABLE} is not a number", expected="MiB, such as 4096", found=repr(text)[:80])
    return int(text) * 2**20


def _survey(cases: CaseSet, indices: np.ndarray) -> tuple[np.ndarray, bool]:
    # The case of each slice with its place in it, (N, 2), and whether all images are bytes that are divided by 255.
    layouts = [stored_layout(cases.pixels, index) for index in map(int, indices)]
    shapes = [shape for shape, _ in layouts]
    _check_sizes(shapes, cases, indices)
    byte = cases.description.normalisation == "byte" and all(dtype == np.uint8 for _, dtype in layouts)
    depths = [shape[1] if cases.is_volume else 1 for shape in shapes]
    places = np.concatenate([np.arange(depth) for depth in depths])
    return np.stack([np.repeat(np.asarray(indices, np.int64), depths), places], axis=1), byte


def stored_layout(pixels: Pixels, index: int) -> tuple[tuple[int, ...], np.dtype]:
    """``(C, *spatial)`` and type of an image as stored; a streamed case is not read for it."""
    if isinstance(pixels, StreamedPixels):
        return pixels.layout(index)
    image = pixels.image(index)
    return image.shape, image.dtype


def _slice_shape(cases: CaseSet, shape: tuple[int, ...]) -> tuple[int, int, int]:
    height, width = cases.description.training_size or shape[-2:]
    return shape[0], height, width


def _gathered(cases: CaseSet, rows: np.ndarray, byte: bool) -> Slices:
    size = cases.description.training_size
    image, masks = np.empty(0), np.empty(0)
    valid: np.ndarray | None = None
    for index, places, at in _by_case(rows):
        stored = cases.pixels.image(index)
        found = _as_slices(stored if byte else cases.normalise(stored), cases.is_volume)[places]
        marked = _as_slices(cases.pixels.masks(index), cases.is_volume)[places]
        fitted, fitted_masks = _fitted(found, size), _fitted(marked, size)
        if not len(image):
            image = np.empty((len(rows), *fitted.shape[1:]), np.uint8 if byte else np.float32)
            masks = np.empty((len(rows), *fitted_masks.shape[1:]), np.uint8)
        image[at], masks[at] = fitted, fitted_masks
        if (counted := cases.valid(index)) is not None:
            valid = np.ones((len(rows), *masks.shape[2:]), bool) if valid is None else valid
            # What is padded is background, as in the masks, and counts.
            valid[at] = ~_fitted((~counted if cases.is_volume else ~counted[None])[places], size)
            masks[at] *= valid[at, None]
    present, judged = torch.from_numpy(cases.present[rows[:, 0]]), None if valid is None else torch.from_numpy(valid)
    return Slices(torch.from_numpy(image), torch.from_numpy(masks), present, 255.0 if byte else 1.0, judged)


def _by_case(rows: np.ndarray) -> Iterator[tuple[int, np.ndarray, slice]]:
    # Runs of slices of one case: its number, the places in it, and where they go.
    starts = np.flatnonzero(np.diff(rows[:, 0], prepend=-1))
    for start, end in pairwise([*starts.tolist(), len(rows)]):
        yield int(rows[start, 0]), rows[start:end, 1], slice(start, end)


def _as_slices(array: np.ndarray, is_volume: bool) -> np.ndarray:
    return np.moveaxis(array, 1, 0) if is_volume else array[None]  # (D, C or R, H, W)


def _fitted(array: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    # Centre crop or zero padding of the last two axes to the declared training size.
    if size is None or array.shape[-2:] == size:
        return array
    for axis, target in zip((-2, -1), size, strict=True):
        spare = target - array.shape[axis]
        if spare < 0:
            start = -spare // 2
            array = array.take(range(start, start + target), axis=axis)
        else:
            width = [(0, 0)] * array.ndim
            width[axis] = (spare // 2, spare - spare // 2)
            array = np.pad(array, width)
    return array


def _check_sizes(shapes: Sequence[tuple[int, ...]], cases: CaseSet, indices: np.ndarray) -> None:
    first = _slice_shape(cases, shapes[0])
    for shape, index in zip(shapes, indices, strict=True):
        if _slice_shape(cases, shape) != first:
            raise DataError(
                f"training slices of data set {cases.description.name!r} differ in size",
                expected=f"{first} as in case {cases.ids[int(indices[0])]!r}, or a declared training_size",
                found=f"{_slice_shape(cases, shape)} in case {cases.ids[int(index)]!r}",
            )
