"""Small data sets with every feature that a container holds."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters, Unit
from mrbench.data.splits import split_by_subject

MakeCases = Callable[..., CaseSet]


def _make_cases(
    spatial: Sequence[tuple[int, ...]] = ((12, 10),) * 6,
    *,
    raters: int = 3,
    classes: int = 2,
    channels: int = 1,
    dtype: str = "uint8",
    **fields: Any,
) -> CaseSet:
    """A case per shape: a bright box, marked by each rater a little differently; subjects have one case each."""
    rng = np.random.default_rng(0)
    volume = len(spatial[0]) == 3
    images, masks = [], []
    for shape in spatial:
        mask = np.zeros((raters, *shape), np.uint8)
        for r in range(raters):
            mask[r, ..., 3 : 7 + r % 2, 3:7] = 1 + r % (classes - 1)
        noise = rng.integers(0, 40, (channels, *shape))
        images.append((noise + 150 * (mask[0] > 0)).astype(dtype))
        masks.append(mask)
    alike = len(set(spatial)) == 1
    n = len(spatial)
    subjects = tuple(f"patient-{i}" for i in range(n))
    cases: dict[str, Any] = {
        "description": Description(
            name="boxes",
            version="1",
            classes=("background", "cup", "disc", "rim")[:classes],
            channels=tuple(f"channel-{c}" for c in range(channels)),
            raters=Raters.IDENTIFIED,
            rater_names=tuple(f"rater-{r}" for r in range(raters)),
            unit=Unit.VOLUME if volume else Unit.SLICE,
            normalisation="byte",
        ),
        "pixels": ArrayPixels(np.stack(images), np.stack(masks)) if alike else ArrayPixels(images, masks),
        "ids": tuple(f"case-{i}" for i in range(n)),
        "subjects": subjects,
        "present": np.ones((n, raters), bool),
        "splits": {"strict": split_by_subject(subjects, folds=2, seed=0)} if n > 2 else {},
    }
    return CaseSet(**cases | fields)


@pytest.fixture
def make_cases() -> MakeCases:
    return _make_cases


@pytest.fixture
def rich_cases() -> CaseSet:
    """Slice numbers, spacings with one unknown, attributes with gaps, metadata and a rater missing in one case."""
    present = np.ones((6, 3), bool)
    present[2, 1] = False
    cases = _make_cases(
        present=present,
        slices=(4, 5, 6, 7, 8, 9),
        spacings=((0.7, 0.7), None, (1.0, 0.5), (0.7, 0.7), (0.7, 0.7), (0.7, 0.7)),
        attributes={"margin": np.where(present, 3.0, np.nan), "texture": np.arange(18.0).reshape(6, 3)},
        metadata=tuple({"scan": i, "naïve": [1.5, None, "ß"]} for i in range(6)),
    )
    cases.pixels.masks(2)[1] = 0
    return cases
