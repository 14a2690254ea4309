"""Human reference rows against plain loops over the masks, and rows of a table like any other."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from mrbench.agreement.document import as_document
from mrbench.agreement.survey import survey
from mrbench.cli.agreement_tables import print_agreement
from mrbench.data.description import Raters
from mrbench.metrics.protocol import STRICT
from mrbench.registry import discover
from mrbench.results.table import RowKind, comparable


def surveyed(cases, *metrics, samples=3):
    return survey(cases, discover(), STRICT, samples=samples, metrics=metrics)


def references(cases, *metrics, samples=3):
    return {row.label: row for row in surveyed(cases, *metrics, samples=samples).references.rows}


def distance(a, b):
    union = (a | b).sum()
    return 1 - (a & b).sum() / union if union else 0.0


def set_ged(samples, raters):
    between, own, others = (
        np.mean([distance(a, b) for a in first for b in second])
        for first, second in ((samples, raters), (samples, samples), (raters, raters))
    )
    return 2 * between - own - others


def test_rows_are_those_of_plain_loops(make_cases, blobs):
    masks = blobs() > 0
    rows = references(make_cases(masks), "ged", "dice_rater")
    votes = masks.sum(axis=1)
    expected = {
        "majority-vote": [set_ged([v >= 2], c) for v, c in zip(votes, masks, strict=True)],
        "more-than-half": [set_ged([v > 2], c) for v, c in zip(votes, masks, strict=True)],
        "empty": [set_ged([np.zeros_like(c[0])], c) for c in masks],
        "leave-one-out": [np.mean([set_ged([c[r]], np.delete(c, r, 0)) for r in range(4)]) for c in masks],
        "vote-of-others": [
            np.mean([set_ged([np.delete(c, r, 0).sum(axis=0) >= 1.5], c[r : r + 1]) for r in range(4)]) for c in masks
        ],
    }
    for name, own in expected.items():
        assert rows[name].values["ged"].mean == pytest.approx(np.mean(own), abs=1e-9), name
    assert {"staple", "random-rater", "level-sets"} <= set(rows)


def test_raters_are_asked_again_where_they_can_be_and_no_row_says_that_they_cannot(make_cases, blobs):
    cases = make_cases(blobs())
    assert "oracle-raters" not in references(cases, "dice_rater")
    again = replace(cases, redraw=lambda index, rater, noise: cases.pixels.masks(index)[rater])
    assert references(again, "dice_rater")["oracle-raters"].values["dice_rater"].mean == 1


def test_intervals_of_rows_hold_their_values(make_cases, blobs):
    for row in references(make_cases(blobs()), "ged").values():
        found = row.values["ged"]
        assert found.interval.low <= found.mean <= found.interval.high


def test_rows_take_several_classes_and_say_who_cannot(make_cases, blobs):
    rows = references(make_cases(blobs(classes=3), classes=3), "ged")
    assert rows["more-than-half"].values["ged"].cases == 12
    assert rows["level-sets"].values == {}
    assert rows["level-sets"].failures == ("not applicable: takes two classes, 'made' has 3",)


def test_more_than_half_of_several_classes_needs_more_than_half(make_cases):
    from mrbench.agreement.bounds import more_than_half

    masks = np.array([[[1, 1, 2, 0]], [[1, 2, 2, 0]], [[2, 0, 2, 1]], [[0, 0, 0, 1]]])
    assert more_than_half(masks, 3).tolist() == [[0, 0, 2, 0]]


def test_rows_without_a_second_rater_have_no_value_where_others_are_needed(make_cases, blobs):
    present = np.zeros((12, 4), bool)
    present[:, 1] = True
    rows = references(make_cases(blobs(), present=present), "ged")
    assert rows["leave-one-out"].values == {}
    assert rows["vote-of-others"].values == {}
    assert rows["majority-vote"].values["ged"].mean == 0


def test_a_fusion_that_fails_is_a_row_with_its_reason(make_cases, blobs, make_distribution):
    broken = """
        from mrbench import MethodCard, hookimpl
        MRBENCH_API = "2"
        @hookimpl
        def mrbench_methods():
            return [MethodCard(name="broken", code="broken_fusion:fuse", kind="fusion",
                                 gives="consensus")]
        def fuse(masks, present, n, noise):
            raise RuntimeError("no vote today")
    """
    make_distribution("mrbench-broken", {"broken_fusion": broken}, {"broken": "broken_fusion"})
    row = references(make_cases(blobs()), "ged")["mrbench-broken:broken"]
    assert row.values == {}
    assert row.failures == ("case 'case-0': RuntimeError: no vote today",)


def test_anonymous_raters_have_no_metric_by_rater(make_cases, blobs):
    cases = make_cases(blobs(), raters=Raters.EXCHANGEABLE)
    table = surveyed(cases, "ged", "dice_rater").references
    assert set(table.columns) == {"ged"}


@pytest.fixture
def uneven(make_cases, blobs):
    """Twelve cases, of which the first five have one rater and the others four."""
    present = np.ones((12, 4), bool)
    present[:5, 1:] = False
    return make_cases(blobs(), present=present)


def test_a_value_of_some_of_its_cases_says_of_how_many(uneven):
    # One sample for each of several raters cannot be: the matched Dice of a vote is that of cases with one rater.
    value = references(uneven, "dice_match")["majority-vote"].values["dice_match"]
    assert (value.mean, value.cases, value.of_cases, value.count) == (1.0, 5, 12, "n 5/12")


def test_text_and_document_show_what_a_value_covers(uneven):
    found, text = surveyed(uneven, "dice_match"), StringIO()
    print_agreement(found, Console(file=text, width=100))
    assert "majority-vote   1.0000 n 5/12 (1.0000 .. 1.0000)" in text.getvalue()
    assert "the value covers so many of the cases" in text.getvalue()
    rows = {row["row"]: row for row in as_document(found)["people"]["rows"]}
    own = rows["majority-vote"]["metrics"]["dice_match"]
    assert {name: own[name] for name in ("value", "cases", "of")} == {"value": 1.0, "cases": 5, "of": 12}
    assert rows["majority-vote"]["summary"] == "at least half of the raters present, ties to the foreground"


def test_a_complete_table_explains_no_counts(make_cases, blobs):
    text = StringIO()
    print_agreement(surveyed(make_cases(blobs()), "ged"), Console(file=text, width=100))
    assert "covers so many" not in text.getvalue()


def test_no_reference_is_ranked(make_cases, blobs):
    table = surveyed(make_cases(blobs()), "ged").references
    assert {row.kind for row in table.rows} == {RowKind.HUMAN}
    assert comparable(table.rows, "ged", table.columns["ged"]) == []


def test_rows_that_draw_have_as_many_samples_as_were_asked_for(make_cases, blobs):
    rows = references(make_cases(blobs()), "ged", samples=3)
    assert {name: rows[name].samples for name in ("random-rater", "majority-vote", "empty")} == {
        "random-rater": 3, "majority-vote": 1, "empty": 1
    }  # fmt: skip


def test_columns_are_the_metrics_meant_for_tables_or_those_that_are_named(make_cases, blobs):
    meant = {plugin.key for plugin in discover().plugins["metric"] if plugin.card.table}
    table = surveyed(make_cases(blobs())).references
    given = {name for row in table.rows for name in row.values}
    assert set(table.columns) == given & meant < given
    assert set(surveyed(make_cases(blobs()), "ged", "ged_aa").references.columns) == {"ged", "ged_aa"}


def test_one_subject_leaves_no_interval_and_the_reason(make_cases, blobs):
    value = references(make_cases(blobs(), subjects=["one"] * 12), "ged")["empty"].values["ged"]
    assert value.interval is None
    assert value.no_interval == "a fold has one subject: what others would change cannot be known"


def test_a_metric_that_fails_costs_the_others_nothing(make_cases, blobs, make_distribution):
    broken = """
        from mrbench import metric
        MRBENCH_API = "2"
        @metric("broken", "raises", direction="higher", needs="samples", range=(0, 1))
        def broken(tables, protocol):
            raise RuntimeError("no number today")
    """
    make_distribution("mrbench-broken", {"broken_metric": broken}, {"broken": "broken_metric"})
    row = references(make_cases(blobs()), "ged", "broken")["empty"]
    assert set(row.values) == {"ged"}
    where = "metric 'mrbench-broken:broken', case 'case-0'"
    assert row.failures == (f"{where}: RuntimeError: no number today (broken_metric.py:6)",)
