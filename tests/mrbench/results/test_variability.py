"""What values vary by, from results: the same numbers in Python, in the terminal and in a report."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from stored_runs import StoredCell, registry, store_run

import mrbench
from mrbench.metrics.protocol import STRICT
from mrbench.results.reader import ScoreReader
from mrbench.results.variability import component_texts, variability
from mrbench.statistics.components import FOLDS, REST, SUBJECTS, TRAININGS, VarianceComponent, VarianceComponents
from mrbench.statistics.interval import Interval

Call = Callable[..., Result]
FOLD, TRAINING, SUBJECT = (0.0, 0.4), (-0.05, 0.05), (-0.03, 0.0, 0.03)


def cell(fold: int, seed: int) -> StoredCell:
    """A value is the sum of what its fold, its training and its subject give: no rest is left."""
    values = {
        f"{fold}-{n}, 0": {"ged": {None: 0.3 + FOLD[fold] + TRAINING[seed] + own}} for n, own in enumerate(SUBJECT)
    }
    return StoredCell("proseg", values, fold=fold, seed=seed)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    store_run(tmp_path / "results", "r", *(cell(fold, seed) for fold in (0, 1) for seed in (0, 1)))
    return tmp_path / "results"


EXPECTED = {SUBJECTS: 0.0009, TRAININGS: 0.005, FOLDS: 0.08 - 0.0025 - 0.0003, REST: 0.0}


def test_the_components_of_stored_scores_are_the_closed_form(results: Path):
    (run,) = mrbench.load_results(results).runs
    found = variability(run, ScoreReader(registry(), STRICT, ("ged",)))["ged"].sources
    assert {name: one.variance for name, one in found.items()} == pytest.approx(EXPECTED, abs=1e-12)


def test_the_frame_has_a_row_per_source(results: Path):
    frame = mrbench.load_results(results).variance_components(metrics="ged")
    assert dict(zip(frame["source"], frame["variance"], strict=True)) == pytest.approx(EXPECTED, abs=1e-12)
    assert frame["share"].sum() == pytest.approx(1)
    assert (frame["low"] <= frame["variance"].clip(lower=0) + 1e-12).all()
    assert set(frame["reason"]) == {""}


def test_one_seed_has_a_reason_in_place_of_numbers(tmp_path: Path):
    store_run(tmp_path, "r", cell(0, 0), cell(1, 0))
    frame = mrbench.load_results(tmp_path).variance_components()
    assert set(frame["reason"]) == {"one seed; run --seeds 3"}
    assert frame["variance"].isna().all()


def test_the_terminal_and_its_json_say_the_same(results: Path, mrbench: Call):
    store_run(
        results,
        "other",
        *(StoredCell("proseg-prior", cell(f, s).values, fold=f, seed=s) for f in (0, 1) for s in (0, 1)),
    )
    said = mrbench("compare", "r", "other", "--components", "--metric", "ged", "--json")
    assert said.exit_code == 0, said.stderr
    first = json.loads(said.stdout)["components"][0]
    variances = {name: one["variance"] for name, one in first["metrics"]["ged"]["sources"].items()}
    assert variances == pytest.approx(EXPECTED, abs=1e-12)
    text = mrbench("compare", "r", "other", "--components", "--metric", "ged").stdout
    assert "what 'proseg' of run r varies by" in text
    assert f"{np.sqrt(EXPECTED[SUBJECTS]):.4f}".removeprefix("0") in text
    assert "varies by" not in mrbench("compare", "r", "other", "--metric", "ged").stdout


def test_a_negative_estimate_is_said_and_a_reason_stands_in_place_of_a_number():
    found = VarianceComponents(
        {SUBJECTS: VarianceComponent(0.04, Interval(0.01, 0.09)), FOLDS: VarianceComponent(-0.01, Interval(0, 0.0004))},
        {TRAININGS: "nothing is trained"},
    )
    assert component_texts(found) == {
        SUBJECTS: ".2000 [.1000 .. .3000] 100%",
        FOLDS: "below 0 [.0000 .. .0200] 0%",
        TRAININGS: "nothing is trained",
    }


def test_rounding_is_none_and_not_below_0():
    rounded = VarianceComponent(-1e-34, Interval(0.0, 0.0))
    texts = component_texts(VarianceComponents({TRAININGS: rounded}))
    assert texts == {TRAININGS: ".0000 [.0000 .. .0000] 0%"}
