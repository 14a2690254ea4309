"""The five real files against plain NumPy that reads them by itself, and the figures that are known of them."""

import os
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from mrbench.agreement.survey import survey
from mrbench.data.caseset import ArrayPixels
from mrbench.data.description import Raters
from mrbench.metrics.protocol import PUBLISHED, STRICT
from mrbench.registry import Registry, discover

FOLDER = Path(os.environ.get("MRBENCH_TEST_DATA") or Path(__file__).parents[4] / "shared" / "data")


def fields(name):
    path = FOLDER / f"{name}.npz"
    if not path.is_file():
        pytest.skip(f"no {name}.npz in {FOLDER}; MRBENCH_TEST_DATA names its folder")
    with np.load(path, allow_pickle=False) as archive:
        wanted = {"masks", "primary", "attributes", "attribute_names", "patient_id", "raters"}
        return {field: archive[field] for field in archive.files if field in wanted}


def four_readers(name):
    found = fields(name)
    kept = found["masks"].any(axis=(2, 3)).all(axis=1) & found.get("primary", True)
    return {field: values[kept] if len(values) == len(kept) else values for field, values in found.items()}


def overlaps(masks):
    """``(N, R, R)`` Dice and IoU of each two raters in each case."""
    n, r = masks.shape[:2]
    dice, iou = np.ones((n, r, r)), np.ones((n, r, r))
    for case in range(n):
        for i, j in combinations(range(r), 2):
            a, b = masks[case, i], masks[case, j]
            shared, total = np.count_nonzero(a & b), np.count_nonzero(a) + np.count_nonzero(b)
            if total:
                dice[case, i, j] = dice[case, j, i] = 2 * shared / total
                iou[case, i, j] = iou[case, j, i] = shared / (total - shared)
    return dice, iou


def pairwise(values):
    return values[:, *np.triu_indices(values.shape[1], 1)].mean(axis=1)


@pytest.mark.parametrize(("name", "mean_dice"), [("bubil_phase", 0.860), ("bubil_fluo", None), ("bubil_mri", None)])
def test_identified_raters_have_the_matrices_of_a_plain_loop(make_cases, name, mean_dice):
    masks = fields(name)["masks"]
    dice, iou = overlaps(masks)
    images = np.zeros((len(masks), 1, *masks.shape[2:]), np.uint8)
    found = survey(many(make_cases, masks, images=images), Registry(), STRICT, samples=1)
    np.testing.assert_allclose(found.estimates["distance"].value[0], (1 - iou).mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.estimates["dice"].value[0], dice.mean(axis=0), atol=1e-12)
    assert found.estimates["mean_dice"].value[0] == pytest.approx(pairwise(dice).mean(), abs=1e-12)
    if mean_dice:
        assert found.estimates["mean_dice"].value[0] == pytest.approx(mean_dice, abs=0.0005)


def many(make_cases, masks, **choices):
    """A data set of up to ten raters."""
    cases = make_cases(masks[:, :1], **choices)
    names = tuple(f"rater-{r}" for r in range(masks.shape[1]))
    return replace(
        cases,
        description=replace(cases.description, rater_names=names),
        pixels=ArrayPixels(choices["images"], masks.astype(np.uint8)),
        present=np.ones(masks.shape[:2], bool),
    )


def test_raters_of_the_cells_have_styles(make_cases):
    masks = fields("bubil_phase")["masks"]
    areas = masks.sum(axis=(2, 3))
    expected = (areas / areas.mean(axis=1, keepdims=True)).mean(axis=0)
    images = np.zeros((len(masks), 1, 128, 128), np.uint8)
    found = survey(many(make_cases, masks, images=images), Registry(), STRICT, samples=1)
    relative = found.estimates["relative_area"].value[0]
    np.testing.assert_allclose(relative, expected, atol=1e-12)
    assert (round(relative.min(), 2), round(relative.max(), 2)) == (0.82, 1.15)
    assert np.argwhere(found.equal).tolist() == [[2, 3]]
    assert found.equal[2, 3] == 35


def test_the_nodules_of_four_readers_have_a_dice_of_826_thousandths(make_cases):
    found = four_readers("lidc_nodules")
    dice, iou = overlaps(found["masks"])
    subjects = found["patient_id"].tolist()
    images = np.zeros((len(subjects), 1, 71, 71), np.uint8)
    cases = many(make_cases, found["masks"], images=images, subjects=subjects)
    measured = survey(cases, Registry(), STRICT, samples=1).estimates
    assert measured["case_mean_dice"].value[0] == pytest.approx(0.826, abs=0.0005)
    assert measured["case_mean_dice"].value[0] == pytest.approx(pairwise(dice).mean(), abs=1e-12)
    _, own = np.unique(subjects, return_inverse=True)
    by_patient = np.bincount(own, pairwise(1 - iou)) / np.bincount(own)
    assert measured["mean_distance"].value[0] == pytest.approx(by_patient.mean(), abs=1e-12)


@pytest.fixture(scope="module")
def slices():
    return fields("lidc_slices_masks")


def slice_cases(make_cases, slices, chosen=slice(None)):
    masks = slices["masks"][chosen]
    ratings = slices["attributes"][chosen].astype(float)
    names = [str(name) for name in slices["attribute_names"]]
    return many(
        make_cases,
        masks,
        images=np.zeros((len(masks), 1, *masks.shape[2:]), np.uint8),
        subjects=slices["patient_id"][chosen].tolist(),
        attributes={name: ratings[:, :, a] for a, name in enumerate(names)},
        raters=Raters.EXCHANGEABLE,
    )


def test_the_published_slices_have_a_dice_of_856_thousandths_and_margins_that_go_with_it(make_cases, slices):
    found = survey(slice_cases(make_cases, slices), Registry(), PUBLISHED, samples=1)
    assert found.estimates["mean_dice"].value[0] == pytest.approx(0.856, abs=0.0005)
    r = dict(zip(found.attributes, found.estimates["correlation"].value[:, 0], strict=False))
    known = {"margin": 0.321, "lobulation": 0.246, "texture": 0.200, "spiculation": 0.183, "malignancy": -0.205,
             "subtlety": -0.173}  # fmt: skip
    assert {name: round(r[name], 3) for name in known} == known
    assert found.estimates["correlation"].value[-1, 0] == pytest.approx(0.60, abs=0.01)
    by_distance = dict(zip(found.attributes, found.estimates["correlation"].value[:, 2], strict=False))
    assert min(by_distance["margin"], by_distance["texture"]) > 0.2
    assert by_distance["subtlety"] > 0


BY_CASE = replace(STRICT, by_subject=False)


def references_of(cases, protocol=STRICT):
    registry = discover()
    wanted = ("majority-vote", "leave-one-out")
    registry.plugins["method"] = [plugin for plugin in registry.plugins["method"] if plugin.name in wanted]
    found = survey(cases, registry, protocol, samples=1, metrics=("ged",))
    return {row.label: row.values["ged"].mean for row in found.references.rows}


def ged(samples, iou_of_raters, masks):
    distances = [[1 - np.count_nonzero(s & m) / max(np.count_nonzero(s | m), 1) for m in masks] for s in samples]
    own = np.mean([[1 - np.count_nonzero(s & t) / max(np.count_nonzero(s | t), 1) for t in samples] for s in samples])
    return 2 * np.mean(distances) - own - np.mean(1 - iou_of_raters)


def test_votes_of_some_slices_have_the_ged_of_a_plain_loop(make_cases, slices):
    chosen = slice(None, None, 40)
    masks, patients = slices["masks"][chosen], slices["patient_id"][chosen]
    _, iou = overlaps(masks)
    rows = references_of(slice_cases(make_cases, slices, chosen))
    for name, level in (("majority-vote", 2), ("more-than-half", 3)):
        own = np.array([ged([m.sum(axis=0) >= level], i, m) for m, i in zip(masks, iou, strict=True)])
        _, at = np.unique(patients, return_inverse=True)
        assert rows[name] == pytest.approx((np.bincount(at, own) / np.bincount(at)).mean(), abs=1e-9)


@pytest.mark.slow
def test_votes_of_the_published_slices_have_their_known_ged(make_cases, slices):
    rows = references_of(slice_cases(make_cases, slices), BY_CASE)
    assert rows["majority-vote"] == pytest.approx(0.114, abs=0.0005)
    assert rows["more-than-half"] == pytest.approx(0.123, abs=0.0005)
    assert rows["leave-one-out"] == pytest.approx(0.32, abs=0.005)
    assert rows["empty"] == pytest.approx(1.8, abs=0.05)
