import numpy as np
import pytest

from mrbench.metrics.spacing import steps_of


def test_a_step_per_axis_or_one_pixel():
    assert steps_of((2, 0.5), 2) == (2.0, 0.5)
    assert steps_of(np.array([3, 1, 1]), 3) == (3.0, 1.0, 1.0)
    assert steps_of(None, 3) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("spacing", [(1,), (1, 1, 1), 1.0, (1, 0), (1, -2), (1, float("nan")), (1, float("inf"))])
def test_anything_else_is_refused(spacing):
    with pytest.raises(ValueError, match="spacing must be 2 positive numbers, one per axis; got"):
        steps_of(spacing, 2)
