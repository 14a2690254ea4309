"""The plan of the benchmark says what the code does, and stays what it was."""

import hashlib
import re
from pathlib import Path

import pytest

from mrbench.comparison.questions import QUESTIONS
from mrbench.nn.training import COMPACT
from mrbench.registry import discover
from mrbench.results.margins import MARGINS

PLAN = (Path(__file__).parents[2] / "docs" / "analysis-plan.md").read_text()
COMMITTED = "cd5887c72ebde2711fa1d280a188dd2373865a5b1c5124ded4f1bccd3546b010"
"""SHA-256 of all that stands before the deviations."""


def table(heading: str) -> list[list[str]]:
    """The cells of the first table after a text, without its head; code marks are left out."""
    lines = PLAN[PLAN.index(heading) :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|---"))
    rows = lines[start + 1 : start + 1 + next(i for i, line in enumerate(lines[start + 1 :]) if not line)]
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]


def test_the_plan_is_the_one_that_was_committed_before_the_benchmark():
    planned, heading, _ = PLAN.partition("## Deviations")
    assert heading
    assert hashlib.sha256(planned.encode()).hexdigest() == COMMITTED, "what is done otherwise stands under Deviations"


def test_questions_and_margins_are_those_of_the_code():
    coded = [[one.name, one.metric, one.control, MARGINS[one.metric].why] for one in QUESTIONS]
    assert table("## Questions") == coded


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_what_a_question_asks_is_said_in_its_words(question):
    told = PLAN.replace("'", "’").replace("\n  ", " ")
    assert f"**{question.name.capitalize()}**: {question.asks[0].lower()}{question.asks[1:]}" in told


def test_the_budget_is_the_preset_compact():
    assert table("**Budget.**") == [[name, "none" if value is None else str(value)] for name, value in COMPACT.items()]


def test_rows_are_all_that_is_installed():
    installed = {plugin.key for plugin in discover().of_kind("method") if ":" not in plugin.key}
    named = set(re.findall(r"`([a-z][a-z0-9-]+)`", PLAN[PLAN.index("## Rows") : PLAN.index("## Data")]))
    added = set(re.findall(r"^- Row `([a-z0-9-]+)`", PLAN[PLAN.index("## Deviations") :], re.MULTILINE))
    assert not named & added, "a row that was planned is no deviation"
    assert (named - {"compact"}) | added == installed


def test_claims_are_of_rows_and_of_metrics_of_questions():
    rows = {row for cells in table("## Rows") for row in re.findall(r"[a-z][a-z0-9-]+", cells[1])}
    for _, a, b, metric in table("these claims"):
        assert {a.split()[0], b.split()[0]} <= rows
        assert metric in {question.metric for question in QUESTIONS}
