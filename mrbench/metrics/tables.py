"""The integer tables of a case, from which every overlap metric follows under every scoring protocol.

Building them is one pass over the pixels; only metrics that ask for masks read a mask afterwards.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from mrbench.errors import DataError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics.calibration import beyond_background, counts_beyond_background
from mrbench.metrics.counting import (
    THRESHOLDS,
    count_bits,
    count_class,
    joint_histogram,
    levels,
    pack_masks,
    popcount,
    threshold_counts,
)
from mrbench.metrics.overlap import Overlaps

MAX_RATERS = 62
"""A rater pattern is one int64."""


class Predictions(NamedTuple):
    """A set of predicted masks that is scored as a whole."""

    rows: np.ndarray
    """``(S,)`` of the intersection matrix."""
    votes: np.ndarray
    """``(E, 4)`` as in :class:`CaseTables`."""
    soft: np.ndarray | None
    """``(F, 5, 3)`` as in :class:`CaseTables`."""
    calibration: np.ndarray | None
    """``(E, 6)`` as in :class:`CaseTables`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class MaskRows:
    """Who the M masks of one trial of one case are: S samples, P rater predictions, maybe a consensus, R raters.

    Attributes:
        n_samples: S.
        predicted_rater: ``(P,)`` int64, the rater whom each rater prediction was made for.
        has_consensus: is there a consensus?
        truth: ``(R,)`` bool, the raters who are scored against.
    """

    n_samples: int
    predicted_rater: np.ndarray
    has_consensus: bool
    truth: np.ndarray

    @property
    def n_predicted(self) -> int:
        """Rows before the raters'."""
        return self.n_samples + len(self.predicted_rater) + self.has_consensus

    @cached_property
    def truth_raters(self) -> np.ndarray:
        """Columns of the raters who are scored against."""
        return np.flatnonzero(self.truth)

    @cached_property
    def truth_rows(self) -> np.ndarray:
        """Rows of the raters who are scored against."""
        return self.n_predicted + self.truth_raters

    @cached_property
    def sample_rows(self) -> np.ndarray:
        """Rows of the samples; where there are none, the consensus is the one sample."""
        return np.arange(self.n_samples) if self.n_samples else self._consensus_rows

    def rows_of(self, rater: int) -> np.ndarray:
        """Rows of the predictions made for a rater, draw 0 first; where there are none, the consensus."""
        return self._own_rows.get(rater, self._consensus_rows)

    @cached_property
    def _own_rows(self) -> dict[int, np.ndarray]:
        rows: dict[int, list[int]] = {}
        for row, rater in enumerate(self.predicted_rater.tolist(), start=self.n_samples):
            rows.setdefault(rater, []).append(row)
        return {rater: np.array(own) for rater, own in rows.items()}

    @cached_property
    def set_raters(self) -> np.ndarray:
        """Columns of the raters for whom there is a prediction."""
        return np.array([r for r in range(len(self.truth)) if len(self.rows_of(r))], np.int64)

    @property
    def predicts_every_rater(self) -> bool:
        """Is there a prediction for each of the R raters?"""
        return len(self.set_raters) == len(self.truth)

    @cached_property
    def rater_rows(self) -> np.ndarray:
        """Row of draw 0 of each of ``set_raters``."""
        return np.array([self.rows_of(r)[0] for r in self.set_raters], np.int64)

    @cached_property
    def _consensus_rows(self) -> np.ndarray:
        return np.arange(self.n_predicted - self.has_consensus, self.n_predicted)


@dataclass(frozen=True, eq=False, kw_only=True)
class CaseTables(MaskRows):
    """Everything that is stored for one trial of one case.

    F = K - 1 foreground classes; M = S + P + (0 or 1) + R masks in this order.

    Attributes:
        shape: of the image, ``(H, W)`` or ``(D, H, W)``.
        spacing: mm per axis of ``shape``, or None where unknown.
        intersection: ``(F, M, M)`` int64 shared pixels; the diagonal holds the areas. Rows of raters who are not the
            truth are zero.
        votes: ``(E, 4)`` int64 rows [class, samples that mark the pixel, bit pattern of the raters who do, pixels],
            ascending; no rows where there are neither samples nor a consensus.
        rater_votes: the same for the set of draw 0 of each rater.
        soft: ``(F, 5, 3)`` int64 counts |A|, |B|, |A and B| of A = mean probability of the samples > t and B = share of
            the raters > t, for t in .1 .3 .5 .7 .9; zero where there are neither samples nor a consensus. None where
            the mean probability is not known, as of a part of the samples.
        rater_soft: the same for the set of draw 0 of each rater.
        calibration: ``(E, 6)`` int64 rows [class, bin of the mean probability p of the samples, bit pattern of the
            raters, pixels, sum of p, sum of p^2], see :func:`~mrbench.metrics.calibration.calibration_counts`; no rows
            where there are neither samples nor a consensus, None where ``soft`` is.
        rater_calibration: the same for the set of draw 0 of each rater.
        rater_means: ``(F, R, 2)`` int64: foreground of the mean probability of a rater's draws (of the consensus where
            the rater has none) as a mask, and what it shares with that rater's mask; zero of raters without either.
        bits: gives ``(M, F, ceil(pixels / 8))`` uint8, the masks themselves; None where they were not kept.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    intersection: np.ndarray
    votes: np.ndarray
    rater_votes: np.ndarray
    soft: np.ndarray | None
    rater_soft: np.ndarray
    calibration: np.ndarray | None
    rater_calibration: np.ndarray
    rater_means: np.ndarray
    bits: Callable[[], np.ndarray] | None = None

    @cached_property
    def pixels(self) -> int:
        """Of the image."""
        return math.prod(self.shape)

    @property
    def samples(self) -> Predictions:
        """The samples; a consensus-only method's one output."""
        return Predictions(self.sample_rows, self.votes, self.soft, self.calibration)

    @property
    def rater_set(self) -> Predictions:
        """Draw 0 of each rater, truth or not; of a consensus-only method, its output once per rater."""
        return Predictions(self.rater_rows, self.rater_votes, self.rater_soft, self.rater_calibration)

    @property
    def areas(self) -> np.ndarray:
        """``(F, M)`` pixels of each mask."""
        return np.diagonal(self.intersection, axis1=1, axis2=2)

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """Foreground classes that are scored here: with K > 2, those that some mask of the case contains."""
        if len(self.intersection) == 1:
            return (1,)
        return tuple((np.flatnonzero(self.areas.any(axis=1)) + 1).tolist())

    def overlaps(self, label: int, rows: np.ndarray) -> Overlaps:
        """The overlaps of some predicted rows ``(S,)`` with the raters who are the truth; made once per set."""
        key = label, rows.tobytes()
        if key not in self._overlaps:
            index, shared = np.concatenate([rows, self.truth_rows]), self.intersection[label - 1]
            part = shared if np.array_equal(index, np.arange(len(shared))) else shared[index[:, None], index]
            self._overlaps[key] = Overlaps(part, len(rows))
        return self._overlaps[key]

    @cached_property
    def _overlaps(self) -> dict[tuple[int, bytes], Overlaps]:
        return {}

    @cached_property
    def shared(self) -> dict[Hashable, Any]:
        """What metrics have worked out of this case and share, by keys of their own."""
        return {}

    def masks(self, label: int, rows: np.ndarray) -> np.ndarray:
        """``(n, *spatial)`` bool masks of some rows ``(n,)`` of the intersection matrix, unpacked when asked for.

        Raises:
            DataError: they were not kept (``bits`` is None), or are not those that were counted.
        """
        flat = np.unpackbits(self.kept_bits[rows, label - 1], axis=1, count=self.pixels)
        if not np.array_equal(np.count_nonzero(flat, axis=1), self.areas[label - 1, rows]):
            raise DataError("stored masks are damaged", expected="the areas of the tables", found="other areas")
        return flat.reshape(len(rows), *self.shape).view(np.bool_)

    @cached_property
    def kept_bits(self) -> np.ndarray:
        """What ``bits`` gives; read once.

        Raises:
            DataError: they were not kept.
        """
        if self.bits is None:
            raise DataError("the masks of this case were not kept")
        return self.bits()

    def vote_counts(self, label: int, predictions: Predictions) -> np.ndarray:
        """``(5, 3)`` as ``soft`` for one class, with A = share of the predictions that mark a pixel > t."""
        _, votes, pattern, pixels = predictions.votes[predictions.votes[:, 0] == label].T
        predicted = levels(votes, len(predictions.rows))
        return threshold_counts(predicted, levels(popcount(pattern), len(self.truth_rows)), pixels)


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

    def counts(self, raters: np.ndarray, n_raters: int) -> tuple[np.ndarray, np.ndarray]:
        """Soft counts ``(F, 5, 3)`` and calibration ``(E, 6)`` of the mean; zero, and no rows, without any prediction.

        Args:
            raters: ``(R, F, bytes)`` packed masks.
            n_raters: how many of them are the truth; the others are empty.
        """
        if not self.n:
            return np.zeros((self.shape[0], len(THRESHOLDS), 3), np.int64), labelled([], 6)
        pairs = [_mean_counts(total, self.n, raters[:, f], n_raters) for f, total in enumerate(self.total)]
        return np.array([soft for soft, _ in pairs]), labelled([calibration for _, calibration in pairs], 6)


def _mean_counts(total: np.ndarray, n: int, raters: np.ndarray, n_raters: int) -> tuple[np.ndarray, np.ndarray]:
    probability = total / n
    # A method's probabilities may be off by a rounding error.
    np.clip(probability, 0, 1, out=probability)
    marked = np.unpackbits(raters, axis=1, count=len(total))
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

    Raises:
        DataError: more raters than a pattern has bits, or a spacing of other axes.
    """

    def __init__(
        self, masks: np.ndarray, truth: np.ndarray, classes: int, spacing: Sequence[float] | None = None
    ) -> None:
        if len(masks) > MAX_RATERS:
            raise DataError("a case has too many raters", expected=f"at most {MAX_RATERS}", found=f"{len(masks)}")
        if spacing is not None and len(spacing) != masks.ndim - 1:
            raise DataError("a case has a wrong spacing", expected=f"{masks.ndim - 1} lengths", found=f"{spacing}")
        self._truth = np.array(truth, bool)
        self._shape, self._spacing = masks.shape[1:], None if spacing is None else tuple(map(float, spacing))
        flat = masks.reshape(len(masks), -1)
        self._pixels, self._labels = flat.shape[1], np.arange(1, classes)
        self._raters = pack_masks(flat[:, None] == self._labels[:, None].astype(flat.dtype))
        self._raters[~self._truth] = 0
        self._samples: list[np.ndarray] = []
        self._predictions: list[np.ndarray] = []
        self._predicted_rater: list[int] = []
        self._consensus: list[np.ndarray] = []
        self._sample_sum, self._first_sum = (_Sum(len(self._labels), self._pixels) for _ in range(2))
        # By rater; None: of the consensus.
        self._own_sums: dict[int | None, _Sum] = {}

    def add(self, draw: Draw) -> None:
        """Takes the next draw, ``(K, *spatial)`` probabilities; a rater's first one is that rater's draw 0."""
        bits = pack_masks(binarise(draw.probability).reshape(len(self._labels), -1))
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
            total.counts(self._raters, truth) for total in self._set_sums(rows)
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
        )

    def _count(self, rows: MaskRows, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sets = rows.sample_rows, rows.rater_rows
        weights = [np.bincount(chosen, minlength=len(masks)) for chosen in sets if len(chosen)]
        counted = [count_class(masks[:, f], weights, len(self._truth)) for f in range(len(self._labels))]
        joint = iter(
            [joint_histogram(votes[i], patterns, self._pixels) for _, votes, patterns in counted]
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
                mean = pack_masks(binarise(found.total / found.n))
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
