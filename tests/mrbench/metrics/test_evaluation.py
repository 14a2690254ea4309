"""Metrics of arrays in memory, against the functions of single cases and against properties."""

import numpy as np
import pytest

from mrbench.errors import DataError
from mrbench.metrics import PUBLISHED, dice_match, dice_max, dice_soft, evaluate, ged, hd95

N, R, S, SIDE = 4, 3, 5, 12


@pytest.fixture
def cases() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((N, R, SIDE, SIDE)) < 0.4, rng.random((N, S, SIDE, SIDE)) < 0.4


def value_of(found):
    return {name: value.value for name, value in found.items()}


def test_two_classes_are_the_mean_of_what_the_functions_give(cases) -> None:
    raters, samples = cases
    found = evaluate(raters, samples=samples)
    for name, function in (("ged", ged), ("dice_max", dice_max), ("dice_match", dice_match), ("dice_soft", dice_soft)):
        each = [function(r, s) for s, r in zip(samples, raters, strict=True)]
        assert found[name].value == pytest.approx(np.mean(each), abs=1e-12), name
        assert found[name].n_cases == N


def test_each_class_is_scored_as_two_classes_are() -> None:
    rng = np.random.default_rng(1)
    raters, samples = rng.integers(0, 3, (N, R, SIDE, SIDE)), rng.integers(0, 3, (N, S, SIDE, SIDE))
    found = evaluate(raters, samples=samples, classes=3, metrics=["ged"])["ged"]
    for label in (1, 2):
        alone = evaluate(raters == label, samples=samples == label, metrics=["ged"])["ged"].value
        assert found.by_class[label] == pytest.approx(alone, abs=1e-12)
    assert found.value == pytest.approx(np.mean(list(found.by_class.values())), abs=1e-12)


def test_masks_of_absent_raters_are_not_looked_at(cases) -> None:
    raters, samples = cases
    present = np.array([[True, True, False]] * N)
    garbage = raters.copy()
    garbage[:, 2] = ~garbage[:, 2]
    one, other = (evaluate(masks, samples=samples, present=present) for masks in (raters, garbage))
    assert value_of(one) == value_of(other)
    alone = evaluate(raters[:, :2], samples=samples, metrics=["ged"])["ged"].value
    assert one["ged"].value == pytest.approx(alone, abs=1e-12)


def test_predictions_of_raters_give_the_metrics_of_raters(cases) -> None:
    raters, samples = cases
    found = evaluate(raters, predictions=samples[:, :R], spacing=(0.5, 2.0))
    distances = [
        [hd95(masks[r], s[r], spacing=(0.5, 2.0)) for r in range(R)] for s, masks in zip(samples, raters, strict=True)
    ]
    assert found["hd95"].value == pytest.approx(np.mean(distances), abs=1e-12)
    assert "ged" not in found


def test_probabilities_of_the_foreground_and_of_both_classes_are_the_same(cases) -> None:
    raters, _ = cases
    p = np.random.default_rng(2).random((N, S, SIDE, SIDE))
    one, other = evaluate(raters, samples=p), evaluate(raters, samples=np.stack([1 - p, p], axis=2))
    assert value_of(one) == value_of(other)
    assert one["ged"].value == pytest.approx(evaluate(raters, samples=p > 0.5, metrics=["ged"])["ged"].value)


def test_cases_of_a_subject_are_averaged_first_unless_as_published(cases) -> None:
    raters, samples = cases
    each = [ged(r, s) for s, r in zip(samples, raters, strict=True)]
    found = evaluate(raters, samples=samples, subjects=["a", "a", "a", "b"], metrics=["ged"])["ged"].value
    assert found == pytest.approx((np.mean(each[:3]) + each[3]) / 2, abs=1e-12)
    published = [ged(r, s, protocol=PUBLISHED) for s, r in zip(samples, raters, strict=True)]
    found = evaluate(raters, samples=samples, subjects=["a", "a", "a", "b"], metrics=["ged"], protocol=PUBLISHED)
    assert found["ged"].value == pytest.approx(np.mean(published), abs=1e-12)


def test_cases_may_differ_in_size_and_be_volumes() -> None:
    rng = np.random.default_rng(3)
    sizes = [(4, 9, 7), (3, 5, 11)]
    raters, samples = ([rng.random((n, *size)) < 0.5 for size in sizes] for n in (R, S))
    each = [ged(r, s) for s, r in zip(samples, raters, strict=True)]
    assert evaluate(raters, samples=samples, metrics=["ged"])["ged"].value == pytest.approx(np.mean(each), abs=1e-12)


def test_samples_are_second_by_place_or_by_name(cases) -> None:
    assert evaluate(*cases) == evaluate(samples=cases[1], raters=cases[0])
    with pytest.raises(TypeError):
        evaluate(*cases, cases[1])


@pytest.mark.parametrize("grid", [(SIDE, SIDE), (5, SIDE, SIDE)])
def test_one_case_is_scored_as_a_batch_of_one(grid) -> None:
    rng = np.random.default_rng(4)
    raters, samples, predictions = (rng.random((n, *grid)) < 0.5 for n in (R, S, R))
    consensus, present = rng.random(grid) < 0.5, np.array([True, False, True])
    given = {"samples": samples, "predictions": predictions, "consensus": consensus, "present": present}
    how = {"spacing": (0.5,) * len(grid)}
    batch = evaluate(raters[None], **{name: each[None] for name, each in given.items()}, **how)
    assert evaluate(raters, **given, **how, one_case=True) == batch
    assert {value.n_cases for value in batch.values()} == {1}
    alone = evaluate(raters, samples, one_case=True, metrics=["ged"])["ged"].value
    assert alone == pytest.approx(ged(raters, samples), abs=1e-12)


def test_one_case_takes_probabilities_of_every_class() -> None:
    rng = np.random.default_rng(5)
    labels, p = rng.integers(0, 3, (R, SIDE, SIDE)), rng.dirichlet(np.ones(3), (S, SIDE, SIDE)).transpose(0, 3, 1, 2)
    found = evaluate(labels, p, one_case=True, classes=3)
    assert value_of(found) == value_of(evaluate(labels[None], p[None], classes=3))


def test_the_same_masks_are_images_or_a_volume_as_the_caller_says() -> None:
    masks = np.random.default_rng(6).random((2, 4, 9, SIDE, SIDE)) < 0.5
    images, volume = evaluate(*masks, metrics=["ged"])["ged"], evaluate(*masks, one_case=True, metrics=["ged"])["ged"]
    assert (images.n_cases, volume.n_cases) == (4, 1)
    assert images.value == pytest.approx(np.mean([ged(*each) for each in zip(*masks, strict=True)]), abs=1e-12)
    assert volume.value == pytest.approx(ged(*masks), abs=1e-12)


def test_an_image_that_is_not_said_to_be_one_case_is_never_scored_as_many() -> None:
    masks = np.zeros((R, SIDE, SIDE), bool)
    message = r"raters must be \(R, H, W\) or \(R, D, H, W\); got shape \(12, 12\); .* one_case=True"
    with pytest.raises(ValueError, match=message):
        evaluate(masks, masks)


def test_a_spacing_tells_a_volume_from_images() -> None:
    masks = np.zeros((R, R, SIDE, SIDE), bool)
    with pytest.raises(DataError, match="wrong spacing"):
        evaluate(masks, masks, spacing=(5, 1, 1))
    with pytest.raises(DataError, match="wrong spacing"):
        evaluate(masks, masks, spacing=(1, 1), one_case=True)


def test_probabilities_as_raters_are_refused_with_the_call(cases) -> None:
    raters, samples = cases
    message = (
        r"^case 0: raters must be labels \(integers or booleans\); got float32 of shape \(5, 12, 12\); "
        r"the raters come first: evaluate\(raters, samples\)$"
    )
    with pytest.raises(ValueError, match=message):
        evaluate(samples.astype(np.float32), raters)
    with pytest.raises(ValueError, match=message):
        evaluate(samples[0].astype(np.float32), raters[0], one_case=True)


def test_tensors_give_what_arrays_give(cases) -> None:
    torch = pytest.importorskip("torch")
    raters, samples = cases
    found = evaluate(torch.from_numpy(raters), samples=torch.from_numpy(samples), metrics=["ged", "dice_soft"])
    assert found == evaluate(raters, samples=samples, metrics=["ged", "dice_soft"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "evaluate takes samples, predictions or consensus; got none"),
        (
            {"samples": np.zeros((N - 1, S, SIDE, SIDE), bool)},
            "samples must have as many cases as raters, 4; got 3; .* one_case=True",
        ),
        ({"samples": np.zeros((N, S, SIDE, SIDE + 1), bool)}, r"case 0, samples: labels \(12, 12\) or probabilities"),
        ({"samples": np.full((N, S, SIDE, SIDE), 2)}, "case 0, samples: labels must be integers below 2"),
        ({"samples": np.full((N, S, SIDE, SIDE), 1.5)}, r"case 0, samples: probabilities must be in \[0, 1\]"),
        ({"predictions": np.zeros((N, 2, SIDE, SIDE), bool)}, "case 0: predictions must be of 3 raters; got 2"),
        ({"samples": np.zeros((N, S, SIDE, SIDE), bool), "metrics": ["gde"]}, "metrics are of .*; got 'gde'"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message: str, cases) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(cases[0], **change)
