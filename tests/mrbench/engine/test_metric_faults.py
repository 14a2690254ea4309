"""What a metric of somebody else does wrong costs its own value alone, and is told in a line."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mrbench.engine.metric_faults import reduce_each
from mrbench.engine.score_block import CaseScorer
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import Draw, DrawKind, one_hot
from mrbench.interfaces.metric import Key, Metric, metric
from mrbench.metrics import STRICT, TableBuilder

FACTS: Any = {"direction": "higher", "range": (0, 1), "needs": "samples"}
FILE = "test_metric_faults.py"


def pixels(tables, protocol):
    return {Key(1): np.array([float(tables.areas[0, 0])])}


GOOD = metric("good", "pixels of the first sample", **FACTS)(pixels)


def case(area: int) -> CaseTables:
    mask = (np.arange(16).reshape(4, 4) < area).astype(np.uint8)
    builder = TableBuilder(mask[None], np.ones(1, bool), 2)
    builder.add(Draw(DrawKind.SAMPLE, one_hot(mask, 2)))
    return builder.finish()


def scored(own: Metric, *areas: int, trials: int = 1) -> tuple[dict[str, float], dict[str, str]]:
    """Values and faults of cases c0, c1, ... by ``own``, which is called 'bad', beside a good metric."""
    metrics = {"f.py:bad": own, "good": GOOD}
    scorer = CaseScorer(metrics, STRICT)
    for number, area in enumerate(areas):
        scorer.add(f"c{number}", f"s{number}", [case(area)] * trials)
    values, faults = reduce_each(scorer.scores.only(set(metrics) - set(scorer.faults)), metrics, STRICT)
    return {name: value.value for name, value in values.items()}, {**faults, **scorer.faults}


def line_of(function: Callable[..., Any], after: int = 0) -> int:
    return function.__code__.co_firstlineno + after


def test_an_exception_is_told_with_metric_case_file_and_line():
    def raises(tables, protocol):
        if tables.areas[0, 0] == 3:
            raise ValueError("no number\nfor this one")
        return pixels(tables, protocol)

    values, faults = scored(metric("bad", "raises", **FACTS)(raises), 2, 3, 4)
    assert values == {"good": 3}
    assert faults == {"f.py:bad": f"metric 'f.py:bad', case 'c1': ValueError: no number ({FILE}:{line_of(raises, 2)})"}


def test_an_exit_is_a_fault_like_any_other():
    def leaves(tables, protocol):
        raise SystemExit(3)

    values, faults = scored(metric("bad", "leaves", **FACTS)(leaves), 2)
    assert values == {"good": 2}
    assert faults["f.py:bad"] == f"metric 'f.py:bad', case 'c0': SystemExit: 3 ({FILE}:{line_of(leaves, 1)})"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (3, "its statistics are no mapping: 3 in place of a dictionary {Key(label, rater): vector}"),
        (
            {Key(2): np.zeros(1)},
            "a statistic belongs nowhere: Key(label=2, rater=None) in place of "
            "Key(label in 1..1, rater None or in [0])",
        ),
        (
            {Key(1): np.zeros((2, 2))},
            "Key(label=1, rater=None) is no vector of numbers: array([[0., 0.], [0., 0.]]) in place of a NumPy array "
            "(n,) of numbers",
        ),
    ],
)
def test_what_is_no_statistic_is_told_in_a_line(answer: Any, told: str):
    def wrong(tables, protocol):
        return answer

    values, faults = scored(metric("bad", "wrong", **FACTS)(wrong), 2)
    assert values == {"good": 2}
    assert faults["f.py:bad"] == f"metric 'f.py:bad', case 'c0': {told} ({FILE}:{line_of(wrong)})"


def test_a_vector_of_another_length_than_before_is_told_with_both_cases():
    def grows(tables, protocol):
        return {Key(1): np.ones(tables.areas[0, 0])}

    values, faults = scored(metric("bad", "grows", **FACTS)(grows), 2, 2, 3)
    assert values == {"good": pytest.approx(7 / 3)}
    assert faults["f.py:bad"] == (
        "metric 'f.py:bad': its vector of case 'c2' has another length than before: 3 in place of 2, as of case 'c0' "
        f"({FILE}:{line_of(grows)})"
    )


def test_trials_of_unequal_vectors_are_told():
    lengths = iter([1, 2])

    def uneven(tables, protocol):
        return {Key(1): np.ones(next(lengths))}

    values, faults = scored(metric("bad", "uneven", **FACTS)(uneven), 2, trials=2)
    assert values == {"good": 2}
    assert faults["f.py:bad"] == (
        "metric 'f.py:bad', case 'c0': its statistics cannot be averaged over trials: [1, 2] in place of vectors of "
        f"one length ({FILE}:{line_of(uneven)})"
    )


@pytest.mark.parametrize("number", [np.nan, np.inf, -1e101])
def test_a_number_that_is_not_finite_is_told(number: float):
    def infinite(tables, protocol):
        return {Key(1): np.array([0.0, number])}

    values, faults = scored(metric("bad", "infinite", **FACTS)(infinite), 2)
    assert values == {"good": 2}
    assert faults["f.py:bad"] == (
        "metric 'f.py:bad', case 'c0': Key(label=1, rater=None) is not finite, or too large: "
        f"{np.array([0.0, number])!r} in place of numbers of at most 1e+100 ({FILE}:{line_of(infinite)})"
    )


def test_a_rule_that_raises_is_told():
    def nowhere(tables, key):
        return tables.areas[5, 5] > 0

    def nothing(tables, protocol):
        return {}

    values, faults = scored(metric("bad", "no rule", applies=nowhere, **FACTS)(nothing), 2)
    assert values == {"good": 2}
    assert faults["f.py:bad"].startswith("metric 'f.py:bad', case 'c0': IndexError: ")
    assert faults["f.py:bad"].endswith(f"({FILE}:{line_of(nowhere, 1)})")


def test_a_value_of_a_fold_that_cannot_be_had_is_told_and_costs_the_others_nothing():
    def divides(total):
        return float(total[0]) / 0

    values, faults = scored(metric("bad", "divides", pooled=divides, **FACTS)(pixels), 2)
    assert values == {"good": 2}
    told = f"metric 'f.py:bad': ZeroDivisionError: float division by zero ({FILE}:{line_of(divides, 1)})"
    assert faults == {"f.py:bad": told}


@pytest.mark.parametrize(("value", "told"), [(float("nan"), "nan"), (None, "None"), ("many", "'many'")])
def test_a_value_of_a_fold_that_is_no_number_is_told(value: Any, told: str):
    values, faults = scored(metric("bad", "no number", pooled=lambda total: value, **FACTS)(pixels), 2)
    assert values == {"good": 2}
    assert faults["f.py:bad"] == (
        f"metric 'f.py:bad': its value is no number: {told} in place of a finite float ({FILE}:{line_of(pixels)})"
    )
