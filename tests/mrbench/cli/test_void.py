"""Void pixels all the way: imported, learned from, scored, drawn, exported and scored again."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mrbench import load_dataset
from mrbench.consensus import majority_vote, staple
from mrbench.metrics import evaluate
from mrbench.metrics.plugin import mrbench_metrics

SIDE = 12
SURFACE = {card.name for card in mrbench_metrics() if card.code.startswith("mrbench.metrics.surface:")}


@pytest.fixture
def mine(mrbench, tmp_path):
    """Six imported cases: two raters do not judge the first three rows of some."""
    rng = np.random.default_rng(0)
    for k in range(6):
        files = {f"images/c{k}.png": np.arange(144, dtype=np.uint8).reshape(SIDE, SIDE) + np.uint8(k)}
        for rater in ("ann", "bo", "cy"):
            mask = (rng.random((SIDE, SIDE)) < 0.4).astype(np.uint8)
            if (rater, k % 2) in (("ann", 0), ("bo", 1)):
                mask[:3] = 255
            files[f"masks/{rater}/c{k}.png"] = mask
        for name, values in files.items():
            (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(tmp_path / "mine" / name)
    result = mrbench("data", "import", "mine", "--void", "255", "--folds", "3")
    assert result.exit_code == 0, result.stderr
    return load_dataset("mine", data=tmp_path / "data")


def scores(result):
    assert result.exit_code == 0, result.stderr
    (table,) = json.loads(result.stdout)["tables"]
    return {row["method"]: {name: value["mean"] for name, value in row["metrics"].items()} for row in table["rows"]}


def judged(mine, indices):
    """Masks of the pixels that count, of each case a line."""
    return [mine.pixels.masks(i)[:, mine.valid(i)][:, None] for i in indices]


def test_a_run_and_its_exported_predictions_are_scored_without_the_void_pixels(mrbench, mine, tmp_path):
    words = ("--dataset", "mine", "--fold", "0")
    run = mrbench("run", "--method", "staple", "--method", "majority-vote", *words)
    assert run.exit_code == 0, run.stderr
    assert "void pixels of the test cases count nowhere" in " ".join(run.stdout.split())
    found = scores(mrbench("score", "last", "--json"))
    indices = mine.split("strict").folds[0].test
    raters = judged(mine, indices)
    answers = {
        "staple": [staple(masks).probability for masks in raters],
        "majority-vote": [majority_vote(masks, 2) for masks in raters],
    }
    for method, own in answers.items():
        expected = evaluate(raters, consensus=own)
        shared = found[method].keys() & expected.keys() - SURFACE
        assert len(shared) > 5
        for name in shared:
            assert found[method][name] == pytest.approx(expected[name].value, abs=1e-12), (method, name)
    assert mrbench("export", "last", "--to", "out", "--method", "majority-vote", "--truth").exit_code == 0
    again = scores(mrbench("score", "--predictions", "out/majority-vote", *words, "--json"))
    (values,) = (row for name, row in again.items() if name not in ("staple", "majority-vote"))
    for name in values.keys() & found["majority-vote"].keys():
        assert values[name] == pytest.approx(found["majority-vote"][name], abs=1e-12), name
    for case in (tmp_path / "out" / "majority-vote").iterdir():
        if case.is_dir():
            void = np.asarray(Image.open(case / "void.png"))
            np.testing.assert_array_equal(void > 0, ~mine.valid(mine.ids.index(case.name)))


def test_what_looks_at_the_data_says_how_much_of_it_is_void(mrbench, mine):
    for words in (("data", "verify", "mine"), ("data", "info", "mine"), ("data", "inspect", "mine")):
        result = mrbench(*words)
        assert result.exit_code == 0, result.stderr
        assert "25.00%" in result.stdout, words
        assert "void" in result.stdout
    assert json.loads(mrbench("data", "info", "mine", "--json").stdout)["void"] == 0.25
    assert json.loads(mrbench("data", "inspect", "mine", "--json").stdout)["void"] == 0.25


def test_a_method_learns_from_it(mrbench, mine):
    words = ("--preset", "quick", "--set", "epochs=1", "--dataset", "mine", "--fold", "0")
    result = mrbench("run", "--method", "unet-staple", *words)
    assert result.exit_code == 0, result.stderr


def test_pages_hatch_void_pixels_and_say_so(mrbench, mine):
    assert mrbench("run", "--method", "staple", "--dataset", "mine", "--fold", "0").exit_code == 0
    assert mrbench("report", "last", "--to", "page.html").exit_code == 0
    assert "Hatched pixels are void" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("value", ["0", "-1", "65536", "x"])
def test_what_is_no_value_is_refused(mrbench, tmp_path, value):
    result = mrbench("data", "import", "mine", "--void", value)
    assert result.exit_code == 2
    assert "--void" in result.stderr
