"""From sums per subject to values with intervals: the same reduction of everybody's subjects and of every draw's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mrbench.agreement.accumulator import SubjectSums
from mrbench.agreement.attributes import MOMENTS, correlations
from mrbench.agreement.chance import alpha_of
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.statistics.interval import LEVEL
from mrbench.statistics.subjects import mean_of_present

BY_CLASS = (
    "dice", "distance", "slice_distance", "mean_dice", "mean_distance", "mean_slice_distance", "marked_dice",
    "marked_distance", "self_distance", "ranks", "relative_area", "area_spread", "sensitivity", "specificity",
    "mean_sensitivity", "mean_specificity",
)  # fmt: skip
"""Means of quantities ``(F, ...)``; with several classes, the mean over them stands behind."""

BY_CASE = ("mean_dice", "mean_distance")
"""Of these, also the mean over cases that weigh alike, named ``case_...``."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """A quantity with its percentile interval, NaN where there is none.

    Attributes:
        value, low, high: of one shape; the first axis is that of the classes, with their mean behind where there are
            several, unless the quantity is one number.
        cases: int64, those that have a value; of the same shape, 0 for the mean over the classes.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    cases: np.ndarray


def estimate(sums: SubjectSums, protocol: ScoringProtocol) -> dict[str, Estimates]:
    """Every quantity by name, with intervals from bootstrap draws of subjects; no interval of fewer than two."""
    whole = {name: value[0] for name, value in _values(sums, np.ones((1, len(sums.subjects))), protocol).items()}
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in whole}
    for weights in sums.draws() if len(sums.subjects) > 1 else ():
        for name, values in _values(sums, weights, protocol).items():
            drawn[name].append(values)
    return {name: _with_interval(value, drawn[name], _cases(sums, name, value)) for name, value in whole.items()}


def _values(sums: SubjectSums, weights: np.ndarray, protocol: ScoringProtocol) -> dict[str, np.ndarray]:
    """Every quantity under weights ``(T, U)``, ``(T, ...)`` each."""
    found = {name: sums.mean(name, weights, by_subject=protocol.by_subject) for name in BY_CLASS}
    found |= {f"case_{name}": sums.mean(name, weights, by_subject=False) for name in BY_CASE}
    found |= _pooled(sums.total("pair_shared", weights), sums.total("pair_union", weights))
    found = {name: _with_mean(values) for name, values in found.items()}
    found |= {name: sums.mean(name, weights, by_subject=protocol.by_subject) for name in ("kappa", "alpha")}
    found["pooled_alpha"] = alpha_of(sums.total("coincidences", weights))
    return found | correlations(sums, weights)


def _pooled(shared: np.ndarray, union: np.ndarray) -> Mapping[str, np.ndarray]:
    """Distance and Dice of the pixels of all pairs and cases together, ``(T, F)``."""
    missing = np.full(union.shape, np.nan)
    iou = np.divide(shared, union, out=missing, where=union > 0)
    return {"pooled_distance": 1 - iou, "pooled_dice": 2 * iou / (1 + iou)}


def _with_mean(values: np.ndarray) -> np.ndarray:
    """``(T, F, ...)`` with the mean over the classes that have a value behind, where F > 1."""
    if values.shape[1] == 1:
        return values
    mean = mean_of_present(np.moveaxis(values, 1, -1))
    return np.concatenate([values, mean[:, None]], axis=1)


def _with_interval(value: np.ndarray, drawn: list[np.ndarray], cases: np.ndarray) -> Estimates:
    if not drawn:
        return Estimates(value, np.full(value.shape, np.nan), np.full(value.shape, np.nan), cases)
    draws = np.concatenate(drawn)
    # Where no draw has a value there is nothing to rank, which NumPy would warn of.
    never = np.isnan(draws).all(axis=0)
    low, high = np.nanquantile(np.where(never, 0.0, draws), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Estimates(value, np.where(never, np.nan, low), np.where(never, np.nan, high), cases)


def _cases(sums: SubjectSums, name: str, value: np.ndarray) -> np.ndarray:
    if name == "correlation":
        return sums.total(MOMENTS, np.ones((1, len(sums.subjects))))[0, ..., 0].astype(np.int64)
    counted = {"pooled_alpha": "alpha", "pooled_distance": "mean_distance", "pooled_dice": "mean_dice"}
    cases = sums.cases(counted.get(name, name.removeprefix("case_")))
    behind = len(value) - len(cases) if value.ndim else 0
    return np.concatenate([cases, np.zeros((behind, *cases.shape[1:]), np.int64)]) if behind else cases
