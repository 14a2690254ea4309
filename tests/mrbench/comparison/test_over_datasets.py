"""A question over several data sets: counts that are proven, and what is no witness."""

from types import SimpleNamespace

import pytest

from mrbench.cards import Direction
from mrbench.comparison.over_datasets import Evidence, Tally, over_datasets, tallies
from mrbench.statistics.nested import NestedEstimate

SURE = Evidence(1e-6, 1.0, 1.0)
WORSE = Evidence(1.0, 1e-6, 1.0)
SAME = Evidence(1.0, 0.6, 1e-6)
OPEN = Evidence(0.2, 1.0, 0.5)


def estimate(value, error=0.01, df=50.0):
    return NestedEstimate(value, {"subjects": error**2}, df)


def compared(dataset, a="control", b="mine", value=-0.1, human=False, metric="ged_unbiased", margin=0.01, **how):
    run_a, run_b = (SimpleNamespace(dataset=dataset, method=name, human=False) for name in (a, b))
    run_b.human = human
    difference = SimpleNamespace(metric=metric, estimate=how.get("estimate", estimate(value)), margin=margin)
    metrics = {metric: SimpleNamespace(direction=how.get("direction", Direction.LOWER))}
    return SimpleNamespace(a=run_a, b=run_b, metrics=metrics, differences=[difference])


def test_each_data_set_is_counted_by_what_is_known_of_it():
    (found,) = tallies([{"p": SURE, "q": WORSE, "r": SAME, "s": OPEN}])
    assert found == Tally(of=4, better=1, worse=1, equivalent=1, undecided=1)
    assert found.words == "better on 1, worse on 1, equivalent on 1, undecided on 1 of 4 tested"


def test_a_sure_difference_within_the_margin_is_one_known_data_set():
    (found,) = tallies([{"p": Evidence(1e-6, 1.0, 1e-6), "q": OPEN}])
    assert (found.better, found.equivalent, found.undecided) == (1, 1, 1)


def test_what_was_tested_nowhere_says_so():
    (found,) = tallies([{}])
    assert found.words == "not tested"


def test_a_difference_that_a_data_set_alone_would_show_may_be_undecided_over_several():
    nearly = Evidence(0.03, 1.0, 1.0)
    assert tallies([{"p": nearly}])[0].better == 1
    assert tallies([{"p": nearly, "q": OPEN}])[0].better == 0


@pytest.mark.parametrize(("sign", "direction"), [(1, "worse"), (-1, "better")])
def test_evidence_points_where_the_metric_says(sign, direction):
    found = Evidence.of(estimate(-0.1), sign, None)
    assert {name: getattr(found, name) < 1 for name in ("better", "worse", "equivalent")} == {
        name: name == direction for name in ("better", "worse", "equivalent")
    }
    assert getattr(found, direction) == estimate(-0.1).p


def test_what_cannot_be_tested_is_no_evidence():
    assert Evidence.of(NestedEstimate(0.1, {}, reason="one seed"), 1, 0.01) is None


def test_comparisons_of_two_data_sets_are_counted_by_metric_and_pair():
    found = over_datasets([compared("p"), compared("q"), compared("p", b="other", value=0.0), compared("q", b="other")])
    assert [(a, b, tally.words) for a, b, tally in found["ged_unbiased"]] == [
        ("control", "mine", "better on 2 of 2 tested"),
        ("control", "other", "better on 1, undecided on 1 of 2 tested"),
    ]


def test_one_data_set_people_and_metrics_without_a_direction_make_no_table():
    assert over_datasets([compared("p"), compared("p", b="other")]) == {}
    assert over_datasets([compared("p", human=True), compared("q", human=True)]) == {}
    assert over_datasets([compared(name, direction=Direction.NEITHER) for name in "pq"]) == {}


def test_a_second_comparison_on_one_data_set_is_no_second_witness():
    found = over_datasets([compared("p"), compared("p"), compared("q", value=0.0)])
    assert found["ged_unbiased"][0][2] == Tally(2, 1, 0, 0, 1)
