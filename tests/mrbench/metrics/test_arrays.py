import subprocess
import sys

import numpy as np
import pytest
import torch

import mrbench.metrics as library
from mrbench.metrics import arrays

MASKS_AND_MASKS = (
    *("iou_matrix", "dice_matrix", "ged", "ged_parts", "ged_unbiased", "energy_score", "dice_max", "dice_max_reverse"),
    *("dice_match", "dice_matched", "dice_soft", "ncc", "ncc_phiseg", "crps_area", "hd95_matrix"),
)
PREDICTED_AND_MASKS = ("ece", "ece_rater", "brier", "brier_rater", "brier_share", "auroc_disagreement")
ONE_PER_RATER = ("dice_rater", "iou", "rater_identification")
ELSEWHERE = ("evaluate", "dice_soft_prob", "hd95", "hausdorff", "assd", "nsd", "nsd_matrix", "surface_distances")
EXPERTS = ("pair_distances", "expert_distances", "expert_distance_mean")


@pytest.fixture(params=["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"])
def to_tensor(request):
    return lambda array: torch.from_numpy(array).to(request.param)


@pytest.fixture
def case():
    """Masks of 6 samples and 4 raters, and probabilities of 6 samples, on 9 x 11 pixels."""
    rng = np.random.default_rng(2)
    return rng.random((6, 9, 11)) < 0.4, rng.random((4, 9, 11)) < 0.5, rng.random((6, 9, 11)).astype(np.float32)


def assert_same(first, second):
    assert np.array_equal(first, second)
    assert type(first) is type(second)


@pytest.mark.parametrize("name", MASKS_AND_MASKS)
def test_tensors_of_masks_score_exactly_as_arrays(name, case, to_tensor):
    samples, raters, _ = case
    function = getattr(library, name)
    assert_same(function(to_tensor(raters), to_tensor(samples)), function(raters, samples))


@pytest.mark.parametrize("name", [*PREDICTED_AND_MASKS, "dice_soft_prob"])
def test_tensors_of_probabilities_score_exactly_as_arrays(name, case, to_tensor):
    samples, raters, probabilities = case
    function = getattr(library, name)
    assert_same(function(to_tensor(raters), to_tensor(probabilities)), function(raters, probabilities))
    if name != "dice_soft_prob":
        assert_same(function(to_tensor(raters), to_tensor(samples)), function(raters, samples))


@pytest.mark.parametrize("name", ONE_PER_RATER)
def test_tensors_of_own_predictions_score_exactly_as_arrays(name, case, to_tensor):
    samples, raters, _ = case
    function = getattr(library, name)
    assert_same(function(to_tensor(raters), to_tensor(samples[:4])), function(raters, samples[:4]))


def test_the_other_functions_take_tensors_too(case, to_tensor):
    samples, raters, _ = case
    first, second = raters[0], samples[0]
    for function in (library.hd95, library.hausdorff, library.assd, lambda a, b: library.nsd(a, b, tolerance=1.5)):
        assert_same(function(to_tensor(first), to_tensor(second)), function(first, second))
    assert_same(
        library.nsd_matrix(to_tensor(raters), to_tensor(samples), tolerance=1),
        library.nsd_matrix(raters, samples, tolerance=1),
    )
    assert_same(library.pair_distances(to_tensor(raters)), library.pair_distances(raters))
    assert_same(library.expert_distances(to_tensor(raters), seed=3), library.expert_distances(raters, seed=3))
    assert_same(library.expert_distance_mean(to_tensor(raters)), library.expert_distance_mean(raters))


def test_every_public_function_of_masks_is_tried_with_tensors():
    tried = {*MASKS_AND_MASKS, *PREDICTED_AND_MASKS, *ONE_PER_RATER, *ELSEWHERE, *EXPERTS}
    rest = {"pack", "unpack", "score_case", "reduce_fold", "reduce_dataset"}
    assert {name for name in library.__all__ if name.islower()} - rest == tried


def test_an_array_beside_a_tensor_follows_it_to_its_device(case, to_tensor):
    samples, raters, _ = case
    expected = library.dice_matrix(raters, samples)
    assert_same(library.dice_matrix(raters, to_tensor(samples)), expected)
    assert_same(library.dice_matrix(to_tensor(raters), samples), expected)
    assert library.dice_soft(raters, to_tensor(samples)) == library.dice_soft(raters, samples)


def test_counts_of_tensors_are_exact_beyond_a_block_and_under_autocast(to_tensor):
    masks = np.ones((2, 700, 701), bool)
    masks[1, 0, :3] = False
    tensor = to_tensor(masks)
    with torch.autocast(tensor.device.type, dtype=torch.bfloat16):
        shared = arrays.intersect(tensor[:1], tensor[1:])
    assert shared.tolist() == [[490700, 490697], [490697, 490697]]


def test_gradients_and_half_precision_do_not_matter(case, to_tensor):
    _, raters, probabilities = case
    tensor = to_tensor(probabilities)
    expected = library.dice_soft_prob(raters, probabilities)
    assert library.dice_soft_prob(to_tensor(raters), tensor.requires_grad_()) == expected
    halves = tensor.detach().to(torch.bfloat16)
    assert library.brier(raters, halves) == library.brier(raters, halves.double().cpu().numpy())


def test_sums_of_floats_do_not_depend_on_the_shape_of_the_rest():
    stack = np.random.default_rng(0).random((50, 300)).astype(np.float32)
    whole = arrays.total(stack)
    assert [arrays.total(stack[:, i : i + 1]).item() for i in range(300)] == whole.tolist()


def test_labels_in_a_tensor_are_refused_in_the_same_words(case, to_tensor):
    labels = to_tensor(case[0]).to(torch.uint8)
    with pytest.raises(ValueError, match=r"samples must be boolean masks, e\.g\. labels == 1; got uint8"):
        library.dice_matrix(case[1], labels)
    with pytest.raises(ValueError, match=r"grid \(9, 11\), samples on \(9, 10\)"):
        library.dice_matrix(case[1], to_tensor(case[0])[:, :, 1:])
    with pytest.raises(ValueError, match=r"must be boolean masks, .* got list"):
        library.dice_matrix(case[1], [[True]])


def test_arrays_never_load_torch():
    code = """
import sys, numpy as np, mrbench.metrics as m
masks = np.random.default_rng(0).random((4, 8, 8)) < .5
for name in ("ged", "dice_match", "dice_soft", "ece", "brier", "ncc", "crps_area", "hd95_matrix", "pair_distances"):
    getattr(m, name)(*[masks] * (1 if name == "pair_distances" else 2))
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
