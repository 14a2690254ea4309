"""What the template takes is what the table says."""

from dataclasses import replace
from typing import Any

import pytest

from mrbench.engine.run import Run
from mrbench.registry import Registry
from mrbench.report.choices import Choices
from mrbench.report.gather import DatasetReport, gather
from mrbench.report.view import SOURCES, view_of
from mrbench.results.columns import COSTS, INCOMPLETE
from mrbench.results.readers import HOW
from mrbench.results.table import KINDS, RowKind


@pytest.fixture(scope="module")
def part(run: Run, registry: Registry) -> DatasetReport:
    (found,) = gather([run], registry, Choices()).datasets
    return found


def cells(view: dict[str, Any], label: str) -> dict[str, dict[str, Any]]:
    """The cells of a row by metric."""
    names = [metric["name"] for metric in view["metrics"]]
    (row,) = (row for group in view["groups"] for row in group["rows"] if row["label"] == label)
    return dict(zip(names, row["columns"], strict=True))


def test_a_cell_is_a_value_with_its_spread_and_star(part: DatasetReport):
    view = view_of(part, "d0")
    for row in part.table.rows:
        for name, cell in cells(view, row.label).items():
            value = row.values.get(name)
            assert cell["sort"] == ("" if value is None else repr(value.mean))
            assert cell["text"] == ("" if value is None else f"{value.mean:.4f}")
            assert cell["sd"] == ("" if value is None else f"{value.sd:.3f}")
            assert cell["best"] == (value is not None and value.best)


def test_a_value_that_misses_cases_has_its_count_and_a_line_explains_it(part: DatasetReport):
    whole = view_of(part, "d0")
    assert not any(cell["count"] for row in part.table.rows for cell in cells(whole, row.label).values())
    assert INCOMPLETE not in whole["notes"]
    first, *rest = part.table.rows
    value = first.values["ged"]
    few = replace(first, values={**first.values, "ged": replace(value, cases=5, of_cases=6)})
    view = view_of(replace(part, table=replace(part.table, rows=[few, *rest])), "d0")
    assert {name: cell["count"] for name, cell in cells(view, first.label).items() if cell["count"]} == {"ged": "n 5/6"}
    assert view["notes"][0] == INCOMPLETE


def test_only_caveats_that_need_other_words_are_repeated_below_the_table(part: DatasetReport):
    view = view_of(part, "d0")
    assert all(row.caveats for row in part.table.rows)
    assert view["notes"] == [
        "external predictions, of which nobody knows what they were made from (never ranked): external:mine",
        "sees the masks it is scored on (never ranked): vote",
        "single output, scored as one sample and as every rater's: vote",
        *part.table.notes,
    ]
    assert HOW in part.table.notes


def test_external_predictions_and_human_references_stand_apart_below_the_methods(part: DatasetReport):
    groups = view_of(part, "d0")["groups"]
    assert [(group["title"], [row["label"] for row in group["rows"]]) for group in groups] == [
        ("", ["alpha", "beta"]),
        (KINDS[RowKind.EXTERNAL], ["external:mine"]),
        (KINDS[RowKind.HUMAN], ["vote"]),
    ]


def test_what_the_values_vary_by_is_said_where_it_is_known(part: DatasetReport):
    tables = {table["metric"]: dict(table["rows"]) for table in view_of(part, "d0")["component_tables"]}
    known = {name for own in part.components.values() for name, found in own.items() if found.sources}
    assert set(tables) == known & set(part.table.columns)
    assert all(len(texts) == len(SOURCES) for rows in tables.values() for texts in rows.values())
    assert set(part.components) == {row.label for row in part.table.rows}


def test_folds_are_those_of_the_values(part: DatasetReport):
    view = view_of(part, "d0")
    tables = {table["metric"]: dict(table["rows"]) for table in view["fold_tables"]}
    assert list(tables) == list(part.table.columns)
    for name, rows in tables.items():
        expected = {row.label: row.values[name].folds for row in part.table.rows if name in row.values}
        assert rows == {label: [f"{folds[0]:.4f}", f"{folds[1]:.4f}"] for label, folds in expected.items()}


def test_every_cost_is_a_column_and_those_with_words_are_figures(part: DatasetReport):
    view = view_of(part, "d0")
    assert view["cost_names"] == [cost.name for cost in COSTS]
    assert [picture["title"] for picture in view["cost_pictures"]] == [
        f"ged against {c.words}" for c in COSTS if c.words
    ]
    assert [row["label"] for row in view["costs"]] == ["alpha", "beta", "vote"], "others' predictions cost nothing here"
    (alpha,) = (row for row in part.table.rows if row.label == "alpha")
    assert [float(cell["sort"]) for cell in view["costs"][0]["columns"]] == [alpha.costs[c.name] for c in COSTS]
