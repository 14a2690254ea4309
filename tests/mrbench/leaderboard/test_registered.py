"""The data of a board: what a person accepted, and what entries are compared with."""

from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_board import Made, entry_of, put

from mrbench.errors import DataError, UsageError
from mrbench.leaderboard.register import line_of_entry, register
from mrbench.leaderboard.registered import (
    REGISTERED,
    FoldCases,
    Registered,
    differences,
    read_registered,
    write_registered,
)
from mrbench.leaderboard.store import Stored, read_entry

ROOT = Path(__file__).parents[3]


def stored(board: Path, **made: object) -> Stored:
    return read_entry(put(board, *entry_of(Made(method="mine", **made)), known=False))


def test_a_line_has_the_test_cases_of_every_fold_and_how_far_apart_the_raters_are(tmp_path: Path):
    line = line_of_entry(stored(tmp_path, folds=2, subjects=3))
    assert {fold: own["strict"].cases for fold, own in line.folds.items()} == {0: 6, 1: 6}
    other = line_of_entry(read_entry(put(tmp_path, *entry_of(Made(method="other", folds=2, subjects=3)), known=False)))
    assert other.folds == line.folds, "whatever the method is"
    assert line.folds[0] != line.folds[1]


def test_people_do_not_tell_how_far_apart_the_raters_are(tmp_path: Path):
    people = line_of_entry(stored(tmp_path, people=True))
    method = line_of_entry(read_entry(put(tmp_path, *entry_of(Made(method="other")), known=False)))
    assert people.folds[0]["strict"].raters_apart is None
    both = Registered().with_line(people).with_line(method)
    assert both.data == (replace(people, folds=method.folds),), "which the first method adds"
    assert both.with_line(people) == both


def test_what_is_registered_is_read_back_and_grows_by_folds(tmp_path: Path):
    first, others = register(stored(tmp_path, folds=1))
    assert (list(first.folds), others) == ([0], [])
    second, _ = register(stored(tmp_path, folds=3))
    assert list(second.folds) == [0, 1, 2]
    assert read_registered(tmp_path).data == (second,)


def test_other_cases_of_a_registered_fold_are_refused(tmp_path: Path):
    register(stored(tmp_path, subjects=5))
    before = (tmp_path / REGISTERED).read_bytes()
    with pytest.raises(DataError, match="fold 0, test cases: registered otherwise") as caught:
        register(stored(tmp_path, subjects=4))
    assert ("10 cases" in caught.value.expected, "8 cases" in caught.value.found) == (True, True)
    assert (tmp_path / REGISTERED).read_bytes() == before


def test_other_data_of_one_name_are_told_of(tmp_path: Path):
    entry, files = entry_of(Made(method="mine"))
    register(read_entry(put(tmp_path, entry, files, known=False)))
    _, others = register(read_entry(put(tmp_path, replace(entry, data_digest="a" * 64), files, known=False)))
    assert [one.data_digest for one in others] == ["d" * 64]
    assert len(read_registered(tmp_path).named("phantom")) == 2


def test_an_entry_without_a_finished_cell_tells_of_no_cases(tmp_path: Path):
    with pytest.raises(UsageError, match="has no finished cell"):
        register(stored(tmp_path, folds=1, failed=True))


@pytest.mark.parametrize(
    ("found", "field"),
    [
        (FoldCases(4, "a" * 64, 0.5), None),
        (FoldCases(4, "a" * 64, None), None),
        (FoldCases(4, "a" * 64, 0.5 + 1e-12), None),
        (FoldCases(4, "a" * 64, 0.5 + 1e-6), "ged_aa"),
        (FoldCases(4, "b" * 64, 0.5), "test cases"),
    ],
)
def test_cases_differ_by_their_digest_or_by_the_raters(tmp_path: Path, found: FoldCases, field: str | None):
    line = replace(line_of_entry(stored(tmp_path)), folds={0: {"strict": FoldCases(4, "a" * 64, 0.5)}})
    told = [name for name, _, _ in differences(line, 0, "strict", found)]
    assert [field in name for name in told] == ([True] if field else [])
    assert next(iter(differences(line, 1, "strict", found)))[2] == "fold 1 under strict"


@pytest.mark.parametrize(
    "content", [b"{}", b"[", b'{"format": 2, "data": []}', b'{"format": 1, "data": [{}]}', b'{"format": 1, "x": 1}']
)
def test_what_is_no_such_file_is_named(tmp_path: Path, content: bytes):
    (tmp_path / REGISTERED).write_bytes(content)
    with pytest.raises(DataError, match=r"cannot read .*registry\.json"):
        read_registered(tmp_path)


def test_no_link_is_read(tmp_path: Path):
    (tmp_path / "elsewhere").write_text('{"format": 1, "data": []}')
    (tmp_path / REGISTERED).symlink_to("elsewhere")
    with pytest.raises(DataError, match="cannot read"):
        read_registered(tmp_path)


def test_the_data_of_this_repository_are_registered_and_written_alike(tmp_path: Path):
    found = read_registered(ROOT / "leaderboard")
    assert {line.dataset for line in found.data} == {"phantom"}
    write_registered(tmp_path, found)
    assert (tmp_path / REGISTERED).read_bytes() == (ROOT / "leaderboard" / REGISTERED).read_bytes()
