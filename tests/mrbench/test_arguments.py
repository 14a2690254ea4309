"""What a Python caller gives is taken in every form that it may have, or refused with what was expected and found."""

from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrbench.arguments import path_of, paths_of, seconds_of, text_of, texts_of, whole_of, wholes_of
from mrbench.errors import UsageError


@pytest.mark.parametrize(
    ("take", "one", "taken"),
    [(texts_of, "ged", "ged"), (paths_of, "my.py", Path("my.py")), (paths_of, Path("a/b"), Path("a/b")),
     (wholes_of, 3, 3), (wholes_of, np.int64(3), 3)],
)  # fmt: skip
def test_one_value_is_a_list_of_one(take: Callable[[str, Any], tuple[Any, ...]], one: Any, taken: Any):
    assert take("name", one) == take("name", [one]) == take("name", iter((one,))) == (taken,)
    assert take("name", (one, one)) == (taken, taken)
    assert take("name", ()) == ()


def test_the_numbers_of_an_array_are_whole_numbers():
    found = wholes_of("folds", np.arange(3))
    assert found == (0, 1, 2)
    assert {type(number) for number in found} == {int}


@pytest.mark.parametrize("take", [texts_of, paths_of, wholes_of])
@pytest.mark.parametrize("wrong", [None, 1.5, object(), [None], [[1]], {1.5}])
def test_what_is_neither_one_nor_several_is_refused(take: Callable[[str, Any], tuple[Any, ...]], wrong: Any):
    with pytest.raises(UsageError, match=r"folds has a wrong value\n  expected: .*\n  found: "):
        take("folds", wrong)


@pytest.mark.parametrize("wrong", ["3", 2.0, True, np.float64(3), np.True_, None, np.array([3]), 1, -1])
def test_a_whole_number_is_one_from_its_least_on(wrong: Any):
    assert whole_of("samples", 2, 2) == whole_of("samples", np.uint8(2), 2) == 2
    with pytest.raises(UsageError) as caught:
        whole_of("samples", wrong, 2)
    assert (caught.value.expected, caught.value.found) == ("a whole number from 2", repr(wrong))


@pytest.mark.parametrize("wrong", ["5", 0, -1.0, nan, inf, True, None])
def test_seconds_are_a_number_above_zero(wrong: Any):
    assert [seconds_of("timeout", value) for value in (5, 0.5, np.float32(0.25))] == [5.0, 0.5, 0.25]
    with pytest.raises(UsageError, match="timeout has a wrong value\n  expected: seconds above 0"):
        seconds_of("timeout", wrong)


def test_text_and_paths_are_taken_as_they_are():
    assert (text_of("split", "strict"), path_of("out", "a"), path_of("out", Path("a"))) == ("strict", *[Path("a")] * 2)
    for take in (text_of, path_of):
        with pytest.raises(UsageError, match="out has a wrong value"):
            take("out", 3)
