"""A metric is one function: what its decorator makes of it, and what is refused of its answers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from mrbench.cards import Direction, MetricCard, Need
from mrbench.errors import PluginError
from mrbench.interfaces.metric import Key, Metric, metric
from mrbench.metrics import STRICT, TableBuilder

FACTS: Any = {"direction": "lower", "range": (0, 1), "needs": "raters"}
NO_STATISTICS: Mapping[Key, np.ndarray] = {}
TABLES = TableBuilder(np.zeros((3, 4, 4), np.uint8), np.array([True, False, True]), 3).finish()
"""Three classes, raters 0 and 2."""


def giving(answer: Any, **facts: Any) -> Metric:
    @metric("given", "gives what it is told", **{**FACTS, **facts})
    def given(tables, protocol):
        """What the test says."""
        return answer

    return given


def test_the_decorator_makes_the_card_and_leaves_the_function_callable():
    found = giving(NO_STATISTICS, version="3", identified=True, table=False, citation="c", licence="l", empty="e")
    assert found.__mrbench_card__ == MetricCard(
        name="given",
        code=f"{__name__}:given",
        summary="gives what it is told",
        version="3",
        citation="c",
        licence="l",
        direction=Direction.LOWER,
        range=(0, 1),
        needs=Need.RATERS,
        identified=True,
        table=False,
        empty="e",
    )
    assert found(TABLES, STRICT) == {}
    assert (found.__name__, found.__doc__) == ("given", "What the test says.")


@pytest.mark.parametrize("wrong", [{"direction": "up"}, {"needs": "sample"}])
def test_words_that_no_card_knows_are_refused(wrong: dict[str, str]):
    with pytest.raises(ValueError, match="is not a valid"):
        giving(NO_STATISTICS, **wrong)


def test_a_value_is_the_first_statistic_or_what_the_metric_makes_of_the_sum():
    assert giving(NO_STATISTICS).finalise(np.array([0.25, 7.0])) == 0.25
    assert giving(NO_STATISTICS, pooled=lambda total: total[0] / total[1]).finalise(np.array([1.0, 4.0])) == 0.25


def test_a_metric_applies_where_a_rater_looked_and_its_own_rule_is_asked_nowhere_else():
    nobody = TableBuilder(np.zeros((3, 4, 4), np.uint8), np.zeros(3, bool), 3).finish()
    asked = []

    def first_class(tables, key):
        asked.append(key)
        return key.label == 1

    assert [giving(NO_STATISTICS).applies(tables, Key(2)) for tables in (TABLES, nobody)] == [True, False]
    picky = giving(NO_STATISTICS, applies=first_class)
    assert [picky.applies(TABLES, Key(label)) for label in (1, 2)] == [True, False]
    assert not picky.applies(nobody, Key(1))
    assert asked == [Key(1), Key(2)]


def test_keys_of_the_case_and_vectors_of_one_length_are_taken_as_they_are():
    answer = {Key(1): np.array([1.0, 2.0]), Key(2, 0): np.array([1, 2]), Key(2, 2): np.array([True, False])}
    assert giving(answer)(TABLES, STRICT) is answer


VECTOR = np.zeros(1)


@pytest.mark.parametrize(
    ("answer", "what", "expected", "found"),
    [
        (None, "its statistics are no mapping", "{Key(label, rater): vector}", "None"),
        (0.5, "its statistics are no mapping", "{Key(label, rater): vector}", "0.5"),
        ([(Key(1), VECTOR)], "its statistics are no mapping", "{Key(label, rater): vector}", "[(Key(label=1"),
        ({1: VECTOR}, "a statistic belongs nowhere", "Key(label in 1..2, rater None or in [0, 2])", "1"),
        ({(1, None): VECTOR}, "a statistic belongs nowhere", "Key(label in 1..2", "(1, None)"),
        ({Key(0): VECTOR}, "a statistic belongs nowhere", "label in 1..2", "Key(label=0, rater=None)"),
        ({Key(3): VECTOR}, "a statistic belongs nowhere", "label in 1..2", "Key(label=3, rater=None)"),
        ({Key(1, 1): VECTOR}, "a statistic belongs nowhere", "rater None or in [0, 2]", "Key(label=1, rater=1)"),
        ({Key(1, 7): VECTOR}, "a statistic belongs nowhere", "rater None or in [0, 2]", "Key(label=1, rater=7)"),
        ({Key(1): 0.5}, "Key(label=1, rater=None) is no vector of numbers", "a NumPy array (n,)", "0.5"),
        ({Key(1): [0.5]}, "Key(label=1, rater=None) is no vector of numbers", "a NumPy array (n,)", "[0.5]"),
        ({Key(1): np.array(0.5)}, "is no vector of numbers", "a NumPy array (n,)", "array(0.5)"),
        ({Key(1): np.zeros((1, 2))}, "is no vector of numbers", "a NumPy array (n,)", "array([[0., 0.]])"),
        ({Key(1): np.array(["a"])}, "is no vector of numbers", "a NumPy array (n,)", "array(['a']"),
        ({Key(1): np.array([1j])}, "is no vector of numbers", "a NumPy array (n,)", "array([0.+1.j])"),
        ({Key(1): np.array([])}, "its statistics cannot be added up", "one length, at least 1", "[0]"),
        ({Key(1): VECTOR, Key(2): np.zeros(3)}, "its statistics cannot be added up", "vectors of one length", "[1, 3]"),
    ],
)
def test_what_is_no_statistic_is_told_with_what_was_expected_and_found_and_where(
    answer: Any, what: str, expected: str, found: str
):
    with pytest.raises(PluginError) as caught:
        giving(answer)(TABLES, STRICT)
    assert what in caught.value.what
    assert expected in caught.value.expected
    assert caught.value.found.startswith(found)
    assert caught.value.place == f"test_metric.py:{giving.__code__.co_firstlineno + 1}"


def test_long_answers_are_cut():
    with pytest.raises(PluginError) as caught:
        giving(["x" * 10_000])(TABLES, STRICT)
    assert len(caught.value.found) <= 200
