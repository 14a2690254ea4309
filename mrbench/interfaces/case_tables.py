"""The integer tables of a case, from which every overlap metric follows under every scoring protocol."""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from mrbench.errors import DataError


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Intersection counts of S predicted masks and R raters' masks of one class.

    Attributes:
        shared: ``(M, M)`` int64, M = S + R, the predicted masks first; the diagonal holds the areas.
        n_predicted: S.
    """

    shared: np.ndarray
    n_predicted: int

    @property
    def n_raters(self) -> int:
        """R."""
        return len(self.shared) - self.n_predicted

    @cached_property
    def totals(self) -> np.ndarray:
        """``(M, M)`` sums of the two areas."""
        areas = np.diagonal(self.shared)
        return areas[:, None] + areas[None, :]


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
        bits: gives ``(M, F, ceil(size / 8))`` uint8, the masks themselves; None where they were not kept.
        void: pixels of the image that count nowhere; all masks are background there.
        in_turn: are the samples taken in turn, and so no independent draws?
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
    void: int = 0
    in_turn: bool = False

    @cached_property
    def size(self) -> int:
        """Pixels of the image."""
        return math.prod(self.shape)

    @property
    def pixels(self) -> int:
        """That count: those of the image but the void ones."""
        return self.size - self.void

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

        Void pixels are background in all of them.

        Raises:
            DataError: they were not kept (``bits`` is None), or are not those that were counted.
        """
        flat = np.unpackbits(self.kept_bits[rows, label - 1], axis=1, count=self.size)
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
