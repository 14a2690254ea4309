"""Rows below the trivial baseline say so, and nobody else does."""

from rows_by_hand import result_of, run_of
from stored_runs import registry

from mrbench.metrics.protocol import STRICT
from mrbench.results.tabulate import tabulate


def caveats(floor, rest, **spec):
    runs = [run_of(result_of("unet-majority", metrics=floor)) if floor else None]
    runs += [run_of(result_of(name, metrics=values, **spec)) for name, values in rest.items()]
    (table,) = tabulate([run for run in runs if run], registry(), STRICT)
    return {row.method: [one for one in row.caveats if one.startswith("worse than")] for row in table.rows}


FLOOR = {"ged": 0.3, "dice_soft": 0.8, "dice_rater": 0.7}


def test_a_method_below_the_floor_is_told_by_what_it_gives():
    found = caveats(FLOOR, {"proseg": {"ged": 0.4, "dice_soft": 0.9, "dice_rater": 0.6}})
    assert found["proseg"] == ["worse than unet-majority, which has one output for everybody: ged, dice_rater"]
    assert found["unet-majority"] == []


def test_one_that_gives_samples_alone_is_judged_by_samples_at_any_s():
    found = caveats(FLOOR, {"proseg-prior": {"ged": 0.31, "dice_soft": 0.7}}, samples=4)
    assert found["proseg-prior"] == ["worse than unet-majority, which has one output for everybody: ged, dice_soft"]


def test_an_equal_or_better_row_is_not_told():
    found = caveats(FLOOR, {"proseg": {"ged": 0.3, "dice_soft": 0.8, "dice_rater": 0.7000001}})
    assert found["proseg"] == []


def test_people_are_not_told():
    found = caveats(FLOOR, {"random-rater": {"ged": 0.5, "dice_soft": 0.5, "dice_rater": 0.5}})
    assert found["random-rater"] == []


def test_rows_of_other_cases_or_without_the_floor_are_not_told():
    worse = {"proseg": {"ged": 0.4}}
    assert caveats(None, worse)["proseg"] == []
    assert caveats(FLOOR, worse, limit=3)["proseg"] == []
