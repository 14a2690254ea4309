import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_board import Made, again, entry_of, put, registry

from mrbench.leaderboard.assemble import assemble
from mrbench.leaderboard.board import Board
from mrbench.leaderboard.store import Why
from mrbench.leaderboard.tables import as_csv
from mrbench.results.table import Row, RowKind, Table

HEADER = "source,table,dataset,method,metric,fold,raters_present,scoring,split,value,std,samples,note\n"
GOOD, BAD = Made(method="good", level=0.5, folds=1), Made(method="bad", level=0.8, folds=1)


def board_of(folder: Path, *made: Made, reported: str = "", settings: str = "") -> Board:
    for one in made:
        put(folder, *entry_of(one))
    folder.mkdir(exist_ok=True)
    (folder / "reported.csv").write_text(HEADER + reported)
    (folder / "board.toml").write_text(settings)
    return assemble(folder, registry())


def table_of(board: Board) -> Table:
    return board.datasets[0].tables[0]


def row_of(board: Board, method: str) -> Row:
    return next(row for row in table_of(board).rows if row.method == method and row.newest)


def test_rows_come_best_first_then_people_and_reported(tmp_path: Path):
    line = "A paper,Table 1,phantom,good,ged,mean,2,strict,theirs,0.1,,,\n"
    people = Made(method="people", people=True, folds=1)
    board = board_of(tmp_path, BAD, GOOD, people, reported=line)
    assert [(row.kind, row.method) for row in table_of(board).rows] == [
        (RowKind.METHOD, "good"), (RowKind.METHOD, "bad"),
        (RowKind.HUMAN, "people"), (RowKind.REPORTED, "good"),
    ]  # fmt: skip


def test_only_methods_are_ranked(tmp_path: Path):
    line = "A paper,Table 1,phantom,good,ged,mean,2,strict,theirs,0.0,,,\n"
    people = Made(method="people", level=0.0, people=True, folds=1)
    board = board_of(tmp_path, GOOD, BAD, people, reported=line)
    best = {(row.kind, row.method): row.values["ged"].best for row in table_of(board).rows}
    assert [place for place, is_best in best.items() if is_best] == [(RowKind.METHOD, "good")]
    assert not row_of(board, "people").values["ged"].best


def test_failed_entries_are_rows_without_rank(tmp_path: Path):
    broken = Made(method="broken", level=0.0, folds=2, failed=True)
    row = row_of(board_of(tmp_path, GOOD, BAD, broken), "broken")
    assert (row.cells, row.failures) == ((1, 2), ("fold1-seed0 failed: what went wrong",))
    assert not row.values["ged"].best


def test_an_older_entry_of_the_same_settings_is_history_and_another_setting_is_not(tmp_path: Path):
    old, files = entry_of(GOOD)
    put(tmp_path, again(old, 1, day="2025-01-02", note="old"), files)
    put(tmp_path, again(old, 2, options={"epochs": "30"}), files)
    board = board_of(tmp_path, GOOD)
    rows = table_of(board).rows
    assert [row.newest for row in rows] == [True, True, False]
    assert board.stored[rows[-1].id].entry.note == "old"


def test_other_data_and_splits_are_other_tables(tmp_path: Path):
    entry, files = entry_of(GOOD)
    for number, change in enumerate(({"data_digest": "a" * 64}, {"split_digest": "b" * 64}, {"split": "other"})):
        put(tmp_path, again(entry, number, **change), files)
    (page,) = board_of(tmp_path, GOOD, BAD).datasets
    assert [len(table.rows) for table in page.tables] == [2, 1, 1, 1]
    assert len({table.key for table in page.tables}) == len(page.tables)


def test_other_samples_are_not_ranked_together(tmp_path: Path):
    board = board_of(tmp_path, GOOD, BAD, replace(GOOD, method="other", level=0.1, samples=10))
    best = {method: row_of(board, method).values["ged"].best for method in ("good", "bad", "other")}
    assert not any(best.values()), "the best of S = 50 is not the best of its column, and S = 10 has no rival"


def test_an_entry_without_one_of_the_registered_folds_is_no_rival(tmp_path: Path):
    whole = [replace(one, folds=2) for one in (GOOD, BAD)]
    board = board_of(tmp_path, *whole, replace(GOOD, method="part", level=0.1))
    assert row_of(board, "good").values["ged"].best
    assert row_of(board, "part").values["ged"].count == "folds 1/2"


def test_an_entry_with_a_case_less_is_listed_apart(tmp_path: Path):
    board = board_of(tmp_path, GOOD, BAD, replace(GOOD, method="other", level=0.1, subjects=11))
    assert [row.method for row in table_of(board).rows] == ["good", "bad"]
    (apart,) = board.listed_apart
    assert apart.why is Why.DATA
    assert "fold 0, test cases; expected 24 cases" in apart.fault
    assert "found 22 cases" in apart.fault


def test_metrics_of_raters_are_ranked_whatever_s_is(tmp_path: Path):
    board = board_of(tmp_path, GOOD, replace(BAD, samples=10))
    assert row_of(board, "bad").values["dice_rater"].best


def test_no_two_rows_of_a_table_have_one_label(tmp_path: Path):
    papers = ("A paper,Table 1", "A paper,Table 2")
    lines = "".join(
        f"{paper},phantom,good,ged,mean,{raters},strict,{split},0.1,,50,\n"
        for paper in papers
        for raters in (2, "")
        for split in ("a", "b")
    )
    entry, files = entry_of(GOOD)
    put(tmp_path, again(entry, 1, options={"epochs": "30"}), files)
    rows = table_of(board_of(tmp_path, GOOD, BAD, reported=lines)).rows
    labels = [row.label for row in rows]
    assert len(set(labels)) == len(rows) == 11
    assert table_of(board_of(tmp_path, reported=lines)).to_pandas().index.is_unique
    assert [row.method for row in rows] == ["good", "good", "bad", *["good"] * 8]
    assert labels[2] == "bad"
    assert "good (reported, A paper, Table 2), split b, 2 raters present" in labels


def test_a_reported_row_alone_leaves_the_labels_of_others_as_they_are(tmp_path: Path):
    line = "A paper,Table 1,phantom,good,ged,mean,2,strict,theirs,0.1,,50,\n"
    rows = table_of(board_of(tmp_path, GOOD, reported=line)).rows
    assert [row.label for row in rows] == ["good", "good (reported, A paper, Table 1)"]


def test_a_bad_entry_is_listed_apart_and_stops_nothing(tmp_path: Path):
    folder = put(tmp_path, *entry_of(BAD))
    (folder / "entry.json").write_text("{}")
    board = board_of(tmp_path, GOOD)
    assert [row.method for row in table_of(board).rows] == ["good"]
    (apart,) = board.listed_apart
    assert (apart.path[:12], apart.why) == ("phantom/bad/", Why.INVALID)
    assert "required" in apart.fault


def test_an_entry_with_tampered_cases_is_no_row(tmp_path: Path):
    folder = put(tmp_path, *entry_of(GOOD))
    path = next(folder.glob("strict*"))
    path.write_bytes(bytes(path.stat().st_size))
    board = board_of(tmp_path, BAD, Made(method="worse", level=0.95, folds=1))
    assert [row.method for row in table_of(board).rows] == ["bad", "worse"]
    (apart,) = board.listed_apart
    assert folder.name in apart.path
    assert f"files.{path.name}; expected" in apart.fault


def test_an_entry_that_says_other_cases_than_it_has_is_no_row(tmp_path: Path):
    entry, files = entry_of(replace(GOOD, subjects=2))
    said = entry_of(BAD)[0].cells
    put(tmp_path, replace(entry, cells=said), files, known=False)
    board = board_of(tmp_path, BAD, Made(method="worse", level=0.95, folds=1))
    assert "cells.fold0-seed0.cases.strict" in board.listed_apart[0].fault


@pytest.mark.parametrize("content", ["[", "[]", '{"a": {"entries": ["x"]}}'])
def test_a_ruined_cache_is_computed_anew(tmp_path: Path, content: str):
    expected = board_of(tmp_path, GOOD, BAD)
    (tmp_path / "cache.json").write_text(content)
    found = assemble(tmp_path, registry(), tmp_path / "cache.json")
    assert row_of(found, "good").values == row_of(expected, "good").values


def test_reported_figures_never_stand_under_rows_of_other_data_nor_have_their_digest(tmp_path: Path):
    changed, files = entry_of(GOOD)
    put(tmp_path, again(changed, 1, data_digest="a" * 64, dataset_changed={"size": "64"}), files)
    lines = "A paper,Table 1,phantom,good,ged,mean,2,strict,theirs,0.1,,,leaks\n"
    lines += "A paper,Table 1,phantom-2,good,ged,mean,2,strict,theirs,0.2,,,\n"
    alone, other = board_of(tmp_path, reported=lines).datasets
    assert [[row.kind.value for row in table.rows] for table in alone.tables] == [["reproduced"], ["reported"]]
    assert [[row.kind.value for row in table.rows] for table in other.tables] == [["reported"]]
    board = board_of(tmp_path, GOOD, reported=lines)
    own = [[row.kind.value for row in table.rows] for table in board.datasets[0].tables]
    assert sorted(own) == [["reproduced"], ["reproduced", "reported"]]
    table = list(csv.DictReader(io.StringIO(as_csv(board))))
    places = {(line["data_digest"], line["split"]) for line in table if line["kind"] == "reported"}
    assert places == {("", "theirs")}


def test_a_data_set_without_entries_has_reported_rows(tmp_path: Path):
    lines = "A paper,Table 1,npc,theirs,dice_a1,mean,4,published,s,0.8,,,\n"
    lines += "A paper,Table 1,npc,theirs,dice_mean,mean,4,published,s,0.7,0.1,,as printed\n"
    lines += "A paper,Table 1,npc,theirs,p_value_ged,mean,4,published,s,0.01,,,\n"
    board = board_of(tmp_path, reported=lines)
    (row,) = table_of(board).rows
    figure = row.values["dice_rater"]
    assert (figure.mean, figure.sd, figure.by_rater) == (0.7, 0.1, {0: 0.8})
    assert (row.reported.source, row.reported.notes) == ("A paper", ("as printed",))
    assert list(row.values) == ["dice_rater"]


def test_method_pages_have_the_history_and_what_papers_say(tmp_path: Path):
    line = "A paper,Table 1,phantom,good,ged,mean,2,strict,theirs,0.1,,,\n"
    board = board_of(tmp_path, GOOD, replace(GOOD, dataset="lidc", days=3), reported=line)
    page = next(page for page in board.methods if page.name == "good")
    assert [one.entry.dataset for one in page.history] == ["lidc", "phantom"]
    assert [dataset for dataset, _ in page.reported] == ["phantom"]
