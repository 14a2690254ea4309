"""``mrbench data``: what there is, what it declares, one look at it."""

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.container import write_container
from mrbench.data.description import Description, Raters
from mrbench.data.splits import Fold, Split, split_by_subject

Call = Callable[..., Result]

PLUGIN = """
from mrbench import DatasetCard, hookimpl
from mrbench.data.container import open_container
from mrbench.errors import DataAbsentError

MRBENCH_API = "2"


@hookimpl
def mrbench_datasets():
    return [
        DatasetCard(
            name="boxes", code="boxes:load", prepare="boxes:prepare", summary="boxes in noise",
            source="from the makers of boxes", licence="CC0", citation="Box et al.",
        ),
        DatasetCard(name="broken", code="boxes:broken"),
    ]


def load(config, folder):
    path = folder / "boxes.h5"
    if not path.is_file():
        raise DataAbsentError(
            "data set 'boxes' is not prepared", expected="boxes.h5",
            hint="mrbench data prepare boxes --source FOLDER",
        )
    return open_container(path, "stream")


def broken(config, folder):
    raise ZeroDivisionError("by nothing")
"""
BOXES = ("--plugin-file", "boxes.py")


@pytest.fixture
def plugin(mrbench: Call, tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "boxes.py").write_text(PLUGIN)
    yield tmp_path / "data" / "boxes.h5"
    sys.modules.pop("boxes", None)


@pytest.fixture
def boxes(plugin: Path) -> CaseSet:
    """Eight cases of four subjects, one rater absent in one; a published split that leaks."""
    rng = np.random.default_rng(0)
    masks = np.zeros((8, 2, 12, 10), np.uint8)
    masks[:, 0, 3:7, 3:7], masks[:, 1, 3:8, 3:7] = 1, 1
    present = np.ones((8, 2), bool)
    present[3, 1], masks[3, 1] = False, 0
    subjects = tuple(f"p{i // 2}" for i in range(8))
    leaky = Split("published-rule", (Fold(np.arange(5), np.array([], int), np.arange(5, 8)),))
    cases = CaseSet(
        description=Description(
            name="boxes", version="1", classes=("background", "box"), channels=("grey",), raters=Raters.IDENTIFIED,
            rater_names=("small", "large"), normalisation="byte",
        ),
        pixels=ArrayPixels((rng.integers(0, 40, (8, 1, 12, 10)) + 150 * masks[:, :1]).astype(np.uint8), masks),
        ids=tuple(f"case-{i}" for i in range(8)), subjects=subjects, present=present,
        splits={"strict": split_by_subject(subjects, folds=2, seed=0), "published-rule": leaky},
    )  # fmt: skip
    write_container(plugin, cases)
    return cases


def listed(mrbench: Call) -> dict[str, dict[str, object]]:
    result = mrbench("data", "list", *BOXES, "--json")
    assert result.exit_code == 0
    return {facts["name"]: facts for facts in json.loads(result.stdout)["datasets"]}


def test_list_tells_what_is_there(mrbench: Call, boxes: CaseSet, plugin: Path):
    found = listed(mrbench)["boxes.py:boxes"]
    assert (found["state"], found["cases"], found["subjects"]) == ("prepared", 8, 4)
    assert (found["raters"], found["rater_names"], found["where"]) == ("identified", ["small", "large"], str(plugin))
    text = "".join(mrbench("data", "list", *BOXES).stdout.split())  # a long path is broken
    assert f"8casesof4subjects,2identifiedraters,in{plugin}.boxesinnoise" in text


def test_list_tells_what_is_not_there_and_what_is_generated(mrbench: Call, plugin: Path):
    found = listed(mrbench)
    assert found["boxes.py:boxes"]["reason"] == "data set 'boxes' is not prepared"
    assert found["boxes.py:boxes"]["state"] == "absent"
    assert found["phantom"]["state"] == "generated"


def test_list_says_once_that_something_is_not_there(mrbench: Call, plugin: Path):
    text = " ".join(mrbench("data", "list", *BOXES).stdout.split())
    assert "boxes.py:boxes not prepared. boxes in noise" in text


def test_list_names_the_containers_that_are_no_data_set_of_their_own(mrbench: Call, boxes: CaseSet, plugin: Path):
    assert listed(mrbench)["folder"]["containers"] == []
    plugin.with_name("mine.h5").write_bytes(plugin.read_bytes())
    assert listed(mrbench)["folder"]["containers"] == ["mine.h5"]
    text = " ".join(mrbench("data", "list", *BOXES).stdout.split())
    assert "imported from any folder. To open with --set file=NAME: mine.h5" in text


def test_list_goes_on_after_one_that_is_damaged(mrbench: Call, plugin: Path):
    plugin.parent.mkdir()
    plugin.write_text("no container")
    found = listed(mrbench)
    assert (found["boxes.py:boxes"]["state"], found["boxes.py:broken"]["state"]) == ("damaged", "damaged")
    reason = found["boxes.py:broken"]["reason"]
    assert re.fullmatch(
        r"data set 'boxes.py:broken' cannot be loaded: ZeroDivisionError: by nothing \(boxes.py:\d+\)", reason
    )
    assert "ZeroDivisionError: by nothing (boxes.py:" in mrbench("data", "list", *BOXES).stdout


def test_info_tells_declarations_and_splits(mrbench: Call, boxes: CaseSet):
    result = mrbench("data", "info", "boxes", *BOXES)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    for expected in (
        "boxes in noise", "from the makers of boxes", "CC0", "Box et al.",
        "mrbench data prepare boxes.py:boxes --source PATH", "8 cases of 4 subjects", boxes.digest[:16],
        "small, large", boxes.splits["strict"].digest(boxes.ids)[:16], "Split published-rule (leaks):",
        "trains on 5 cases of 3 subjects, validates on 0 cases of 0 subjects, tests on 3 cases of 2 subjects; "
        "LEAKS: tests on 1 subject it learns from",
    ):  # fmt: skip
        assert expected in text
    assert "Split strict:" in text


def test_info_as_json_has_the_same(mrbench: Call, boxes: CaseSet):
    found = json.loads(mrbench("data", "info", "boxes", *BOXES, "--json").stdout)
    assert (found["digest"], found["splits"]["strict"]["digest"]) == (
        boxes.digest,
        boxes.splits["strict"].digest(boxes.ids),
    )
    assert found["declarations"] == json.loads(json.dumps(boxes.description.as_json()))
    assert (found["splits"]["strict"]["leaks"], found["splits"]["published-rule"]["leaks"]) == (False, True)
    tested = [fold["test"]["cases"] for fold in found["splits"]["strict"]["folds"]]
    assert sum(tested) == 8


def test_info_of_what_is_not_there_says_how_to_get_it(mrbench: Call, plugin: Path):
    result = mrbench("data", "info", "boxes", *BOXES)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    for expected in ("from the makers of boxes", "Not there: what data set 'boxes' is not prepared",
                     "next mrbench data prepare boxes --source FOLDER"):  # fmt: skip
        assert expected in text


def test_info_shows_the_options_as_they_are_set(mrbench: Call):
    found = json.loads(mrbench("data", "info", "phantom", "--set", "subjects=9", "--set", "size=32", "--json").stdout)
    assert found["options"]["subjects"]["value"] == 9
    assert found["subjects"] == 9


@pytest.mark.parametrize("verb", ["info", "verify", "inspect"])
def test_an_unknown_name_or_option_is_a_usage_error(mrbench: Call, verb: str):
    assert mrbench("data", verb, "phantmo").exit_code == 2
    assert "phantom" in mrbench("data", verb, "phantmo").stderr
    assert mrbench("data", verb, "phantom", "--set", "subject=9").exit_code == 2


@pytest.mark.parametrize("verb", ["verify", "inspect"])
def test_what_is_not_there_is_an_error_with_the_next_command(mrbench: Call, plugin: Path, verb: str):
    result = mrbench("data", verb, "boxes", *BOXES)
    assert result.exit_code == 2
    assert "mrbench data prepare boxes --source FOLDER" in result.stderr


def test_inspect_prints_a_page_and_draws_a_sheet(mrbench: Call, boxes: CaseSet):
    result = mrbench("data", "inspect", "boxes", *BOXES, "--out", "sheet.png")
    assert result.exit_code == 0
    for expected in ("8 cases of 4 subjects, 2 identified raters, unit slice", "size 12 x 10",
                     "all raters looked at 7 of the cases", f"mean pairwise Dice of the raters {2 * 16 / 36:.4f}",
                     "over 7 cases", "wrote sheet.png"):  # fmt: skip
        assert expected in result.stdout
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line.startswith(("sm", "la"))}
    assert rows == {"small": ["8", "0", "16.0", "1.00", "0.8889"], "large": ["7", "0", "20.0", "2.00", "0.8889"]}
    assert Path("sheet.png").read_bytes().startswith(b"\x89PNG")


def test_inspect_ends_with_the_command_that_says_more_of_the_same_cases(mrbench: Call):
    cases = ("phantom", "--data", "my data", "--set", "raters=3", "--set", "subjects=6")
    said = mrbench("data", "inspect", *cases).stdout.splitlines()[-1]
    assert said == "  mrbench agreement phantom --data 'my data' --set raters=3 --set subjects=6"
    assert mrbench(*shlex.split(said)[1:], "--metric", "ged").exit_code == 0


def test_inspect_as_json_has_no_nan(mrbench: Call, boxes: CaseSet):
    found = json.loads(mrbench("data", "inspect", "boxes", *BOXES, "--json").stdout, parse_constant=pytest.fail)
    assert found["raters"][1]["present"] == 7


def test_inspect_fits_a_narrow_terminal(mrbench: Call, boxes: CaseSet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    page, _, command = mrbench("data", "inspect", "boxes", *BOXES).stdout.partition("  mrbench agreement")
    assert max(map(len, page.splitlines())) <= 60
    assert command.count("\n") == 1


def test_a_sheet_of_another_kind_is_refused_before_anything_is_read(mrbench: Call):
    result = mrbench("data", "inspect", "phantom", "--out", "sheet.html")
    assert (result.exit_code, "one that ends with .png" in result.stderr) == (2, True)
