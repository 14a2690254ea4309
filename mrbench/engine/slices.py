"""Training slices: held in memory as stored (bytes where they are bytes), normalised batch by batch on the device."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mrbench.data.caseset import CaseSet
from mrbench.errors import DataError, PluginError
from mrbench.interfaces.method import Batch


@dataclass(frozen=True, eq=False)
class Slices:
    """2-D slices of some cases; a volume gives all its slices.

    Attributes:
        image: ``(N, C, H, W)``, bytes where the data set is normalised as ``byte``, else normalised float32.
        masks: ``(N, R, H, W)`` uint8; absent raters' rows carry no meaning, and are zero in a batch.
        present: ``(N, R)`` bool.
        scale: what a stored value is divided by.
    """

    image: Tensor
    masks: Tensor
    present: Tensor
    scale: float

    def __len__(self) -> int:
        return len(self.image)

    def batch(self, indices: Tensor, device: torch.device) -> Batch:
        """The slices at ``indices`` ``(B,)``, on the device."""
        image = self.image.index_select(0, indices).to(device).float() / self.scale
        present = self.present.index_select(0, indices).to(device)
        masks = self.masks.index_select(0, indices).to(device) * present[:, :, None, None]
        return Batch(image, masks.long(), present)

    def select(self, keep: np.ndarray) -> "Slices":
        """The slices where ``keep`` ``(N,)`` holds."""
        rows = torch.from_numpy(np.flatnonzero(keep))
        return Slices(
            self.image.index_select(0, rows),
            self.masks.index_select(0, rows),
            self.present.index_select(0, rows),
            self.scale,
        )

    def fused(self, fuse: Callable[[np.ndarray, np.ndarray], np.ndarray] | None) -> "Slices":
        """A label of each slice in place of its raters' masks, R = 1, as a stage's ``fuse`` makes it; None: the masks.

        Raises:
            PluginError: labels that are not ``(N, H, W)`` bytes.
        """
        if fuse is None or not len(self):
            return self
        labels = fuse((self.masks * self.present[:, :, None, None]).numpy(), self.present.numpy())
        found = f"{labels.dtype} {labels.shape}" if isinstance(labels, np.ndarray) else type(labels).__name__
        expected = f"uint8 {(len(self), *self.masks.shape[2:])}"
        if found != expected:
            raise PluginError("a stage's fuse() does not give a label of each slice", expected=expected, found=found)
        everybody = torch.ones(len(self), 1, dtype=torch.bool)
        return replace(self, masks=torch.tensor(labels)[:, None], present=everybody)


def slices_of(cases: CaseSet, indices: np.ndarray) -> Slices:
    """The training slices of the cases at ``indices``.

    Raises:
        DataError: slices of different sizes in a data set that declares no training size.
    """
    byte = cases.description.normalisation == "byte" and cases.pixels.image(int(indices[0])).dtype == np.uint8
    images, masks, present = [], [], []
    for index in map(int, indices):
        stored = cases.pixels.image(index)
        image_slices = _as_slices(stored if byte else cases.normalise(stored), cases.is_volume)
        mask_slices = _as_slices(cases.pixels.masks(index).astype(np.uint8), cases.is_volume)
        images.append(_fitted(image_slices, cases.description.training_size))
        masks.append(_fitted(mask_slices, cases.description.training_size))
        present.append(np.repeat(cases.present[index][None], len(image_slices), axis=0))
    _check_sizes(images, cases, indices)
    image, mask, seen = (torch.from_numpy(np.concatenate(parts)) for parts in (images, masks, present))
    return Slices(image, mask, seen, scale=255.0 if byte else 1.0)


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


def _check_sizes(images: list[np.ndarray], cases: CaseSet, indices: np.ndarray) -> None:
    first = images[0].shape[1:]
    for image, index in zip(images, indices, strict=True):
        if image.shape[1:] != first:
            raise DataError(
                f"training slices of data set {cases.description.name!r} differ in size",
                expected=f"{first} as in case {cases.ids[int(indices[0])]!r}, or a declared training_size",
                found=f"{image.shape[1:]} in case {cases.ids[int(index)]!r}",
            )
