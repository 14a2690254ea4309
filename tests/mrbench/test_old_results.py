"""A results folder that an older version wrote: every command says what it is and what to do, and nothing is lost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from results_folders import snapshot
from synthetic_board import Made, entry_of, put, put_raw

from mrbench.engine.manifest import FILES, SEAL
from mrbench.leaderboard.entry import entry_bytes

Call = Callable[..., Result]
TINY = ("--dataset", "phantom", "--set", "phantom.subjects=9", "--set", "phantom.size=32", "--fold", "0")
RUN = ("run", "--method", "staple", *TINY, "--out", "out")
FORMATS = ("another format: 1 in place of 2", "another format\n  expected: 2\n  found:    1")


@pytest.fixture
def old(mrbench: Call, tmp_path: Path) -> dict[Path, tuple[bytes, int]]:
    """A run and its cell as format 1 had them: under another digest, without seals and digests of files and code."""
    assert mrbench(*RUN).exit_code == 0
    (cell,) = tmp_path.glob("out/cells/phantom/staple/*")
    cell = cell.rename(cell.with_name("0123456789abcdef"))
    (run,) = (tmp_path / "out/runs").iterdir()
    run = run.rename(run.with_name("phantom-01234567"))
    _made_old(cell / "fold0-seed0" / "record.json", lambda content: [content.pop(FILES), content["spec"]])
    _made_old(run / "run.json", lambda content: [one["spec"] for one in content["cells"]])
    return snapshot(tmp_path / "out")


def _made_old(path: Path, change: Callable[[dict[str, Any]], list[Any]]) -> None:
    content = json.loads(path.read_text())
    for spec in change(content):
        spec.pop("training_code", None)
        spec.pop("prediction_code", None)
    del content[SEAL]
    path.write_text(json.dumps(content | {"format": 1}))


def said(result: Result) -> str:
    assert "Traceback" not in result.output + result.stderr
    return result.stdout + result.stderr


def stays(tmp_path: Path, old: dict[Path, tuple[bytes, int]]) -> bool:
    return old.items() <= snapshot(tmp_path / "out").items()


@pytest.mark.parametrize(
    "command",
    [("show",), ("score",), ("report",), ("repair",), ("export", "--to", "copies"), ("leaderboard", "add")],
)
def test_whatever_reads_a_run_names_its_format_and_the_next_command(
    mrbench: Call, tmp_path: Path, old: dict[Path, tuple[bytes, int]], command: tuple[str, ...]
):
    group = command[:1] if command[0] != "leaderboard" else command
    result = mrbench(*group, "phantom-01234567", *command[len(group) :], "--out", "out")
    assert result.exit_code == 4
    assert any(words in said(result) for words in FORMATS)
    assert "the same mrbench run computes it anew beside this one, which stays" in result.stderr
    assert stays(tmp_path, old)


def test_a_run_computes_anew_beside_what_is_there(mrbench: Call, tmp_path: Path, old: dict[Path, tuple[bytes, int]]):
    assert "to do" in said(mrbench(*RUN, "--dry-run"))
    result = mrbench(*RUN)
    assert result.exit_code == 0, said(result)
    assert stays(tmp_path, old)
    assert len(list((tmp_path / "out/cells/phantom/staple").iterdir())) == 2
    assert mrbench("show", "last", "--out", "out").exit_code == 0


def test_du_counts_it_and_clean_removes_nothing_of_it(
    mrbench: Call, tmp_path: Path, old: dict[Path, tuple[bytes, int]]
):
    used = mrbench("du", "--out", "out")
    assert used.exit_code == 0
    assert FORMATS[0] in said(used)
    assert "mrbench clean" in said(used)
    cleaned = mrbench("clean", "--out", "out", "--yes")
    assert cleaned.exit_code == 1
    assert "another format" in said(cleaned)
    assert "the same mrbench run computes it anew beside this one" in said(cleaned)
    assert stays(tmp_path, old)


def test_a_merge_refuses_it_and_says_what_comes_of_it(
    mrbench: Call, tmp_path: Path, old: dict[Path, tuple[bytes, int]]
):
    result = mrbench("merge", "out", "--out", "merged")
    assert result.exit_code == 1
    assert FORMATS[0] in said(result)
    assert "written by another version of mrbench: 1 in place of record format 2" in said(result)
    assert "the same mrbench run computes them, and those of another version, anew" in said(result)
    assert stays(tmp_path, old)
    assert not list(tmp_path.glob("merged/cells/**/record.json"))


def test_a_board_lists_an_old_entry_apart_and_shows_the_others(mrbench: Call, tmp_path: Path):
    entry, files = entry_of(Made(method="mine", folds=2, subjects=4))
    put(tmp_path / "leaderboard", entry, files)
    other, files = entry_of(Made(method="older", folds=2, subjects=4))
    content = entry_bytes(other).replace(b'"format": 2', b'"format": 1').replace(b'"format":2', b'"format":1')
    assert content != entry_bytes(other)
    put_raw(tmp_path / "leaderboard", other, content, files)
    before = snapshot(tmp_path / "leaderboard")
    built = mrbench("leaderboard", "build")
    assert built.exit_code == 0, said(built)
    assert "older" in said(built)
    assert "format" in said(built)
    assert before.items() <= snapshot(tmp_path / "leaderboard").items()
