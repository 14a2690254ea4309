"""The raters come first in every function of masks; what comes after the two sets has a name."""

import inspect

import numpy as np
import pytest

import mrbench.metrics as library

SAMPLES_OF_ANY_NUMBER = (
    *("ged", "ged_parts", "ged_unbiased", "dice_max", "dice_max_reverse", "dice_match", "dice_matched", "dice_soft"),
    *("energy_score", "dice_soft_prob", "iou_matrix", "dice_matrix", "hd95_matrix", "nsd_matrix", "surface_distances"),
    *("ncc", "ncc_phiseg", "crps_area", "ece", "ece_rater", "brier", "brier_rater", "brier_share"),
    "auroc_disagreement",
)
OTHER_WORDS = {
    **dict.fromkeys(("dice_rater", "iou", "rater_identification"), ("raters", "predictions")),
    **dict.fromkeys(("hd95", "nsd", "hausdorff", "assd"), ("rater", "sample")),
    **dict.fromkeys(("pair_distances", "expert_distances", "expert_distance_mean"), ("masks",)),
}
WORDS = {**dict.fromkeys(SAMPLES_OF_ANY_NUMBER, ("raters", "samples")), **OTHER_WORDS}
PAIRS = [name for name, words in WORDS.items() if len(words) == 2]
TOLERANCE = {name: {"tolerance": 1} for name in ("nsd", "nsd_matrix")}

SYMMETRIC = (
    *("ged", "ged_unbiased", "dice_match", "dice_soft", "ncc", "brier_share", "hd95", "nsd", "hausdorff", "assd"),
    *("iou", "dice_rater"),
)
TRANSPOSED = ("iou_matrix", "dice_matrix", "hd95_matrix", "nsd_matrix", "surface_distances")
EXCHANGED = {"ged_parts": "ged_parts", "dice_max": "dice_max_reverse", "dice_max_reverse": "dice_max"}
ASYMMETRIC = (
    *("dice_matched", "ncc_phiseg", "crps_area", "ece", "ece_rater", "brier", "brier_rater", "auroc_disagreement"),
    *("rater_identification", "energy_score"),
)
OF_FLOATS = ("dice_soft_prob",)


def operands(name):
    """Masks of 4 raters on 9 x 11 pixels, and what the function scores against them."""
    rng = np.random.default_rng(2)
    raters, probabilities = rng.random((4, 9, 11)) < 0.5, rng.random((6, 9, 11))
    samples = probabilities if name in OF_FLOATS else probabilities < 0.4
    return {"samples": (raters, samples), "predictions": (raters, samples[:4]), "sample": (raters[0], samples[0])}[
        WORDS[name][1]
    ]


def call(name, first, second):
    return values(getattr(library, name)(first, second, **TOLERANCE.get(name, {})))


def values(found):
    return found.percentile(100) if isinstance(found, library.SurfaceDistances) else found


def test_every_public_function_of_masks_is_looked_at():
    rest = {"evaluate", "pack", "unpack", "score_case", "reduce_fold", "reduce_dataset"}
    assert {name for name in library.__all__ if name.islower()} - rest == set(WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_the_raters_are_first_and_the_rest_has_names(name):
    parameters = list(inspect.signature(getattr(library, name)).parameters.values())
    words, rest = WORDS[name], parameters[len(WORDS[name]) :]
    assert tuple(each.name for each in parameters[: len(words)]) == words
    assert all(each.kind is each.KEYWORD_ONLY for each in rest)


@pytest.mark.parametrize("name", PAIRS)
def test_names_and_places_give_the_same(name):
    first, second = operands(name)
    named = dict(zip(WORDS[name], (first, second), strict=True))
    function, how = getattr(library, name), TOLERANCE.get(name, {})
    expected = call(name, first, second)
    for found in (function(**named, **how), function(**dict(reversed(named.items())), **how)):
        assert np.array_equal(values(found), expected)


@pytest.mark.parametrize("name", PAIRS)
def test_floats_in_the_raters_place_are_refused_with_the_call(name):
    first, second = operands(name)
    found = f"got float32 of shape {second.shape}"
    first_word, second_word = WORDS[name]
    expected = f"{first_word} must be boolean, e.g. labels == 1; {found}; the raters come first: "
    with pytest.raises(ValueError, match="the raters come first") as refused:
        call(name, second.astype(np.float32), first)
    assert str(refused.value) == f"{expected}{name}({first_word}, {second_word})"
    with pytest.raises(ValueError, match="must be boolean"):
        getattr(library, name)(**{first_word: second.astype(float), second_word: first}, **TOLERANCE.get(name, {}))


@pytest.mark.parametrize("name", ["pair_distances", "expert_distance_mean"])
def test_floats_as_experts_are_refused_without_a_word_on_order(name):
    with pytest.raises(ValueError, match=r"^masks must be boolean masks, e\.g\. labels == 1; got float64$"):
        getattr(library, name)(np.zeros((4, 3, 3)))


@pytest.mark.parametrize("name", SYMMETRIC)
def test_what_is_symmetric_does_not_depend_on_the_order(name):
    first, second = (masks[:4] for masks in operands(name))
    assert call(name, second, first) == pytest.approx(call(name, first, second), abs=1e-12)


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_what_is_not_symmetric_depends_on_the_order(name):
    first, second = (masks[:4] for masks in operands(name))
    assert not np.allclose(call(name, first, second), call(name, second, first))


@pytest.mark.parametrize("name", TRANSPOSED)
def test_a_matrix_has_a_row_for_each_sample(name):
    raters, samples = operands(name)
    found = call(name, raters, samples)
    assert found.shape == (len(samples), len(raters))
    assert np.array_equal(call(name, samples, raters), found.T)


@pytest.mark.parametrize(("name", "other"), EXCHANGED.items())
def test_sets_exchanged_exchange_what_is_said_of_them(name, other):
    raters, samples = operands(name)
    found, exchanged = call(name, raters, samples), call(other, samples, raters)
    expected = (exchanged.pa, exchanged.aa, exchanged.pp) if name == "ged_parts" else exchanged
    assert found == pytest.approx(expected, abs=1e-12)
    assert found != call(name, samples, raters)


def test_every_pair_is_of_one_kind():
    assert sorted([*SYMMETRIC, *ASYMMETRIC, *TRANSPOSED, *EXCHANGED, *OF_FLOATS]) == sorted(PAIRS)
