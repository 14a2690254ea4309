"""Raters asked again: the law of people is that of many direct redraws, and energy distances are what it says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrbench import Config
from mrbench.data.caseset import CaseSet
from mrbench.diagnostics.figures import Tally
from mrbench.diagnostics.law import Law, law_of_draws
from mrbench.diagnostics.masks import packed_labels
from mrbench.diagnostics.names import BETWEEN, ENERGY, PIXELS_RATER, RATERS, REDRAWN, WITHIN
from mrbench.diagnostics.redraws import RedrawsDiagnosis
from mrbench.diagnostics.stored import stored_values
from mrbench.engine.predict import Predictor
from mrbench.engine.redraws import asked_again
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.fusion import bound
from mrbench_consensus import ORACLE_RATERS, oracle_raters
from mrbench_phantom.config import PhantomConfig
from mrbench_phantom.dataset import load

SEED = 7


def phantom(**options: float) -> CaseSet:
    return load(
        PhantomConfig.parse({"subjects": 24, "size": 32, "slices": 1, **options}, owner="phantom"), Path("none")
    )


def stored(cases: CaseSet, index: int, seed: int = SEED) -> CaseTables:
    fuse = bound(oracle_raters.fuse, Config(), cases.description)
    return Predictor.of_fusion(ORACLE_RATERS, cases.description, 8, fuse, seed).predict(cases[index])[0].tables


def diagnosed(cases: CaseSet, draws: int = 8, seed: int = SEED) -> tuple[RedrawsDiagnosis, Tally]:
    tally = Tally()
    diagnosis = RedrawsDiagnosis(cases.description, seed, draws, tally)
    for index in range(len(cases)):
        diagnosis.add(cases[index], stored(cases, index))
    return diagnosis, tally


def law(cases: CaseSet, index: int, draws: int) -> Law:
    redraw = asked_again(cases[index], SEED)
    looked = np.flatnonzero(cases.present[index]).tolist()
    return law_of_draws([packed_labels(np.stack([redraw(r, d) for d in range(draws)]), 2) for r in looked])


def jaccard_distance(a: np.ndarray, b: np.ndarray) -> float:
    union = np.count_nonzero(a | b)
    return 1 - np.count_nonzero(a & b) / union if union else 0.0


def test_distances_of_redraws_are_those_of_a_direct_monte_carlo():
    cases, noise = phantom(subjects=6), np.random.default_rng(0)
    _, tally = diagnosed(cases, draws=40)
    figures = tally.figures()
    names = cases.description.rater_names
    for rater, name in enumerate(names):
        pairs = np.array([
            [jaccard_distance(*(cases.redraw(index, rater, noise) > 0 for _ in range(2))) for _ in range(150)]
            for index in range(len(cases))
        ])  # fmt: skip
        error = pairs.std(axis=1, ddof=1) / 150**0.5
        by_subject = {s: [i for i, own in enumerate(cases.subjects) if own == s] for s in cases.subjects}
        direct = np.mean([pairs[own].mean() for own in by_subject.values()])
        # Forty redraws have 780 pairs, which share masks: their error is below that of 150 free ones.
        assert figures[f"{REDRAWN} {name}"].value == pytest.approx(direct, abs=6 * np.sqrt(np.mean(error**2) / 6))
    within = np.mean([figures[f"{REDRAWN} {name}"].value for name in names])
    assert figures[WITHIN].value == pytest.approx(within / figures[RATERS].value)
    assert figures[WITHIN].value + figures[BETWEEN].value == pytest.approx(1)


def test_without_styles_all_distance_and_all_information_lie_within_a_rater():
    without, whole = diagnosed(phantom(style_scale=0))[1].figures(), diagnosed(phantom())[1].figures()
    assert abs(without[BETWEEN].value) < 0.02
    assert abs(without[PIXELS_RATER].value) < 0.02
    assert whole[BETWEEN].low > 0.25
    assert whole[PIXELS_RATER].low > 0.25


@pytest.mark.parametrize("style_scale", [0, 0.5, 1])
def test_the_energy_distance_of_redraws_is_none_but_for_the_panel_being_the_same_people(style_scale: float):
    # Of R fixed raters the R (R - 1) pairs of two lie farther apart than two redraws of random raters by
    # between / (R - 1); without styles nothing lies between, and the expectation is 0.
    cases = phantom(style_scale=style_scale, subjects=40)
    values = [
        stored_values([stored(cases, index)])[ENERGY][0] + law(cases, index, 8).between / 3
        for index in range(len(cases))
    ]
    assert abs(np.mean(values)) < 4 * np.std(values, ddof=1) / len(values) ** 0.5


def test_redraw_0_is_the_stored_prediction_and_of_another_seed_it_is_not():
    cases = phantom(subjects=3)
    assert diagnosed(cases)[0].same == len(cases)
    assert diagnosed(cases, seed=SEED + 1)[0].same == 0


def test_absent_raters_are_not_asked_and_pairs_count_where_all_looked():
    cases = phantom(missing=0.3)
    complete = cases.present.all(axis=1)
    assert 0 < complete.sum() < len(cases)
    assert np.shape(diagnosed(cases, draws=3)[0].deltas) == (complete.sum(), 4, 4)


def test_a_rater_who_never_looked_has_no_distance():
    cases = phantom(subjects=3)
    diagnosis, tally = diagnosed(replace(cases, present=cases.present & [True, True, False, True]), draws=3)
    tight, generous, _, halo = (f"{REDRAWN} {name}" for name in cases.description.rater_names)
    assert {tight, generous, halo} == {name for name in tally.figures() if name.startswith(REDRAWN)}
    assert diagnosis.deltas == []


def test_raters_without_noise_are_at_distance_zero_from_themselves():
    cases = phantom(subjects=4)
    steady = replace(cases, redraw=lambda index, rater, noise: cases.pixels.masks(index)[rater])
    figures = diagnosed(steady)[1].figures()
    assert figures[WITHIN].value == 0
    assert [figures[f"{REDRAWN} {name}"].value for name in cases.description.rater_names] == [0, 0, 0, 0]
    assert figures[RATERS].value > 0
