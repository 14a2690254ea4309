import csv
import io
import json
from dataclasses import replace
from pathlib import Path

from synthetic_board import Made, again, entry_of, put, registry

from mrbench.leaderboard.assemble import assemble
from mrbench.leaderboard.board import Board
from mrbench.leaderboard.tables import as_csv, as_json, as_latex, as_markdown

HOSTILE = "=cmd|' /C calc'!A0 | <script>alert(1)</script> \\input{/etc/passwd} %$#& [x](javascript:1)"


def board_of(tmp_path: Path) -> Board:
    entry, files = entry_of(Made(method="good", level=0.5))
    data = replace(entry.data, citation=HOSTILE)
    put(tmp_path, replace(entry, split=HOSTILE, data=data, changed={"x": HOSTILE}, submitter=HOSTILE), files)
    put(tmp_path, *entry_of(Made(method="broken", failed=True)))
    return assemble(tmp_path, registry())


def test_the_csv_has_a_line_per_figure_and_runs_nothing(tmp_path: Path):
    board = board_of(tmp_path)
    lines = list(csv.DictReader(io.StringIO(as_csv(board))))
    assert len(lines) == sum(len(row.values) for page in board.datasets for table in page.tables for row in table.rows)
    good = next(line for line in lines if line["method"] == "good" and line["metric"] == "ged")
    row = next(row for table in board.datasets[0].tables for row in table.rows if row.method == "good")
    assert float(good["mean"]) == row.values["ged"].mean
    assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line.values())


def test_the_json_has_the_rows_and_no_nan(tmp_path: Path):
    content = json.loads(as_json(board_of(tmp_path)), parse_constant=lambda name: 1 / 0)
    tables = content["datasets"][0]["tables"]
    rows = {row["method"]: row for table in tables for row in table["rows"]}
    assert rows["broken"]["failures"] == ["fold1-seed0 failed: what went wrong"]
    assert set(rows["good"]["figures"]) >= {"ged", "dice_rater"}


def test_markdown_and_latex_show_strangers_as_text(tmp_path: Path):
    board = board_of(tmp_path)
    markdown, latex = as_markdown(board), as_latex(board)
    assert "<script" not in markdown
    assert "[x](" not in markdown
    assert "\\[x\\]" in markdown
    assert "\\input" not in latex.replace("\\textbackslash{}input", "")
    assert "1 of 2 cells" in markdown
    assert "1 of 2 cells" in latex


def test_every_latex_line_has_the_columns_of_its_head(tmp_path: Path):
    lines = as_latex(board_of(tmp_path)).splitlines()
    widths = {line.replace("\\&", "").count("&") for line in lines if line.endswith("\\\\")}
    heads = {len(line.partition("tabular}{")[2]) - 2 for line in lines if line.startswith("\\begin")}
    assert widths == heads


def test_two_entries_of_one_method_are_told_apart_in_rows_and_notes(tmp_path: Path):
    entry, files = entry_of(Made(method="good", failed=True))
    for epochs in ("3", "30"):
        options = {"epochs": epochs}
        put(tmp_path, again(entry, int(epochs), options=options, changed=options), files)
    board = assemble(tmp_path, registry())
    three, thirty = sorted(board.datasets[0].tables[0].rows, key=lambda row: len(row.caveats[-1]))
    for text in (as_markdown(board), as_latex(board)):
        assert f"epochs = 3: {three.label}\n" in text
        assert f"epochs = 30: {thirty.label}\n" in text
        for row in (three, thirty):
            assert sum(row.label in line and "1 of 2 cells" in line for line in text.splitlines()) == 1
            assert f"{row.label}: fold1-seed0 failed" in text
    assert three.label != thirty.label
    rows = json.loads(as_json(board))["datasets"][0]["tables"][0]["rows"]
    assert {(row["method"], row["label"]) for row in rows} == {("good", three.label), ("good", thirty.label)}
