"""What an operand names."""

from dataclasses import replace
from pathlib import Path

import pytest
from stored_runs import StoredCell, cases, store_run

from mrbench.comparison.selection import parse_operand
from mrbench.engine.cell import Status
from mrbench.errors import UnknownNameError

GED = cases("ged", [0.1], [0.2])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    store_run(tmp_path, "first", StoredCell("proseg", GED), StoredCell("staple", GED), StoredCell("unet-majority", GED))
    other = replace(StoredCell("proseg", GED), spec={"method": "external:mine", "family": "mine"})
    store_run(tmp_path, "second", other, replace(other, spec={"method": "others:theirs", "family": "x"}))
    return tmp_path


def test_a_run_stands_for_all_its_methods_human_references_last(results: Path):
    operand = parse_operand("first", results)
    assert [row.method for row in operand.runs("phantom")] == ["proseg", "unet-majority", "staple"]
    assert (operand.method, operand.title) == ("", "run first")


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("first:staple", "staple"),
        ("second:external:mine", "external:mine"),
        ("second:mine", "external:mine"),
        ("last:theirs", "others:theirs"),
        ("{results}/runs/second:external:mine", "external:mine"),
    ],
)
def test_a_method_of_a_run_is_named_behind_a_colon(results: Path, text: str, method: str):
    operand = parse_operand(text.format(results=results), results)
    assert [row.method for row in operand.runs("phantom")] == [method]


def test_a_folder_may_hold_colons(results: Path):
    (results / "runs" / "first").rename(results / "runs" / "a:b")
    assert parse_operand(f"{results}/runs/a:b", results).run.id == "a:b"
    assert parse_operand("a:b:staple", results).method == "staple"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frist", "unknown run 'frist'"),
        ("frist:staple", "unknown run 'frist'"),
        ("first:stapel", "unknown method 'stapel' in the run first"),
        ("first:", None),
    ],
)
def test_an_unknown_name_offers_the_nearest(results: Path, text: str, message: str | None):
    if message is None:
        assert parse_operand(text, results).method == ""
        return
    with pytest.raises(UnknownNameError, match=message) as caught:
        parse_operand(text, results)
    assert "did you mean" in caught.value.hint


def test_a_bare_name_of_two_methods_is_refused(tmp_path: Path):
    one, two = ({"method": f"{owner}:mine", "family": owner} for owner in ("a", "b"))
    store_run(tmp_path, "r", StoredCell("proseg", GED, spec=one), StoredCell("proseg", GED, spec=two))
    with pytest.raises(UnknownNameError, match="unknown method 'mine'") as caught:
        parse_operand("r:mine", tmp_path)
    assert "a:mine" in caught.value.message


def test_method_runs_tell_what_is_finished_and_ranked(tmp_path: Path):
    store_run(
        tmp_path, "r",
        StoredCell("proseg", GED), StoredCell("proseg", fold=1, status=Status.DIVERGED),
        StoredCell("unet-majority", GED), StoredCell("staple", GED),
    )  # fmt: skip
    proseg, unet, staple = parse_operand("r", tmp_path).runs("phantom")
    assert (len(proseg.done), proseg.ranked) == (1, False)
    assert proseg.failures == ("fold1-seed0 diverged: what went wrong",)
    assert (unet.ranked, unet.samples) == (True, 1)
    assert not staple.ranked, "it sees the test masks"
