import numpy as np
import pytest

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters, Unit


@pytest.fixture
def make_cases():
    """A data set of masks ``(N, R, *spatial)``, with empty rows for absent raters."""

    def make(
        masks, *, present=None, subjects=None, classes=2, raters=Raters.IDENTIFIED, attributes=None, images=None
    ) -> CaseSet:
        masks = np.asarray(masks, np.uint8)
        n, r = masks.shape[:2]
        looked = np.ones((n, r), bool) if present is None else np.asarray(present, bool)
        ids = tuple(f"case-{i}" for i in range(n))
        if images is None:
            images = np.random.default_rng(0).integers(0, 256, (n, 1, *masks.shape[2:])).astype(np.uint8)
        return CaseSet(
            description=Description(
                name="made",
                version="1",
                classes=("background", *(f"class-{k}" for k in range(1, classes))),
                channels=("grey",),
                raters=raters,
                rater_names=tuple("abcdefgh"[:r]),
                unit=Unit.VOLUME if masks.ndim == 5 else Unit.SLICE,
            ),
            pixels=ArrayPixels(images, np.where(looked.reshape(n, r, *(1,) * (masks.ndim - 2)), masks, 0)),
            ids=ids,
            subjects=ids if subjects is None else tuple(subjects),
            present=looked,
            attributes=attributes or {},
        )

    return make


@pytest.fixture
def blobs():
    """``(12, 4, 16, 16)`` masks of labels below ``classes``: noisy squares, one of a rater is empty."""

    def draw(classes=2, depth=None, n=12):
        rng = np.random.default_rng(1)
        shape = (16, 16) if depth is None else (depth, 16, 16)
        masks = np.zeros((n, 4, *shape), np.uint8)
        for i in range(n):
            for r in range(4):
                y, x = rng.integers(2, 6, 2)
                label = rng.integers(1, classes) if classes > 2 else 1
                masks[i, r, ..., y : y + 5 + r, x : x + 5] = label
                masks[i, r][rng.random(shape) < 0.02] = rng.integers(0, classes)
        masks[3, 1] = 0
        if depth:
            masks[:, :, 0] = 0
        return masks

    return draw
