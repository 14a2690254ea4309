"""Smaller sample budgets: a part of what is stored, nothing more."""

import numpy as np
import pytest

from mrbench.engine.budgets import first_samples
from mrbench.errors import UsageError
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import Draw, DrawKind, binary_probability
from mrbench.metrics.tables import TableBuilder

GRID = np.arange(16).reshape(4, 4)


def tables(*areas: int, rater: int | None = None, truth: tuple[bool, ...] = (True, True)) -> CaseTables:
    """Samples, and maybe a prediction for rater 0, whose first ``area`` pixels are foreground."""
    raters = np.stack([GRID < 4, GRID < 8]).astype(np.uint8)
    builder = TableBuilder(raters, np.array(truth), 2, spacing=(1, 2))
    draws = [(DrawKind.SAMPLE, None, area) for area in areas] + [(DrawKind.RATER, 0, area) for area in [rater] if area]
    for kind, of, area in draws:
        builder.add(Draw(kind, binary_probability((area > GRID).astype(np.float32)), of))
    return builder.finish()


def test_the_first_samples_leave_the_tables_of_a_smaller_prediction():
    found, alone = first_samples(tables(4, 8, 12, rater=6), 2), tables(4, 8, rater=6)
    for field in ("intersection", "votes", "rater_votes", "rater_soft", "rater_means", "rater_calibration"):
        assert np.array_equal(getattr(found, field), getattr(alone, field)), field
    assert np.array_equal(found.kept_bits, alone.kept_bits)
    assert (found.n_samples, found.spacing) == (2, (1.0, 2.0))


def test_the_mean_probability_of_a_part_is_not_known():
    found = first_samples(tables(4, 8), 1)
    assert found.soft is None
    assert found.calibration is None


def test_raters_who_are_not_the_truth_do_not_vote():
    found = first_samples(tables(4, 8, 12, truth=(False, True)), 2)
    assert found.votes.tolist() == tables(4, 8, truth=(False, True)).votes.tolist()


def test_all_samples_and_none_leave_the_tables_as_they_are():
    for whole, n in ((tables(4, 8), 2), (tables(rater=6), 3)):
        assert first_samples(whole, n) is whole


def test_more_samples_than_are_stored_are_refused():
    with pytest.raises(UsageError, match=r"first 3 samples\n  expected: at most the S = 2") as caught:
        first_samples(tables(4, 8), 3)
    assert caught.value.exit_code == 2
