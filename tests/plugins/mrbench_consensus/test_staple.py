import full_pixel_em
import numpy as np
import pytest

from mrbench.consensus import Rules, staple, staple_batch
from mrbench.errors import UsageError
from mrbench_consensus.config import StapleOptions
from mrbench_consensus.staple import fuse

NOISE = np.random.default_rng(0)
EVERYBODY = np.ones(4, bool)
MASKS = (np.random.default_rng(1).random((4, 20, 20)) < np.array([[[0.1]], [[0.2]], [[0.2]], [[0.4]]])).astype(np.uint8)


def test_patterns_give_what_all_pixels_give_on_real_slices(lidc_masks):
    for masks, estimate in zip(lidc_masks[::50], staple_batch(lidc_masks[::50]), strict=True):
        probability, _, _, iterations = full_pixel_em.binary(masks)
        np.testing.assert_allclose(estimate.probability_of(1), probability, rtol=0, atol=1e-9)
        assert estimate.iterations == iterations


def test_the_fusion_gives_the_probability_as_one_consensus(describe):
    present = np.array([True, False, True, True])
    trial = fuse(MASKS, present, 5, NOISE, StapleOptions(), describe())
    assert trial.truth is None
    np.testing.assert_array_equal(trial.consensus, staple(MASKS, present).probability)
    np.testing.assert_allclose(trial.consensus.sum(axis=0), 1)


def test_the_fusion_takes_many_classes_and_volumes(describe):
    masks = np.random.default_rng(0).integers(0, 3, (4, 3, 5, 6), np.uint8)
    trial = fuse(masks, EVERYBODY, 1, NOISE, StapleOptions(), describe(classes=3))
    np.testing.assert_array_equal(trial.consensus, staple(masks, classes=3).probability)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ({}, Rules()),
        ({"start": "identity"}, Rules(start="identity")),
        ({"prior": "0.7,0.3"}, Rules(prior=(0.7, 0.3))),
        ({"prior": [0.7, 0.3]}, Rules(prior=(0.7, 0.3))),
        ({"disagreement_only": "true"}, Rules(disagreement_only=True)),
        ({"tolerance": "1e-3"}, Rules(tolerance=1e-3)),
        ({"max_iterations": "2"}, Rules(max_iterations=2)),
    ],
    ids=str,
)
def test_every_option_reaches_the_estimate(describe, text: dict[str, object], rules: Rules):
    config = StapleOptions.parse(text, owner="staple")
    assert Rules(**dict(config)) == rules
    trial = fuse(MASKS, EVERYBODY, 1, NOISE, config, describe())
    np.testing.assert_array_equal(trial.consensus, staple(MASKS, rules=rules).probability)


def test_a_prior_of_other_classes_is_refused(describe):
    with pytest.raises(UsageError) as error:
        StapleOptions(prior=(0.7, 0.3)).check(describe(classes=3))
    assert error.value.message.splitlines() == [
        "option 'prior' does not fit the classes",
        "  expected: 3 probabilities: class 0, class 1, class 2",
        "  found:    0.7, 0.3",
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_iterations", "0", "greater than or equal to 1"),
        ("tolerance", "-1", "greater than or equal to 0"),
        ("start", "vote", "'share' or 'identity'"),
        ("prior", "0.7,0.2", "probabilities above 0 that sum to 1"),
        ("prior", "1,0", "probabilities above 0 that sum to 1"),
        ("prior", "half", "a valid number"),
    ],
)
def test_options_out_of_bounds_are_refused(name: str, value: str, expected: str):
    with pytest.raises(UsageError, match=f"(?s)option '{name}.*' of staple has a wrong value.*{expected}"):
        StapleOptions.parse({name: value}, owner="staple")
