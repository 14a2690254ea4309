"""Every check catches the fusion, data set or metric that is made to break its rule."""

import pytest

from mrbench.testing import answers, metrics
from mrbench.testing.check import rules_of

DRAWING = [check.name for check in rules_of(answers) if check.name.startswith("draws-") and "fusion" in check.kinds]
SCORING = rules_of(metrics)
FUSIONS = {
    "fusion-vote": set(),
    "fusion-giving-nothing": {"capabilities", *DRAWING},
    "fusion-undeclared": set(DRAWING),
    "fusion-other-arguments": {"loads"},
    "fusion-reads-absent": {"absent-ignored"},
    "fusion-writes": {"input-kept", *DRAWING},
    "fusion-everybody": {"draws-missing", "draws-one-rater"},
    "fusion-global-noise": {"random-state-unused", "prediction-seed"},
}
DATASETS = {
    "discs": set(),
    "not-finite": {"cases"},
    "new-every-time": {"same-again"},
    "from-global-state": {"same-again"},
    "no-split": {"split-by-subject"},
    "leaky-split": {"cases", "split-by-subject"},
    "one-fold": {"split-by-subject"},
    "lists": {"description"},
    "seeds-globally": {"data-random-state"},
    "writes": {"data-nothing-written"},
    "unpickles": {"data-no-pickles"},
    "absent": set(),
    "takes-nothing": {"loads", "cases"},
    "gives-nothing": {"cases"},
    "asks-again": set(),
    "redraws-a-picture": {"redraws-are-masks"},
    "redraws-from-nothing": {"redraws-repeat"},
    "redraws-from-global-state": {"redraws-repeat"},
    "redraws-what-is-stored": {"redraws-differ"},
    "redraws-another-rater": {"redraws-agree"},
    "redraws-too-steadily": {"redraws-agree"},
}
SCORES = {check.name for check in SCORING if check.name.startswith("scores-")} - {"scores-something", "scores-repeat"}
METRICS = {
    "overlap": set(),
    "divides-by-marks": {"scores-unmarked", "direction"},
    "out-of-range": None,
    "no-key": None,
    "one-each": {"vector-length"},
    "never": {"scores-something"},
    "zero": {"missing-without"},
    "backwards": {"direction"},
    "first-sample": {"samples-permuted"},
    "first-rater": {"raters-permuted"},
    "counts": {"scores-repeat", "samples-permuted", "raters-permuted"},
    "writes": {"tables-kept"},
    "seeds-globally": {"tables-kept"},
}


@pytest.mark.parametrize("name", FUSIONS)
def test_a_faulty_fusion_is_caught_by_few_checks(failures, name: str):
    assert set(failures(name)) == FUSIONS[name]


def test_a_fusion_that_keeps_its_draws_is_caught(failures):
    assert failures("fusion-vote", "memory-steady") == {}
    assert set(failures("fusion-remembers", "memory-steady", "draws-slices")) == {"memory-steady"}


@pytest.mark.parametrize("check", DRAWING)
def test_a_fusion_that_is_wrong_on_one_kind_of_data_fails_one_check(failures, check: str):
    assert set(failures(check.replace("draws", "fusion"), *DRAWING)) == {check}


@pytest.mark.parametrize("name", DATASETS)
def test_a_faulty_data_set_is_caught_by_few_checks(failures, name: str):
    assert set(failures(name, kind="dataset")) == DATASETS[name]


@pytest.mark.parametrize("name", [name for name, checks in METRICS.items() if checks is not None])
def test_a_faulty_metric_is_caught_by_few_checks(failures, name: str):
    assert set(failures(name, kind="metric")) == METRICS[name]


@pytest.mark.parametrize("shape", sorted(SCORES))
def test_a_metric_that_fails_on_one_kind_of_table_fails_its_check(failures, shape: str):
    assert set(failures(shape.replace("scores", "fails-on"), *SCORES)) == {shape}


def test_values_outside_the_range_and_keys_of_nothing_are_caught(failures):
    assert "Key(label=1, rater=None) lies outside the range under strict | 0 .. 1 |" in " ".join(
        failures("out-of-range").values()
    )
    found = failures("no-key", "scores-two-classes")["scores-two-classes"]
    assert (
        found
        == "a statistic belongs nowhere (bad_metrics.py:LINE) | Key(label in 1..1, rater None or in [0, 1, 2, 3]) | 1"
    )
