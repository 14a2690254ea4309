"""Trained on one data set, tested on another: the trainings of plain runs, the cases and the raters of the other."""

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

import mrbench
from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.container import write_container
from mrbench.data.splits import Fold, Split
from mrbench.engine.predictions import read_tables
from mrbench.engine.record import reproduce
from mrbench.errors import UsageError
from mrbench.results.collection import Results

TOY = Path(__file__).parents[2] / "toys" / "constants.py"
TINY = {"subjects": 9, "size": 32}
SETTINGS = {f"phantom.{name}": value for name, value in TINY.items()}
Call = Callable[..., Result]


def elsewhere(n: int = 6, **facts: Any) -> CaseSet:
    """``n`` cases of ``n`` other subjects, of the phantom's kind: one split of two folds, one of a single fold."""
    phantom = mrbench.load_dataset("phantom", **TINY)
    names = tuple(f"other-{i}" for i in range(n))
    description = replace(phantom.description, name="elsewhere", **facts)
    channels, raters = len(description.channels), description.n_raters
    images = np.arange(n * channels * 32 * 32, dtype=np.uint8).reshape(n, channels, 32, 32)
    masks = np.zeros((n, raters, 32, 32), np.uint8)
    masks[:, :, 8:16, 8:16] = 1
    halves = [np.arange(0, n, 2), np.arange(1, n, 2)]
    folds = tuple(Fold(halves[1 - k], np.array([], int), halves[k]) for k in range(2))
    splits = {"strict": Split("strict", folds), "official": Split("official", folds[:1])}
    pixels = ArrayPixels(images, masks)
    return CaseSet(description, pixels, names, names, np.ones((n, raters), bool), splits)


def write(data: Path, cases: CaseSet) -> None:
    data.mkdir(exist_ok=True)
    write_container(data / "elsewhere.h5", cases)


def run(folder: Path, *methods: str, **how: Any) -> Results:
    asked = {"preset": "quick", "settings": SETTINGS, "folds": [0, 1], "samples": 3, **how}
    return mrbench.run(methods, "phantom", data=folder / "data", out=folder / "out", plugin_files=TOY, **asked)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain run, then one that is tested elsewhere."""
    made = tmp_path_factory.mktemp("tested")
    write(made / "data", elsewhere())
    run(made, "constant")
    run(made, "constant", "majority-vote", test_on="elsewhere")
    return made


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return mrbench.load_results(folder / "out", plugin_files=TOY)


METHOD = "constants.py:constant"


def test_every_fold_is_tested_on_all_cases_of_the_other_data_set(results: Results):
    for fold in (0, 1):
        cell = results.cell(METHOD, dataset="phantom~elsewhere", fold=fold)
        tested = [case for case, _, _ in read_tables(cell.folder / "predictions.h5")]
        assert tested == [f"other-{i}" for i in range(6)]


def test_the_trainings_are_those_of_the_plain_run(results: Results, folder: Path):
    plain, other = (results.cell(METHOD, dataset=name) for name in ("phantom", "phantom~elsewhere"))
    assert plain.spec.training_digest == other.spec.training_digest
    assert plain.spec.digest != other.spec.digest
    assert not other.profile["trained_here"]
    assert len(list((folder / "out").glob("trainings/*/*/*/fold?-seed0"))) == 2


def test_the_data_that_is_tested_is_part_of_the_digest_and_the_data_that_is_trained_on_is_not_changed(results: Results):
    spec = results.cell(METHOD, dataset="phantom~elsewhere").spec
    for change in ({"data_digest": "0" * 64}, {"split": "official"}, {"split_digest": "0" * 64}):
        changed = replace(spec, test_on=replace(spec.test_on, **change))
        assert changed.digest != spec.digest
        assert changed.training_digest == spec.training_digest
    assert type(spec).from_json(json.loads(json.dumps(spec.as_json()))) == spec


def test_a_constant_has_the_scores_that_the_other_data_sets_masks_give_it(results: Results):
    # Its consensus is below one half everywhere: empty, against masks of 64 pixels.
    scores = results.scores("phantom~elsewhere", metrics="dice_max")
    assert set(scores["case"]) == {f"other-{i}" for i in range(6)}
    people = scores[scores["method"] == "majority-vote"]
    assert (people["value"] == 1).all()


def test_tables_say_what_was_trained_and_what_tested_on(mrbench: Call, folder: Path):
    shown = mrbench("show", "last", "--out", str(folder / "out"), "--plugin-file", str(TOY))
    assert "trained on phantom, tested on elsewhere" in shown.stdout
    table = json.loads(mrbench("show", "last", "--out", str(folder / "out"), "--json").stdout)["tables"][0]
    assert table["title"] == "trained on phantom, tested on elsewhere"
    assert table["dataset"] == "phantom~elsewhere"
    assert list((folder / "out" / "runs").glob("phantom~elsewhere-*"))
    assert list((folder / "out" / "cells").glob("phantom~elsewhere"))
    page = folder / "page.html"
    assert mrbench("report", "last", "--out", str(folder / "out"), "--to", str(page)).exit_code == 0
    assert "trained on phantom, tested on elsewhere" in page.read_text()


def test_runs_that_are_tested_on_other_data_are_not_compared(results: Results):
    plain, other = (results.method(METHOD, dataset=name) for name in ("phantom", "phantom~elsewhere"))
    with pytest.raises(UsageError, match="on two data sets"):
        mrbench.compare(plain, other, plugin_files=TOY)
    assert plain.digests.isdisjoint(other.digests)
    assert results.datasets == ["phantom", "phantom~elsewhere"]


def test_the_command_that_is_recorded_computes_the_same_cell(mrbench: Call, folder: Path, results: Results):
    words = shlex.split(reproduce(results.cell(METHOD, dataset="phantom~elsewhere").spec))[1:]
    words[words.index("--plugin-file") + 1] = str(TOY)
    again = mrbench(*words, "--data", str(folder / "data"), "--out", str(folder / "out"), "--dry-run", "--json")
    assert [cell["state"] for cell in json.loads(again.stdout)["cells"]] == ["kept"]


def test_a_model_is_the_one_that_was_trained(results: Results):
    plain, other = (
        mrbench.load_model(results.cell(METHOD, dataset=name), plugin_files=TOY, device="cpu")
        for name in ("phantom", "phantom~elsewhere")
    )
    image = np.zeros((1, 32, 32), np.uint8)
    same = (model.as_rater(image, 1, probabilities=True) for model in (plain, other))
    assert np.array_equal(*same)


def test_an_entry_of_a_leaderboard_says_both_and_is_verified(mrbench: Call, folder: Path, tmp_path: Path):
    out = ("--out", str(folder / "out"))
    added = mrbench("leaderboard", "add", "last", "--method", "majority-vote", "--to", str(tmp_path / "board"), *out)
    assert added.exit_code == 0, added.stderr
    entry = json.loads(next((tmp_path / "board").glob("records/phantom~elsewhere/*/*/entry.json")).read_text())
    assert (entry["dataset"], entry["test_on"]["dataset"]) == ("phantom", "elsewhere")
    (entry,) = (tmp_path / "board").glob("records/phantom~elsewhere/*/*")
    accepted = mrbench("leaderboard", "register", str(entry))
    assert accepted.exit_code == 0, accepted.stderr
    board = mrbench_results(tmp_path / "board")
    assert board.datasets == ["phantom~elsewhere"]
    assert mrbench("leaderboard", "verify", str(tmp_path / "board")).exit_code == 0


def mrbench_results(path: Path) -> Results:
    return mrbench.load_results(path)


@pytest.mark.parametrize(("split", "cases"), [("strict", [[0, 2, 4], [1, 3, 5]]), ("official", [[0, 2, 4], [0, 2, 4]])])
def test_a_split_gives_the_test_cases_of_the_folds_number_or_of_its_only_fold(tmp_path: Path, split: str, cases: list):
    write(tmp_path / "data", elsewhere())
    found = run(tmp_path, "majority-vote", test_on=f"elsewhere:{split}").cells
    tested = [[case for case, _, _ in read_tables(cell.folder / "predictions.h5")] for cell in found]
    assert tested == [[f"other-{i}" for i in own] for own in cases]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"classes": ("background", "cyst")}, "classes differ.*expected: 2: .*found:    2: background, cyst"),
        ({"channels": ("t1",)}, "channels differ"),
        ({"channels": ("t1", "t2")}, "channels differ"),
        ({"normalisation": "z-score"}, "normalisation differ.*found:    z-score"),
    ],
)
def test_what_is_not_alike_is_refused_before_the_first_cell(tmp_path: Path, facts: dict, said: str):
    write(tmp_path / "data", elsewhere(**facts))
    with pytest.raises(UsageError, match=f"(?s){said}"):
        run(tmp_path, "constant", test_on="elsewhere")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "folds", "said"),
    [
        ("elsewere", [0], "unknown data set 'elsewere'.*'elsewhere'"),
        ("elsewhere:strct", [0], "unknown split 'strct'.*'strict'"),
        ("elsewhere:strict", [2], "split 'strict' of data set 'elsewhere' has no fold 2"),
    ],
)
def test_names_and_folds_that_there_are_not_are_told_of(tmp_path: Path, text: str, folds: list[int], said: str):
    write(tmp_path / "data", elsewhere())
    with pytest.raises(UsageError, match=f"(?s){said}"):
        run(tmp_path, "majority-vote", test_on=text, folds=folds)


def test_subjects_that_are_learnt_from_are_not_tested_on(tmp_path: Path):
    cases = elsewhere()
    learnt = mrbench.load_dataset("phantom", **TINY)
    subject = learnt.subjects[learnt.split("strict").folds[0].train[0]]
    write(tmp_path / "data", replace(cases, subjects=(subject, *cases.subjects[1:])))
    with pytest.raises(UsageError, match=f"(?s)fold 0 .*trains on subjects.*1 in both: {subject}"):
        run(tmp_path, "majority-vote", test_on="elsewhere", folds=[0])


def test_raters_who_are_others_are_not_predicted_and_samples_are_scored(tmp_path: Path):
    write(tmp_path / "data", elsewhere(rater_names=("x", "y")))
    found = run(tmp_path, "constant-raters", "constant-samples", test_on="elsewhere", folds=[0]).cells
    status = {cell.spec.method.rpartition(":")[2]: cell for cell in found}
    assert status["constant-raters"].status == "not-applicable"
    assert "'elsewhere' has x, y (identified)" in status["constant-raters"].reason
    assert status["constant-samples"].status == "ok", status["constant-samples"].reason


def test_wrappers_are_tested_elsewhere_too(folder: Path):
    found = run(
        folder, "ensemble", test_on="elsewhere", folds=[0], settings={**SETTINGS, "ensemble.of": METHOD, "k": 2}
    )
    cell = found.cells[0]
    assert cell.status == "ok", cell.reason
    assert cell.spec.domain == "phantom~elsewhere"
