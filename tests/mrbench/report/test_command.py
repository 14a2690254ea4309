"""``mrbench report`` as a user types it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mrbench.engine.run import Run

Call = Callable[..., Result]


@pytest.fixture
def ran(mrbench: Call, run: Run) -> Call:
    shutil.copytree(run.results, "results")
    return mrbench


def test_a_page_of_the_last_run_lies_in_the_current_folder(ran: Call):
    result = ran("report")
    assert result.exit_code == 0
    (page,) = Path().glob("phantom-*.html")
    assert result.stdout == f"wrote {page} ({page.stat().st_size / 2**20:.1f} MiB)\n"
    assert page.stem in page.read_text()


def test_runs_are_found_by_id_and_by_folder_in_any_results_folder(ran: Call):
    Path("results").rename("elsewhere")
    (run,) = Path("elsewhere/runs").iterdir()
    for words in ((run.name, "--out", "elsewhere"), (str(run),), ("last", str(run), "--out", "elsewhere")):
        assert ran("report", *words, "--to", "a.html").exit_code == 0
        Path("a.html").unlink()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("lst",), "unknown run 'lst'"),
        (("--metric", "gde"), "did you mean 'ged'"),
        (("--fold", "9"), "unknown fold '9' of phantom-"),
        (("--to", "page.pdf"), "a name that ends with .html"),
        (("--to", "results"), "--out names the folder of results"),
        (("--cases", "0"), "cases"),
        (("--protocol", "lax"), "protocol"),
    ],
)
def test_a_wrong_word_is_a_usage_error(ran: Call, words: tuple[str, ...], message: str):
    result = ran("report", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(Path().glob("*.html"))


def test_without_any_run_it_says_how_to_start_one(mrbench: Call):
    result = mrbench("report")
    assert result.exit_code == 2
    assert "unknown run 'last' in results, which holds none" in result.stderr
    assert "mrbench run starts one" in result.stderr
