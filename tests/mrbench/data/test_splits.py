import numpy as np
import pytest

from mrbench.data.splits import Fold, Split
from mrbench.errors import DataError

SUBJECTS = ["a", "a", "b", "c", "d", "e"]


def split(name, train, validation, test):
    return Split(name, (Fold(*(np.array(part, np.int64) for part in (train, validation, test))),))


def test_a_subject_that_is_learnt_from_and_tested_leaks():
    assert split("x", [0, 2], [3], [4]).folds[0].leaks(SUBJECTS) == []
    assert split("x", [0, 2], [3], [1, 4]).folds[0].leaks(SUBJECTS) == ["a"]
    assert split("x", [4, 2], [0], [1]).folds[0].leaks(SUBJECTS) == ["a"]


def test_a_subject_in_two_parts_is_refused_but_for_published_rules():
    with pytest.raises(DataError, match="splits subject 'a'"):
        split("mine", [0, 2], [3], [1, 4]).check(SUBJECTS, owner="x")
    split("published-slice", [0, 2], [3], [1, 4]).check(SUBJECTS, owner="x")
    with pytest.raises(DataError, match="lists a case twice"):
        split("published", [0, 2], [3], [0, 4]).check(SUBJECTS, owner="x")


def test_what_leaks_is_named():
    found = split("published", [0, 2], [3], [1, 4]).leak_warnings(SUBJECTS, owner="x")
    assert found == ["split 'published' of data set 'x' leaks: fold 0 trains and tests on 1 subject: a"]
    many = [str(i % 4) for i in range(8)]
    (line,) = split("published", [0, 1, 2, 3], [], [4, 5, 6, 7]).leak_warnings(many, owner="x")
    assert line.endswith("fold 0 trains and tests on 4 subjects: 0, 1, 2, ...")
    assert split("strict", [0, 1], [2], [3]).leak_warnings(SUBJECTS, owner="x") == []
