"""One look at every file before anything is written: headers of the images, values of the masks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mrbench.data.image_file import ImageFile, open_image
from mrbench.data.importing.files import CaseFiles, Layout
from mrbench.data.importing.grid import Shape, n_channels, plain
from mrbench.data.importing.labels import stored_labels, values_in
from mrbench.errors import DataError

BYTES_PER_LABEL = 8
"""That a mask may take per pixel of its image; what is drawn on a large image packs to nearly nothing."""

SAME_SPACING = 0.01
"""How far the spacings of an image and its mask may differ, relative."""


@dataclass(frozen=True)
class Facts:
    """What is known of a case before its image is read.

    Attributes:
        spatial: plain shape of its masks.
        channels: C.
        dtype: of its image.
        spacing: mm along the last two or three axes, or None where unknown.
    """

    spatial: Shape
    channels: int
    dtype: np.dtype
    spacing: tuple[float, ...] | None


@dataclass(frozen=True)
class Survey:
    """What all files together say.

    Attributes:
        facts: of the cases, in their order.
        values: how many masks hold each set of values.
        empty: masks that mark nothing, by rater.
    """

    facts: tuple[Facts, ...]
    values: Mapping[tuple[int, ...], int]
    empty: Mapping[str, int]

    @cached_property
    def axes(self) -> int:
        """2 where all cases are slices, 3 where they are volumes."""
        return max(len(facts.spatial) for facts in self.facts)

    @property
    def n_channels(self) -> int:
        """C."""
        return self.facts[0].channels

    def shape(self, index: int) -> Shape:
        """``(H, W)``, or ``(D, H, W)`` in a collection of volumes."""
        spatial = self.facts[index].spatial
        return (1,) * (self.axes - len(spatial)) + spatial

    def spacing(self, index: int) -> tuple[float, ...] | None:
        """mm per axis of :meth:`shape`, or None where the files do not know all of them."""
        found = (self.facts[index].spacing or ())[-self.axes :]
        return found if len(found) == self.axes and all(0 < mm < float("inf") for mm in found) else None


def survey(layout: Layout) -> Survey:
    """Reads every mask and the header of every image.

    Raises:
        DataError: naming the file: it cannot be read, is no mask, or lies on another grid than its image; images of
            different kinds.
    """
    values: Counter[tuple[int, ...]] = Counter()
    empty: Counter[str] = Counter()
    facts: list[Facts] = []
    for case in layout.cases:
        found, masks = _looked_at(layout, case)
        facts.append(found)
        values.update(masks.values())
        empty.update(rater for rater, seen in masks.items() if seen == (0,))
        _check_channels(layout, facts)
    return Survey(tuple(facts), values, empty)


def _looked_at(layout: Layout, case: CaseFiles) -> tuple[Facts, dict[str, tuple[int, ...]]]:
    """What is known of a case, and the values of each rater's mask."""
    folder = layout.listing.folder
    with open_image(folder / case.image, where := str(folder / case.image)) as image:
        masks = {rater: _mask(image, case, folder / name, folder) for rater, name in case.masks.items()}
        spatial = next(iter(masks.values())).spatial
    if len(spatial) not in (2, 3):
        raise DataError(f"{where} is neither a slice nor a volume", expected="two or three axes", found=str(spatial))
    spacings = [image.spacing, *(mask.spacing for mask in masks.values())]
    spacing = next((one for one in spacings if one is not None), None)
    facts = Facts(spatial, n_channels(image.shape, spatial), image.dtype, spacing)
    return facts, {rater: mask.values for rater, mask in masks.items()}


@dataclass(frozen=True)
class _Mask:
    spatial: Shape
    spacing: tuple[float, ...] | None
    values: tuple[int, ...]


def _mask(image: ImageFile, case: CaseFiles, path: Path, folder: Path) -> _Mask:
    allowed = BYTES_PER_LABEL * int(np.prod(image.shape, dtype=object))
    with open_image(path, where := str(path), allowed=allowed) as mask:
        _check_lossless(mask, where)
        labels = stored_labels(mask.labels(), where)
        _check_grid(image, mask, labels.shape, str(folder / case.image), where)
    return _Mask(plain(labels.shape), mask.spacing, values_in(labels, where))


def _check_lossless(mask: ImageFile, where: str) -> None:
    if mask.lossy:  # whatever its ending says
        raise DataError(f"{where} is a mask in JPEG, which keeps no labels", expected="PNG, TIFF, NIfTI, npy or npz")


def _check_grid(image: ImageFile, mask: ImageFile, shape: Shape, image_name: str, where: str) -> None:
    if not n_channels(image.shape, plain(shape)):
        raise DataError(
            f"{where} has another size than its image {image_name}",
            expected=f"that of the image: {_size(image.shape)}",
            found=_size(shape),
            hint="masks are scored on the grid of their image: resample them by nearest neighbour, or take the "
            "image that they were drawn on",
        )
    if image.directions and mask.directions and image.directions != mask.directions:
        raise DataError(
            f"{where} runs in other directions than its image {image_name}",
            expected=f"axes {image.directions}",
            found=mask.directions,
            hint="write both with the same affine",
        )
    ours, theirs = image.spacing, mask.spacing
    axes = min(len(ours or ()), len(theirs or ()), len(plain(shape)))
    if axes and ours and theirs and not np.allclose(ours[-axes:], theirs[-axes:], rtol=SAME_SPACING, atol=0):
        raise DataError(
            f"{where} has another spacing than its image {image_name}",
            expected=f"{ours[-axes:]} mm",
            found=f"{theirs[-axes:]} mm",
        )


def _size(shape: Shape) -> str:
    return " x ".join(map(str, plain(shape)))


def _check_channels(layout: Layout, facts: Sequence[Facts]) -> None:
    expected, found = facts[0].channels, facts[-1].channels
    if found != expected:
        raise DataError(
            f"{layout.listing.folder / layout.cases[len(facts) - 1].image} has {found} channels",
            expected=f"{expected}, as {layout.cases[0].image} has",
            hint="save all images alike, grey or in colours",
        )
