"""Rows of a table as lines of text."""

from collections.abc import Callable
from dataclasses import replace

from mrbench.leaderboard.board import Board, Table
from mrbench.leaderboard.site.lines import Look, groups_of, rows_data
from mrbench.leaderboard.site.pages import Site
from mrbench.results import numbers


def table_of(board: Board) -> Table:
    return board.datasets[0].tables[0]


def test_reported_rows_stand_below_their_method_or_alone(make_board: Callable[..., Board]):
    groups = {group.name: group for group in groups_of(table_of(make_board(4)), Look({}, {}))}
    assert list(groups) == ["methods", "people", "alone", "older"]
    first, *others = groups["methods"].units
    assert [line.kind for line in first.reported] == ["reported"]
    assert not any(unit.reported for unit in others)
    assert [unit.line.method for unit in groups["alone"].units] == ["method-unseen"]
    assert [unit.line.method for unit in groups["people"].units] == ["method-people"]
    assert [unit.line.older for unit in groups["older"].units] == [True]


def test_reported_rows_beyond_three_are_counted(make_board: Callable[..., Board]):
    table = table_of(make_board(4))
    table = replace(table, rows=[*table.rows, *[table.rows[-2]] * 5])
    unit = groups_of(table, Look({}, {}))[0].units[0]
    assert (len(unit.reported), unit.more) == (3, 3)


def test_marks_that_all_methods_have_are_said_once(make_board: Callable[..., Board]):
    table = table_of(make_board(4))
    rows = [replace(row, caveats=("virtual raters", *row.caveats)) if row.run else row for row in table.rows]
    group = groups_of(replace(table, rows=rows), Look({}, {}))[0]
    assert group.shared == ("virtual raters",)
    assert [unit.line.notes for unit in group.units] == [f"mark {n}" for n in range(4)]


def test_columns_for_figures_alone_are_not_in_the_table(make_board: Callable[..., Board]):
    table = table_of(make_board(4))
    line = groups_of(table, Look({}, {}))[0].units[0].line
    assert [cell and cell.text for cell in line.cells] == [*["0.1000"] * 2, *["1.0000"] * 2, *["0.9000"] * 3]
    assert line.cells[0].best
    assert line.cells[0].interval == "0.080–0.120"
    assert (line.done, line.costs[0], line.costs[4]) == ("2/2", "190", "250,000")


def test_the_file_of_rows_says_every_text_once(make_board: Callable[..., Board]):
    board = make_board(30)
    data = rows_data(groups_of(table_of(board), Site(board).look))
    assert len(data["words"]) == len(set(data["words"]))
    assert data["words"].count("methods/method-0.html") == 1, "of the newest and the older row of a method"


def test_numbers_stay_short():
    figures = [numbers.full(value) for value in (0.17452, -0.5, 12345.678, 1e15)]
    assert figures == ["0.1745", "-0.5000", "12346", "1e+15"]
    assert numbers.full_interval(-0.1, 0.2) == "-0.100 to 0.200"
    assert numbers.full_interval(None, 0.2) == numbers.full_spread(None) == numbers.cost_text(None) == ""
    costs = [numbers.cost_text(value) for value in (0.0893, 46.4, 249557, 3e10)]
    assert costs == ["0.0893", "46.4", "249,557", "3e+10"]
