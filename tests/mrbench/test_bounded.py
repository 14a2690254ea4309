"""Texts of bounded length, and what it costs to bound them."""

import time

import pytest

from mrbench.bounded import DETAILS, REASON, bounded, said, traceback_of
from mrbench.engine.cell import Status
from mrbench.engine.worker import classify
from mrbench.errors import MrbenchError, PluginError
from mrbench.places import told

HUGE = ("m\n" * 10 + "x" * 80) * 120_000
"""12 million characters."""


class SilentError(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_a_short_text_stays_as_it_is():
    assert bounded("a" * REASON) == "a" * REASON


def test_a_long_text_is_cut_and_says_how_long_it_was():
    assert bounded("a" * 1_000_000, 10) == "aaaaaaaaaa ... (cut; 1,000,000 characters in all)"


def test_an_exception_that_cannot_say_what_it_is_is_told_of():
    assert said(SilentError()) == "(its text cannot be had: RuntimeError)"
    assert told(SilentError(), ()) == "SilentError: (its text cannot be had: RuntimeError)"


def test_a_traceback_names_the_lines_and_what_it_came_of():
    def fail() -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error

    with pytest.raises(ValueError, match="outer") as caught:
        fail()
    text = traceback_of(caught.value)
    assert "ValueError: outer" in text
    assert "KeyError: 'inner'" in text
    assert 'raise KeyError("inner")' in text


def test_a_traceback_of_an_endless_recursion_is_short():
    def fall(depth: int) -> int:
        return fall(depth + 1) + 1

    with pytest.raises(RecursionError) as caught:
        fall(0)
    text = traceback_of(caught.value)
    assert "RecursionError" in text
    assert len(text) < DETAILS + 100


def test_causes_in_a_circle_come_to_an_end():
    a, b = ValueError("a"), ValueError("b")
    a.__cause__, b.__cause__ = b, a
    assert traceback_of(a).count("ValueError") == 2


@pytest.mark.parametrize("make", [ValueError, PluginError, lambda text: MrbenchError("w", expected=text, found=text)])
def test_a_message_of_12_mb_costs_less_than_2_seconds_and_leaves_little(make):
    begun = time.process_time()
    error = make(HUGE)
    status, reason = classify(error)
    details = traceback_of(error)
    assert time.process_time() - begun < 2
    assert status is Status.FAILED
    assert len(reason) <= 3 * DETAILS
    assert len(details) <= DETAILS + 100
