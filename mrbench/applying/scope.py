"""What a training has seen: sizes of planes, and their spacing. Networks see planes (H, W), of volumes too."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from mrbench.data.caseset import CaseSet
from mrbench.data.geometry import SAME_SPACING
from mrbench.engine.cell import CellSpec
from mrbench.engine.model_file import ANEW, ModelFile
from mrbench.engine.run import Run
from mrbench.errors import DataError, MrbenchError
from mrbench.pictures import load_cases
from mrbench.registry import Registry

Side = Annotated[int, Field(ge=1, le=2**20)]
Size = tuple[Side, Side]
Millimetres = Annotated[float, Field(gt=0, lt=1e6)]
Spacing = tuple[Millimetres, Millimetres]


@dataclass(frozen=True)
class Scope:
    """The planes of a data set.

    Attributes:
        window: (H, W) that training slices were cropped or padded to.
        sizes: the smallest and the largest (H, W) of a case, which a run predicts whole.
        spacings: the smallest, the median and the largest mm along H, W of the cases; None where one is unknown.
    """

    window: Size
    sizes: tuple[Size, Size]
    spacings: tuple[Spacing, Spacing, Spacing] | None

    @classmethod
    def of(cls, cases: CaseSet) -> "Scope":
        """That of a data set; no image is read that is streamed."""
        from mrbench.engine.slices import stored_layout

        planes = np.array([stored_layout(cases.pixels, index)[0][-2:] for index in range(len(cases))])
        low, high = _pair(planes.min(axis=0)), _pair(planes.max(axis=0))
        return cls(cases.description.training_size or high, (low, high), _spacings(cases.spacings or ()))

    def covers(self, size: Size) -> bool:
        """Is it the window's size, or within those of the cases?"""
        low, high = self.sizes
        return size == self.window or all(a <= own <= b for a, own, b in zip(low, size, high, strict=True))

    def resampled(self, size: Size, spacing: Spacing | None) -> Size:
        """The size of an image at the data set's median spacing; its own where no case is spaced otherwise."""
        if spacing is None or self.spacings is None:
            return size
        low, median, high = (np.array(mm) for mm in self.spacings)
        own = np.array(spacing)
        if ((own >= low * (1 - SAME_SPACING)) & (own <= high * (1 + SAME_SPACING))).all():
            return size
        return _pair(np.maximum(1, np.rint(np.array(size) * own / median)))


def scope_of(spec: CellSpec, registry: Registry, run: Run) -> tuple[Scope | None, str]:
    """What a cell's training has seen; None, and why in a line, where its data set is not to be had."""
    try:
        return Scope.of(load_cases(replace(spec, test_on=None), registry, run)), ""
    except MrbenchError as error:
        return None, f"size and spacing of the images are not checked: {error.fault}"


def scope_of_file(file: ModelFile) -> Scope | None:
    """What the training of a model file has seen; None where that was not known.

    Raises:
        DataError: the file says something that no images have.
    """
    if file.facts.seen is None:
        return None
    try:
        found: Scope = TypeAdapter(Scope).validate_python(file.facts.seen)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        found_text = f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"
        raise DataError(f"cannot read what {file.path} says of its images", found=found_text, hint=ANEW) from error
    return found


def _spacings(found: Sequence[tuple[float, ...] | None]) -> tuple[Spacing, Spacing, Spacing] | None:
    known = np.array([spacing[-2:] for spacing in found if spacing])
    if not len(known) or len(known) < len(found):
        return None
    low, median, high = (fold(known, axis=0) for fold in (np.min, np.median, np.max))
    return (float(low[0]), float(low[1])), (float(median[0]), float(median[1])), (float(high[0]), float(high[1]))


def _pair(values: np.ndarray) -> Size:
    height, width = values.tolist()
    return int(height), int(width)
