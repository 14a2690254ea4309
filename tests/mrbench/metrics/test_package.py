import doctest

import numpy as np
import pytest

import mrbench.metrics
from mrbench.metrics import evaluation


def test_every_export_exists():
    for name in mrbench.metrics.__all__:
        assert getattr(mrbench.metrics, name) is not None
        assert name in dir(mrbench.metrics)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'mrbench.metrics' has no attribute 'gde'"):
        mrbench.metrics.gde  # noqa: B018


def test_the_examples_run():
    for module in (mrbench.metrics, evaluation):
        found = doctest.testmod(module)
        assert found.attempted > 0
        assert found.failed == 0


def test_functions_stay_functions_after_their_modules_are_loaded():
    masks = np.ones((1, 2, 2), bool)
    assert [f(masks, masks) for f in (mrbench.metrics.ged, mrbench.metrics.dice_soft)] == [0, 1]
    assert mrbench.metrics.iou(masks, masks).tolist() == [1]
