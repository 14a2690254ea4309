"""Tiny raters with closed-form answers."""

import numpy as np
import pytest
from hypothesis import settings

from mrbench.interfaces.draw import Draw, DrawKind, binary_probability, one_hot
from mrbench.metrics.plugin import mrbench_metrics
from mrbench.metrics.tables import TableBuilder

# The first call of an example may import scipy, and a busy machine is no fault.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def draw_squares(*sides, size=16):
    """``(len(sides), size, size)`` bool: squares anchored at row 2, column 2."""
    masks = np.zeros((len(sides), size, size), bool)
    for mask, side in zip(masks, sides, strict=True):
        mask[2 : 2 + side, 2 : 2 + side] = True
    return masks


def build_tables(raters, *, truth=None, samples=(), predictions=(), consensus=None, classes=2):
    """Tables of label maps, or of foreground probabilities where K = 2; ``predictions``: (rater, map) pairs."""

    def probability(array):
        array = np.asarray(array)
        return binary_probability(array) if array.dtype.kind == "f" else one_hot(array.astype(np.uint8), classes)

    raters = np.asarray(raters).astype(np.uint8)
    builder = TableBuilder(raters, np.ones(len(raters), bool) if truth is None else truth, classes)
    for rater, array in predictions:
        builder.add(Draw(DrawKind.RATER, probability(array), rater))
    for array in samples:
        builder.add(Draw(DrawKind.SAMPLE, probability(array)))
    if consensus is not None:
        builder.add(Draw(DrawKind.CONSENSUS, probability(consensus)))
    return builder.finish()


@pytest.fixture(scope="session")
def squares():
    return draw_squares


@pytest.fixture(scope="session")
def tabulate():
    return build_tables


@pytest.fixture(scope="session")
def suite():
    return {record.name: record.load()() for record in mrbench_metrics()}


@pytest.fixture(scope="session")
def score(suite):
    """Value of one metric with one key, or its values by rater."""

    def value(name, tables, protocol):
        scores = suite[name].statistics(tables, protocol)
        if all(key.rater is None for key in scores):
            ((_, statistics),) = scores.items()
            return suite[name].finalise(statistics)
        return [suite[name].finalise(statistics) for statistics in scores.values()]

    return value
