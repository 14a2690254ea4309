"""Building the integer tables of a case: one pass over the pixels.

Only metrics that ask for masks read a mask afterwards.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from mrbench.errors import DataError
from mrbench.interfaces.case_tables import CaseTables, MaskRows
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics.calibration import beyond_background, counts_beyond_background
from mrbench.metrics.counting import (
    THRESHOLDS,
    count_bits,
    count_class,
    joint_histogram,
    levels,
    pack_masks,
    threshold_counts,
)

MAX_RATERS = 62
"""A rater pattern is one int64."""


def binarise(probability: np.ndarray) -> np.ndarray:
    """``(F, *spatial)`` masks of the foreground classes from probabilities ``(K, *spatial)``.

    K = 2: above one half, strictly. K > 2: the most probable class, the lowest of equals.
    """
    if len(probability) == 2:
        return np.greater(probability[1:], 0.5)
    labels = probability.argmax(axis=0)
    return np.stack([labels == label for label in range(1, len(probability))])


class _Sum:
    """Sum of the probabilities ``(classes, pixels)`` of n predictions, in float64."""

    def __init__(self, classes: int, pixels: int) -> None:
        self.shape, self.n = (classes, pixels), 0

    @cached_property
    def total(self) -> np.ndarray:
        """``(classes, pixels)``; takes no memory before there is a prediction."""
        return np.zeros(self.shape)

    def add(self, probability: np.ndarray) -> None:
        """Adds a prediction, ``(classes, *spatial)``."""
        np.add(self.total, probability.reshape(self.shape), out=self.total)
        self.n += 1

    def plus(self, other: "_Sum", times: int) -> "_Sum":
        """A sum of its own, with the foreground of another one ``times`` over."""
        found = _Sum(*self.shape)
        found.total += self.total + times * other.total[-self.shape[0] :]
        found.n = self.n + times * other.n
        return found

    def counts(self, raters: np.ndarray, n_raters: int, valid: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Soft counts ``(F, 5, 3)`` and calibration ``(E, 6)`` of the mean; zero, and no rows, without any prediction.

        Args:
            raters: ``(R, F, bytes)`` packed masks.
            n_raters: how many of them are the truth; the others are empty.
            valid: ``(pixels,)`` bool, those that count; None: all.
        """
        if not self.n:
            return np.zeros((self.shape[0], len(THRESHOLDS), 3), np.int64), labelled([], 6)
        pairs = [_mean_counts(total, self.n, raters[:, f], n_raters, valid) for f, total in enumerate(self.total)]
        return np.array([soft for soft, _ in pairs]), labelled([calibration for _, calibration in pairs], 6)


def _mean_counts(
    total: np.ndarray, n: int, raters: np.ndarray, n_raters: int, valid: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    marked = np.unpackbits(raters, axis=1, count=len(total))
    if valid is not None:
        total, marked = total[valid], marked[:, valid]
    probability = total / n
    # A method's probabilities may be off by a rounding error.
    np.clip(probability, 0, 1, out=probability)
    # The least threshold of soft Dice lies above bin 0: what is background here counts nowhere there.
    rest = beyond_background(probability, np.bitwise_or.reduce(marked).view(np.bool_))
    marked = np.take(marked, rest, axis=1)
    level_of_votes = levels(np.arange(len(raters) + 1), n_raters)
    soft = threshold_counts(levels(total[rest], n), level_of_votes[marked.sum(axis=0, dtype=np.uint8)])
    return soft, counts_beyond_background(probability, rest, marked)


class TableBuilder:
    """Takes the draws of one trial of one case one at a time and keeps bits and running sums only.

    Args:
        masks: ``(R, *spatial)`` unsigned integers below K.
        truth: ``(R,)`` bool, the raters who are scored against.
        classes: K, background included.
        spacing: mm per axis of ``spatial``, or None where unknown.
        valid: ``(*spatial)`` bool, the pixels that count; the others are background to everybody. None: all.

    Raises:
        DataError: more raters than a pattern has bits, or a spacing of other axes.
    """

    def __init__(
        self,
        masks: np.ndarray,
        truth: np.ndarray,
        classes: int,
        spacing: Sequence[float] | None = None,
        valid: np.ndarray | None = None,
    ) -> None:
        if len(masks) > MAX_RATERS:
            raise DataError("a case has too many raters", expected=f"at most {MAX_RATERS}", found=f"{len(masks)}")
        if spacing is not None and len(spacing) != masks.ndim - 1:
            raise DataError("a case has a wrong spacing", expected=f"{masks.ndim - 1} lengths", found=f"{spacing}")
        self._truth = np.array(truth, bool)
        self._shape, self._spacing = masks.shape[1:], None if spacing is None else tuple(map(float, spacing))
        flat = masks.reshape(len(masks), -1)
        self._pixels, self._labels = flat.shape[1], np.arange(1, classes)
        self._valid = None if valid is None or valid.all() else valid.reshape(-1)
        self._counted = None if self._valid is None else pack_masks(self._valid)
        self._void = 0 if self._valid is None else int(np.count_nonzero(~self._valid))
        self._raters = self._judged(pack_masks(flat[:, None] == self._labels[:, None].astype(flat.dtype)))
        self._raters[~self._truth] = 0
        self._samples: list[np.ndarray] = []
        self._predictions: list[np.ndarray] = []
        self._predicted_rater: list[int] = []
        self._consensus: list[np.ndarray] = []
        self._sample_sum, self._first_sum = (_Sum(len(self._labels), self._pixels) for _ in range(2))
        # By rater; None: of the consensus.
        self._own_sums: dict[int | None, _Sum] = {}

    def _judged(self, packed: np.ndarray) -> np.ndarray:
        # Masks (..., bytes) with void pixels as background
        return packed if self._counted is None else packed & self._counted

    def add(self, draw: Draw) -> None:
        """Takes the next draw, ``(K, *spatial)`` probabilities; a rater's first one is that rater's draw 0."""
        bits = self._judged(pack_masks(binarise(draw.probability).reshape(len(self._labels), -1)))
        if draw.kind is DrawKind.SAMPLE:
            self._samples.append(bits)
            self._sample_sum.add(draw.probability[1:])
        elif draw.kind is DrawKind.CONSENSUS:
            self._consensus.append(bits)
            self._add_own(None, draw.probability)
        elif draw.rater is not None:
            if draw.rater not in self._own_sums:
                self._first_sum.add(draw.probability[1:])
            self._predictions.append(bits)
            self._predicted_rater.append(draw.rater)
            self._add_own(draw.rater, draw.probability)

    def _add_own(self, rater: int | None, probability: np.ndarray) -> None:
        if rater not in self._own_sums:
            self._own_sums[rater] = _Sum(len(probability), self._pixels)
        self._own_sums[rater].add(probability)

    def packed(self) -> np.ndarray:
        """``(draws, F, ceil(pixels / 8))`` uint8 bits of the draws: samples, rater predictions, consensus."""
        draws = self._samples + self._predictions + self._consensus
        return np.array(draws, np.uint8).reshape(len(draws), *self._raters.shape[1:])

    def finish(self) -> CaseTables:
        """The tables of the draws so far."""
        rows = MaskRows(
            n_samples=len(self._samples),
            predicted_rater=np.array(self._predicted_rater, np.int64),
            has_consensus=bool(self._consensus),
            truth=self._truth,
        )
        masks = np.concatenate([self.packed(), self._raters])
        intersection, votes, rater_votes = self._count(rows, masks)
        truth = int(self._truth.sum())
        (soft, calibration), (rater_soft, rater_calibration) = (
            total.counts(self._raters, truth, self._valid) for total in self._set_sums(rows)
        )
        return CaseTables(
            n_samples=rows.n_samples,
            predicted_rater=rows.predicted_rater,
            has_consensus=rows.has_consensus,
            truth=rows.truth,
            shape=self._shape,
            spacing=self._spacing,
            intersection=intersection,
            votes=votes,
            rater_votes=rater_votes,
            soft=soft,
            rater_soft=rater_soft,
            calibration=calibration,
            rater_calibration=rater_calibration,
            rater_means=self._rater_means(),
            bits=lambda: masks,
            void=self._void,
        )

    def _count(self, rows: MaskRows, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sets = rows.sample_rows, rows.rater_rows
        weights = [np.bincount(chosen, minlength=len(masks)) for chosen in sets if len(chosen)]
        counted = [count_class(masks[:, f], weights, len(self._truth)) for f in range(len(self._labels))]
        joint = iter(
            [joint_histogram(votes[i], patterns, self._pixels - self._void) for _, votes, patterns in counted]
            for i in range(len(weights))
        )
        votes, rater_votes = (labelled(next(joint) if len(chosen) else [], 4) for chosen in sets)
        return np.array([shared for shared, _, _ in counted]), votes, rater_votes

    def _set_sums(self, rows: MaskRows) -> tuple[_Sum, _Sum]:
        samples, raters, consensus = self._sample_sum, self._first_sum, self._own_sums.get(None)
        if consensus is None:
            return samples, raters
        filled = raters.plus(consensus, len(rows.rater_rows) - raters.n)
        return samples if samples.n else samples.plus(consensus, 1), filled

    def _rater_means(self) -> np.ndarray:
        means = np.zeros((len(self._labels), len(self._truth), 2), np.int64)
        for rater in np.flatnonzero(self._truth).tolist():
            found = self._own_sums.get(rater, self._own_sums.get(None))
            if found is not None:
                mean = self._judged(pack_masks(binarise(found.total / found.n)))
                means[:, rater, 0] = count_bits(mean)
                means[:, rater, 1] = count_bits(mean & self._raters[rater])
        return means


def labelled(counts: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """``(E, columns)`` rows of all classes with the class in front, from those of each class, ``(E, columns - 1)``."""
    rows = np.empty((sum(map(len, counts)), columns), np.int64)
    at = 0
    for label, entries in enumerate(counts, start=1):
        rows[at : at + len(entries), 0], rows[at : at + len(entries), 1:] = label, entries
        at += len(entries)
    return rows
