"""How an image is shown to a network: whole, resampled, in overlapping windows, or one window of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import floor

import numpy as np

from mrbench.applying.scope import Scope, Size
from mrbench.errors import DataError

Corner = tuple[int, int]


@dataclass(frozen=True)
class Windows:
    """Windows of one size on the planes of an image.

    Attributes:
        own: (H, W) of the image.
        seen: the same after it was resampled.
        size: (H, W) of a window.
        corners: top and left of each, in pixels of what is seen.
    """

    own: Size
    seen: Size
    size: Size
    corners: Sequence[Corner]

    @property
    def are_whole(self) -> bool:
        """Is it one window, of the whole image?"""
        return self.size == self.seen

    def cut(self, image: np.ndarray) -> Iterator[np.ndarray]:
        """``(..., h, w)`` of each window on an image ``(..., H, W)`` as it is seen."""
        height, width = self.size
        for top, left in self.corners:
            yield np.ascontiguousarray(image[..., top : top + height, left : left + width])

    def joined(self, probabilities: Sequence[np.ndarray]) -> np.ndarray:
        """``(K, ..., H, W)`` of the image from those of its windows: means where they overlap, background elsewhere."""
        total = np.zeros((*probabilities[0].shape[:-2], *self.seen), np.float32)
        times = np.zeros(self.seen, np.float32)
        for (top, left), own in zip(self.corners, probabilities, strict=True):
            at = (..., slice(top, top + self.size[0]), slice(left, left + self.size[1]))
            total[at] += own
            times[at[1:]] += 1
        total[0] += times == 0
        return resampled(total / np.maximum(times, 1), self.own)


def windows_of(own: Size, seen: Size, scope: Scope | None, where: str, *, tile: bool, centre: Corner | None) -> Windows:
    """The windows on an image.

    Args:
        own, seen: (H, W) of the image, and at the data set's spacing.
        scope: what training has seen; None: unknown, the image is taken whole.
        where: the file, for messages.
        tile: windows of the training size that overlap by half, where the image is larger.
        centre: X, Y in pixels of the image: the one window of the training size around it, moved inside the image.

    Raises:
        DataError: another size than training has seen, and neither is asked for or would help.
    """
    if scope is None or (scope.covers(seen) and centre is None):
        return Windows(own, seen, seen, [(0, 0)])
    if not (tile or centre) or any(a < b for a, b in zip(seen, scope.window, strict=True)):
        raise _other_size(own, seen, scope, where)
    if centre is None:
        tops, lefts = (_starts(a, b) for a, b in zip(seen, scope.window, strict=True))
        return Windows(own, seen, scope.window, list(product(tops, lefts)))
    return Windows(own, seen, scope.window, [_around(centre, own, seen, scope.window, where)])


def resampled(values: np.ndarray, size: Size) -> np.ndarray:
    """``(..., *size)`` float32 of ``(..., H, W)`` over the same extent: linear, with means where it shrinks."""
    import torch

    if values.shape[-2:] == size:
        return values
    flat = torch.from_numpy(np.ascontiguousarray(values, np.float32)).reshape(1, -1, *values.shape[-2:])
    found = torch.nn.functional.interpolate(flat, size, mode="bilinear", antialias=True)
    return np.asarray(found.reshape(*values.shape[:-2], *size))


def _starts(length: int, window: int) -> list[int]:
    count = 1 + -(-(length - window) // max(1, window // 2))
    return [round(place) for place in np.linspace(0, length - window, count)]


def _around(centre: Corner, own: Size, seen: Size, window: Size, where: str) -> Corner:
    x, y = centre
    if not (0 <= x < own[1] and 0 <= y < own[0]):
        raise DataError(
            f"--centre {x},{y} is outside of {where}", expected=f"X below {own[1]}, Y below {own[0]}, from 0"
        )
    places = zip((y, x), own, seen, window, strict=True)
    top, left = (min(max(floor((at + 0.5) * b / a - size / 2), 0), b - size) for at, a, b, size in places)
    return top, left


def _other_size(own: Size, seen: Size, scope: Scope, where: str) -> DataError:
    low, high = (" x ".join(map(str, size)) for size in scope.sizes)
    window = " x ".join(map(str, scope.window))
    large = all(a >= b for a, b in zip(seen, scope.window, strict=True))
    return DataError(
        f"{where} has another size than training has seen",
        expected=f"H x W = {window}" + (f", or from {low} to {high}" if low != high else ""),
        found=" x ".join(map(str, own)) + (f", {seen[0]} x {seen[1]} at the data set's spacing" * (own != seen)),
        hint=f"--tile predicts windows of {window} that overlap; --centre X,Y one of them; or resample or crop it first"
        if large
        else f"resample it, or pad it to {window} as the data set's images are",
    )
