"""How far apart are experts? Distances d = 1 - IoU inside one set of masks, of raters or of predictions."""

import numpy as np

from mrbench.metrics.arrays import Array
from mrbench.metrics.overlap import iou_matrix, validate_masks
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.seeds import derive_noise


def pair_distances_of(distance: np.ndarray) -> np.ndarray:
    """``(..., R, R - 1)`` distances of each expert to the others in their order, from matrices ``(..., R, R)``."""
    r = distance.shape[-1]
    if r < 2:
        raise ValueError(f"a pair needs two experts; got {r}")
    others = np.array([[column for column in range(r) if column != row] for row in range(r)], np.int64)
    return np.take_along_axis(distance, np.broadcast_to(others, (*distance.shape[:-1], r - 1)), axis=-1)


def expert_distances_of(distance: np.ndarray, seed: int) -> np.ndarray:
    """``(..., 2)`` :func:`expert_distances` of matrices ``(..., 4, 4)``, each shuffled on its own, in order."""
    if distance.shape[-2:] != (4, 4):
        raise ValueError(f"distance to two random experts is of four masks; got {distance.shape[-1]}")
    places = np.broadcast_to(np.arange(4), distance.shape[:-1])
    a, b, c, e = np.moveaxis(derive_noise("experts", seed).permuted(places, axis=-1), -1, 0)
    return np.stack([_sum_of_two(distance, first, b, c) for first in (a, e)], axis=-1)


def _sum_of_two(distance: np.ndarray, first: np.ndarray, *others: np.ndarray) -> np.ndarray:
    cases = np.indices(distance.shape[:-2], sparse=True)
    return np.add(*(distance[(*cases, first, other)] for other in others))


def expert_distance_mean_of(distance: np.ndarray) -> np.ndarray:
    """``(...)`` mean of :func:`expert_distances_of` over all shuffles: twice the mean distance of two experts."""
    return 2 * pair_distances_of(distance).mean(axis=(-2, -1))


def pair_distances(masks: Array, *, protocol: ScoringProtocol = STRICT) -> np.ndarray:
    """``(R, R - 1)`` distance of each expert's mask to the others' in their order (ProSeg Fig. 8: 4 x 3).

    Args:
        masks: ``(R, *spatial)`` bool, R >= 2, of the experts who are present, or predictions made for them.
        protocol: of two empty masks, ``strict`` says distance 0, ``published`` (ProSeg's figures) distance 1.

    Raises:
        ValueError: a single mask.
    """
    return pair_distances_of(_distance(masks, protocol))


def expert_distances(masks: Array, *, seed: int, protocol: ScoringProtocol = STRICT) -> np.ndarray:
    """``(2,)`` distances to two random experts (ProSeg Fig. 1 and 7), each a sum of two and so in [0, 2].

    The masks are shuffled into (a, b, c, e); the distances are d(a, c) + d(a, b) and d(e, c) + d(e, b). Give every case
    a seed of its own. :func:`expert_distance_mean` is the expectation and needs no seed.

    Args:
        masks: ``(4, *spatial)`` bool, of the experts or predictions made for them.
        seed: of the shuffle.
        protocol: of two empty masks, ``strict`` says distance 0, ``published`` (ProSeg's figures) distance 1.

    Raises:
        ValueError: not four masks.
    """
    return expert_distances_of(_distance(masks, protocol), seed)


def expert_distance_mean(masks: Array, *, protocol: ScoringProtocol = STRICT) -> float:
    """Expectation of either of :func:`expert_distances` over all shuffles: twice the mean distance of two experts.

    Args:
        masks: ``(R, *spatial)`` bool, R >= 2; with R = 4 it is that expectation.
        protocol: decides on two empty masks.
    """
    return float(expert_distance_mean_of(_distance(masks, protocol)))


def _distance(masks: Array, protocol: ScoringProtocol) -> np.ndarray:
    validate_masks("masks", masks)
    return 1 - iou_matrix(masks, masks, protocol=protocol)
