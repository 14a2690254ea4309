from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from stored_runs import StoredCell, cases, store_run
from synthetic_board import Made, entry_of, put

Mrbench = Callable[..., Result]
DIGESTS = {"data_digest": "d" * 64, "split_digest": "5" * 64}


@pytest.fixture
def run(tmp_path: Path) -> None:
    values = {"proseg": cases("ged", [0.1, 0.3], [0.4]), "staple": cases("ged", [0.2, 0.3], [0.4])}
    cells = [StoredCell(method, own, spec=DIGESTS) for method, own in values.items()]
    store_run(tmp_path / "results", "run", *cells)


@pytest.mark.usefixtures("run")
def test_a_run_is_added_verified_and_built(mrbench: Mrbench, tmp_path: Path):
    added = mrbench("leaderboard", "add")
    assert added.exit_code == 0, added.output
    assert added.stdout.count("added leaderboard/records/phantom/") == 2
    (accept,) = (
        line.split() for line in added.stdout.splitlines() if line.startswith("  mrbench leaderboard register")
    )
    unknown = mrbench("leaderboard", "verify")
    assert (unknown.exit_code, unknown.stdout.count("(of data that are not registered)")) == (1, 2)
    assert "from 0 entries" in mrbench("leaderboard", "build").stdout
    registered = mrbench(*accept[1:])
    assert registered.exit_code == 0, registered.output
    assert "fold 0, strict: 3 cases" in registered.stdout
    assert "registry.json would get" not in mrbench("leaderboard", "add", "run").stdout
    assert mrbench("leaderboard", "add", "run").stdout.count("there already") == 2
    verified = mrbench("leaderboard", "verify")
    assert verified.exit_code == 0, verified.output
    assert ", 0 wrong" in verified.stdout
    built = mrbench("leaderboard", "build")
    assert built.exit_code == 0
    assert "from 2 entries that verified" in built.stdout
    assert {"index.html", "leaderboard.csv", "leaderboard.json", "leaderboard.md", "leaderboard.tex"} <= {
        path.name for path in (tmp_path / "leaderboard-site").iterdir()
    }


@pytest.mark.usefixtures("run")
def test_a_tampered_record_is_caught(mrbench: Mrbench, tmp_path: Path):
    mrbench("leaderboard", "add")
    mrbench("leaderboard", "register", next((tmp_path / "leaderboard/records/phantom/staple").iterdir()))
    path = next((tmp_path / "leaderboard/records/phantom/proseg").glob("*/entry.json"))
    path.write_text(path.read_text().replace('"samples": 50', '"samples": 10'))
    found = mrbench("leaderboard", "verify")
    assert found.exit_code == 1
    assert "phantom/proseg/" in found.stdout
    assert "does not belong to its folder" in found.stdout
    assert "2 entries" in found.stdout
    assert "1 wrong" in found.stdout


def test_a_tampered_number_is_named_with_what_was_expected(mrbench: Mrbench, tmp_path: Path):
    entry, files = entry_of(Made(method="mine", folds=1, subjects=3))
    score = replace(entry.scores["strict"]["ged"], low=0.001)
    scores = {"strict": {**entry.scores["strict"], "ged": score}}
    folder = put(tmp_path / "leaderboard", replace(entry, scores=scores), files)
    for where in ("leaderboard", folder):
        found = mrbench("leaderboard", "verify", where)
        assert found.exit_code == 1
        assert "scores.strict.ged.low" in found.stdout
        assert "found:    0.001" in found.stdout


def test_a_bad_entry_is_told_of_and_the_rest_is_built(mrbench: Mrbench, tmp_path: Path):
    put(tmp_path / "leaderboard", *entry_of(Made(method="mine")))
    (tmp_path / "leaderboard/records/phantom/bad/x").mkdir(parents=True)
    built = mrbench("leaderboard", "build")
    assert built.exit_code == 0
    assert "from 1 entry" in built.stdout
    assert "warning: listed apart, does not verify: phantom/bad/x" in built.stderr
    assert mrbench("leaderboard", "build", "--strict").exit_code == 1


def test_building_again_replaces_what_was_built_and_nothing_else(mrbench: Mrbench, tmp_path: Path):
    put(tmp_path / "leaderboard", *entry_of(Made(method="mine")))
    assert mrbench("leaderboard", "build").exit_code == 0
    (tmp_path / "leaderboard-site/old.html").write_text("")
    assert mrbench("leaderboard", "build").exit_code == 0
    assert not (tmp_path / "leaderboard-site/old.html").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("")
    refused = mrbench("leaderboard", "build", "--to", "mine")
    assert refused.exit_code == 2
    assert "files that no build wrote" in refused.stderr
    assert (tmp_path / "mine/thesis.tex").exists()
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify"], "there is no leaderboard in leaderboard"),
        (["build", "nowhere"], "there is no leaderboard in nowhere"),
        (["serve"], "leaderboard-site is no built leaderboard"),
        (["add", "nothing"], "unknown run 'nothing'"),
    ],
)
def test_what_is_not_there_is_told_with_the_next_step(mrbench: Mrbench, arguments: list[str], words: str):
    result = mrbench("leaderboard", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_what_was_never_computed_is_left_out_where_failures_are_submitted(mrbench: Mrbench, tmp_path: Path):
    done = StoredCell("proseg", cases("ged", [0.1], [0.4]), spec=DIGESTS)
    run = store_run(tmp_path / "results", "run", done)
    never = replace(run.cells[0][0], method="staple"), ""
    replace(run, cells=[*run.cells, never]).write()
    refused = mrbench("leaderboard", "add")
    assert refused.exit_code == 2
    assert "'staple' on 'phantom' was never computed" in refused.stderr
    assert not (tmp_path / "leaderboard").exists()
    added = mrbench("leaderboard", "add", "--with-failures")
    assert "left out, for it was never computed: 'staple'" in added.stdout
    assert "added leaderboard/records/phantom/proseg" in added.stdout


@pytest.mark.usefixtures("run")
def test_a_method_that_the_run_lacks_is_told(mrbench: Mrbench):
    result = mrbench("leaderboard", "add", "--method", "prosge")
    assert result.exit_code == 2
    assert "did you mean 'proseg'" in result.stderr
