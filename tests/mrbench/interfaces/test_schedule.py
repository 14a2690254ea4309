import math

import pytest

from mrbench.errors import PluginError
from mrbench.interfaces.schedule import share_of_rate


def test_cosine_is_half_a_wave_from_one_towards_zero() -> None:
    found = [share_of_rate("cosine", epoch, 4) for epoch in range(4)]
    assert found == pytest.approx([1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2])


def test_constant_is_one_in_every_epoch() -> None:
    assert {share_of_rate("constant", epoch, 9) for epoch in range(9)} == {1.0}


def test_polynomial_is_what_is_left_of_the_epochs_to_the_power_nine_tenths() -> None:
    assert share_of_rate("polynomial", 0, 300) == 1.0
    assert share_of_rate("polynomial", 150, 300) == pytest.approx(0.5**0.9)
    assert share_of_rate("polynomial", 299, 300) == pytest.approx(300**-0.9)


def test_late_decay_divides_by_eleven_tenths_after_each_epoch_beyond_number_forty() -> None:
    rate, expected = 1.0, []
    for epoch in range(100):  # as the authors' loop does it
        expected.append(rate)
        if epoch > 40:
            rate /= 1.1
    assert [share_of_rate("late-decay", epoch, 100) for epoch in range(100)] == pytest.approx(expected)


def test_an_unknown_schedule_is_refused_with_those_there_are() -> None:
    with pytest.raises(PluginError, match="unknown schedule") as caught:
        share_of_rate("warm", 0, 3)  # type: ignore[arg-type]
    assert caught.value.found == "'warm'"
    assert "polynomial" in caught.value.expected
