"""Known figures of the 1,609 slices of the published LIDC benchmark, from the masks to the fusions' answers."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import pytest

from mrbench import Raters, Trial
from mrbench_consensus import leave_one_out, level_sets, majority_vote

EVERYBODY = np.ones(4, bool)


def ged(samples: np.ndarray, raters: np.ndarray) -> float:
    """Distance 1 - IoU, two empty masks at 0, means over all ordered pairs with self-pairs."""

    def distance(left: np.ndarray, right: np.ndarray) -> float:
        left, right = (masks.reshape(len(masks), -1).astype(np.float32) for masks in (left, right))
        both = left @ right.T
        either = left.sum(axis=1)[:, None] + right.sum(axis=1) - both
        return float(np.mean(1 - np.divide(both, either, out=np.ones_like(both), where=either > 0)))

    return 2 * distance(samples, raters) - distance(samples, samples) - distance(raters, raters)


def mean_ged(fuse: Callable[..., Iterable[Trial] | Trial], cases: np.ndarray) -> float:
    def of_case(masks: np.ndarray) -> float:
        found = fuse(masks, EVERYBODY, 1, np.random.default_rng(0))
        trials = [found] if isinstance(found, Trial) else found
        return float(
            np.mean([ged(t.consensus[None], masks[EVERYBODY if t.truth is None else t.truth]) for t in trials])
        )

    return float(np.mean([of_case(masks) for masks in cases]))


def test_a_majority_vote_is_at_114_thousandths(describe, lidc_masks):
    assert mean_ged(partial(majority_vote.fuse, description=describe()), lidc_masks) == pytest.approx(0.114, abs=0.0005)


def test_one_reader_against_the_others_is_at_32_hundredths(lidc_masks):
    assert mean_ged(leave_one_out.fuse, lidc_masks) == pytest.approx(0.32, abs=0.005)


def test_level_sets_of_ranked_readers_reach_a_dice_of_956_thousandths(describe, lidc_masks):
    description = describe(kind=Raters.RANKED)

    def dice(masks: np.ndarray) -> float:
        ranked = masks[np.argsort(masks.sum(axis=(1, 2)), kind="stable")]
        trial = level_sets.fuse(ranked, EVERYBODY, 1, np.random.default_rng(0), description)
        predicted = np.stack(list(trial.raters.values()))
        both, sum_of_areas = ((predicted & ranked).sum(axis=(1, 2)), (predicted.sum((1, 2)) + ranked.sum((1, 2))))
        return float(np.mean(np.where(sum_of_areas > 0, 2 * both / np.maximum(sum_of_areas, 1), 1)))

    assert np.mean([dice(masks) for masks in lidc_masks]) == pytest.approx(0.956, abs=0.0005)
