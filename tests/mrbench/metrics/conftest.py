"""Tiny raters with closed-form answers."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import settings

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import Draw, DrawKind, binary_probability, one_hot
from mrbench.metrics.plugin import mrbench_metrics
from mrbench.metrics.tables import MAX_RATERS, TableBuilder

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
def several():
    """Tables of different sizes, classes and draws."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, (3, 4, 5))
    return [
        build_tables(draw_squares(2, 4), samples=draw_squares(2, 4, 6)),
        build_tables(draw_squares(0, 0, 0), truth=np.array([True, False, True]), consensus=draw_squares(0)[0]),
        build_tables(labels, samples=labels, predictions=[(2, labels[0]), (0, labels[1])], classes=3),
        build_tables(draw_squares(3), predictions=[(0, rng.random((16, 16))), (0, rng.random((16, 16)))]),
        build_tables(draw_squares(3, 5)),
        build_tables(np.ones((MAX_RATERS, 2, 2), int), samples=np.ones((1, 2, 2), int)),
    ]


@pytest.fixture(scope="session")
def assert_same_tables():
    """Every field but the masks is equal, types included."""

    def check(first, second):
        for field in {field.name for field in fields(CaseTables)} - {"bits"}:
            a, b = getattr(first, field), getattr(second, field)
            assert np.array_equal(a, b), field
            assert np.asarray(a).dtype == np.asarray(b).dtype, field

    return check


@pytest.fixture(scope="session")
def every_metric():
    """All built-in metrics by name."""
    return {card.name: card.load() for card in mrbench_metrics()}


@pytest.fixture(scope="session")
def suite(every_metric):
    """The metrics of overlap and distribution, whose statistics are one number each."""
    families = {f"mrbench.metrics.{family}" for family in ("distance", "soft", "matching", "personal")}
    return {name: metric for name, metric in every_metric.items() if metric.__module__ in families}


@pytest.fixture(scope="session")
def score(every_metric):
    """Value of one metric with one key, or its values by rater."""

    def value(name, tables, protocol):
        scores = every_metric[name](tables, protocol)
        if all(key.rater is None for key in scores):
            ((_, statistics),) = scores.items()
            return every_metric[name].finalise(statistics)
        return [every_metric[name].finalise(statistics) for statistics in scores.values()]

    return value
