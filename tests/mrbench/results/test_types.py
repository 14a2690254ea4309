"""One type for each thing: which dataclasses stand for a value, a row, and for who is best; a new twin is noticed."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "mrbench"

VALUES = {
    "metrics.scoring.MetricValue",  # of one cell
    "metrics.scoring.Summary",  # over folds
    "results.table.Value",  # in a table
    "engine.record_form._Metric",  # as a record must hold it
    "leaderboard.entry.Score",  # as an entry must hold it
    "leaderboard.site.scores.ScoreLine",  # as a page says it
}
ROWS = {
    "results.table.Row",
    "leaderboard.entry.Entry",  # as an entry must hold it
    "leaderboard.reported.ReportedLine",  # as a paper's table was copied
    "engine.model_file.ModelFacts",  # as a model file must hold it
    "leaderboard.site.lines.Line",  # as a page says it
    "metrics.scores.Scores",  # all rows of a fold, by columns
}
BEST = {
    "results.table.Value",
    "results.ties.TieGroup",  # what a comparison gives to the letters of values
    "statistics.placements.Superiority",  # how often one is better
    "comparison.protocol_sensitivity.Shift",  # ranks before and after
    "leaderboard.site.lines.Cell",  # as a page says it
}
OF_OTHER_THINGS = {
    "cli.compare.Comparing",  # were letters asked for?
    "data.inspection.RaterFacts",  # a rater's rank by area
    "engine.fit.Progress",  # the best epoch of a training
}


def dataclasses() -> Iterator[tuple[str, set[str]]]:
    """Every dataclass and named tuple of the package, with its own fields; read, not imported."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                marks = " ".join(map(ast.unparse, [*node.decorator_list, *node.bases]))
                fields = [own.target for own in node.body if isinstance(own, ast.AnnAssign)]
                if "dataclass" in marks or "NamedTuple" in marks:
                    yield f"{module}.{node.name}", {own.id for own in fields if isinstance(own, ast.Name)}


def is_value(fields: set[str]) -> bool:
    return {"mean", "sd"} <= fields or bool({"by_class", "by_rater"} & fields)


def is_row(fields: set[str]) -> bool:
    told = {"value", "values", "metrics", "figures", "scores", "results", "cells"}
    return bool({"method", "row", "label"} & fields) and bool(told & fields)


def is_who_is_best(fields: set[str]) -> bool:
    return bool({"best", "letters", "rank", "ranks", "tied", "ties", "apart"} & fields)


KINDS = {"value": (is_value, VALUES), "row": (is_row, ROWS), "who is best": (is_who_is_best, BEST | OF_OTHER_THINGS)}


@pytest.mark.parametrize("kind", KINDS)
def test_no_second_type_stands_for_the_same_thing(kind: str):
    """One that is meant is added to the list above, with what it is for; others use what is there."""
    is_one, known = KINDS[kind]
    found: Mapping[str, set[str]] = dict(dataclasses())
    assert len(found) > 100, "else they are looked for in the wrong place"
    assert {name for name, fields in found.items() if is_one(fields)} == known
