"""Numbers are as short as they can be, and each place writes them the same way."""

import pytest

from mrbench.results import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, ".2500"),
        (-0.25, "-.2500"),
        (0.0, ".0000"),
        (0.99996, "1.0000"),
        (10.5, "10.5000"),
        (-20.0, "-20.0000"),
        (-0.00001, ".0000"),
        (-0.0, ".0000"),
    ],
)
def test_a_short_number_has_no_zero_before_its_point(value: float, text: str):
    assert numbers.short(value) == text


def test_a_difference_has_its_sign_unless_it_rounds_to_zero():
    assert [numbers.signed(value, 2) for value in (0.25, -0.25, 1.5, 0.001, -0.001)] == [
        "+.25", "-.25", "+1.50", ".00", ".00"
    ]  # fmt: skip


def test_the_ends_of_a_short_interval_are_written_as_its_value_is():
    assert numbers.short_interval(0.1, 0.25) == ".1000 .. .2500"
    assert numbers.short_interval(-0.1, 0.25, numbers.signed) == "-.1000 .. +.2500"


def test_a_small_p_is_not_written_out():
    assert [numbers.short_p(p) for p in (0.00004, 0.0123, 1.0)] == ["<.0001", ".0123", "1.0000"]
    assert [numbers.p_relation(p) for p in (0.00004, 0.0123, 1.0)] == ["< .0001", "= .0123", "= 1.0000"]


def test_a_full_number_stays_short_where_it_is_large():
    assert [numbers.full(value) for value in (0.17452, -0.5, 12345.678)] == ["0.1745", "-0.5000", "12346"]
    assert [numbers.full_spread(value) for value in (0.0123, 12345.678)] == ["0.012", "1.23e+04"]
    assert max(len(numbers.full(value)) for value in (1e15, -1e15, 999.99)) <= 11


def test_a_dash_stands_between_the_ends_of_a_full_interval_unless_it_would_read_as_a_sign():
    assert numbers.full_interval(0.1, 0.25) == "0.100–0.250"
    assert numbers.full_interval(-0.1, 0.2) == "-0.100 to 0.200"


def test_what_is_not_known_is_blank():
    assert numbers.full_interval(None, 0.2) == numbers.full_spread(None) == numbers.cost_text(None) == ""


def test_a_cost_has_three_digits_or_is_whole():
    assert [numbers.cost_text(value) for value in (0.0893, 46.4, 99.96, 249557, 3e10)] == [
        "0.0893", "46.4", "100", "249,557", "3e+10"
    ]  # fmt: skip


def test_a_tick_has_a_letter_for_its_thousands():
    assert [numbers.tick(value) for value in (0.5, 1500.0, -2e6, 3e9)] == ["0.5", "1.5 k", "-2 M", "3 G"]
