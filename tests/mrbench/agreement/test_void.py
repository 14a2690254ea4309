"""Agreement of cases with void pixels is that of the cases without these pixels."""

from dataclasses import replace

import numpy as np
import pytest

from mrbench.agreement.survey import survey
from mrbench.data.caseset import ArrayPixels
from mrbench.metrics.protocol import STRICT
from mrbench.registry import Registry, discover


@pytest.mark.parametrize("classes", [2, 3])
def test_every_quantity_and_row_is_of_the_pixels_that_count(make_cases, blobs, classes):
    masks = blobs(classes)
    present = np.ones(masks.shape[:2], bool)
    present[5, 1] = False
    valid = np.random.default_rng(2).random((len(masks), 16, 16)) < 0.8
    masks = masks * valid[:, None]
    cases = make_cases(masks, classes=classes, present=present)
    void = replace(cases, pixels=replace(cases.pixels, all_valid=valid))
    lines = [cases.pixels.masks(i)[:, one][:, None] for i, one in enumerate(valid)]
    images = [np.full((1, *one.shape[1:]), i, np.uint8) for i, one in enumerate(lines)]
    alone = replace(cases, pixels=ArrayPixels(images, lines))
    registry = Registry() if classes == 3 else discover()
    ours, theirs = (
        survey(found, registry, STRICT, samples=3, metrics=("ged", "dice_rater") if classes == 2 else ())
        for found in (void, alone)
    )
    assert ours.estimates.keys() == theirs.estimates.keys()
    for name, estimate in theirs.estimates.items():
        np.testing.assert_allclose(ours.estimates[name].value, estimate.value, atol=1e-12, err_msg=name)
    values = [
        {(row.label, name): value.mean for row in found.references.rows for name, value in row.values.items()}
        for found in (ours, theirs)
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-12)
    assert classes == 3 or len(values[0]) > 3
    assert any("of the pixels are void and count nowhere" in line for line in ours.warnings)
    assert not any("void" in line for line in theirs.warnings)
    plain = survey(cases, Registry(), STRICT, samples=3)
    assert not np.array_equal(plain.estimates["kappa"].value, ours.estimates["kappa"].value)
