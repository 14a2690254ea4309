"""The built-in metrics of what is stored beside the overlap tables: masks, mean probabilities, raters' mean masks."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Predictions
from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.calibration import BINS, fraction_bits
from mrbench.metrics.overlap import dice_ratio
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.suite import OfRaters, OfSamples, RaterMetric
from mrbench.metrics.surface import SurfaceDistances, surface_distances


class SurfaceMetric(Metric):
    """Of the rater's own predictions, or of the consensus, as ``iou``; missing where the masks were not kept."""

    def statistics(self, tables: CaseTables, protocol: ScoringProtocol) -> Mapping[Key, np.ndarray]:  # noqa: ARG002
        """``{Key(label, rater): statistics}``; the last one says whether distances are in mm."""
        if tables.bits is None or len(tables.rater_rows) == 0:
            return {}
        return {
            Key(label, rater): np.append(self.of_surfaces(surfaces, column), tables.spacing is not None)
            for label in tables.labels
            for rater, (surfaces, column) in own_surfaces(tables, label).items()
        }

    @abstractmethod
    def of_surfaces(self, surfaces: SurfaceDistances, column: int) -> np.ndarray:
        """Statistics of one rater from the distances of the rater's own predictions to the masks of some raters."""


def own_surfaces(tables: CaseTables, label: int) -> Mapping[int, tuple[SurfaceDistances, int]]:
    """For each rater the distances that the rater's own predictions take part in, and the rater's column in them.

    In mm where the spacing is known, else in pixels. Worked out once per case and class.
    """
    key = "surfaces", label
    if key not in tables.shared:
        tables.shared[key] = _own_surfaces(tables, label)
    found: Mapping[int, tuple[SurfaceDistances, int]] = tables.shared[key]
    return found


def _own_surfaces(tables: CaseTables, label: int) -> dict[int, tuple[SurfaceDistances, int]]:
    found: dict[int, tuple[SurfaceDistances, int]] = {}
    for rows, raters in _raters_by_rows(tables).items():
        predicted = tables.masks(label, np.array(rows))
        truth = tables.masks(label, tables.n_predicted + np.array(raters))
        surfaces = surface_distances(truth, predicted, spacing=tables.spacing)
        found |= {rater: (surfaces, column) for column, rater in enumerate(raters)}
    return found


def _raters_by_rows(tables: CaseTables) -> dict[tuple[int, ...], list[int]]:
    # A consensus stands in for several raters: its boundary is found once.
    groups: dict[tuple[int, ...], list[int]] = {}
    for rater in tables.truth_raters.tolist():
        rows = tuple(tables.rows_of(rater).tolist())
        if rows:
            groups.setdefault(rows, []).append(rater)
    return groups


class Hd95(SurfaceMetric):
    """``hd95``."""

    def of_surfaces(self, surfaces: SurfaceDistances, column: int) -> np.ndarray:
        """``(2,)`` mean over the rater's draws, and the share of them whose distance is the diagonal of the image."""
        return np.array([surfaces.percentile(95)[:, column].mean(), surfaces.one_empty[:, column].mean()])


class NsdMetric(SurfaceMetric):
    """Surface Dice at a tolerance in mm where the spacing is known, else in pixels."""

    tolerance: float

    def of_surfaces(self, surfaces: SurfaceDistances, column: int) -> np.ndarray:
        """``(1,)`` mean over the rater's draws."""
        return np.array([surfaces.nsd(self.tolerance)[:, column].mean()])


class Nsd1(NsdMetric):
    """``nsd@1``."""

    tolerance = 1.0


class Nsd2(NsdMetric):
    """``nsd@2``."""

    tolerance = 2.0


class DiceRaterMean(RaterMetric):
    """``dice_rater_mean``."""

    def values(self, tables: CaseTables, label: int, protocol: ScoringProtocol) -> Mapping[int, float]:
        """Dice of the mean of the rater's draws as one mask; of the consensus where the rater has none."""
        raters = [rater for rater in tables.truth_raters.tolist() if len(tables.rows_of(rater))]
        area, shared = tables.rater_means[label - 1, raters].T
        total = area + tables.areas[label - 1, tables.n_predicted + np.array(raters, np.int64)]
        return dict(zip(raters, dice_ratio(shared, total, protocol).tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Calibration:
    """The calibration counts of one class in floats, E entries.

    Attributes:
        raters: ``(R,)`` columns of those who are the truth.
        bins: ``(E,)`` bin of the mean probability p.
        marked_by: ``(R, E)`` 0 or 1, does a rater mark these pixels?
        pixels, total, square: ``(E,)`` their number and the sums of p and of p^2 over them.
    """

    raters: tuple[int, ...]
    bins: np.ndarray
    marked_by: np.ndarray
    pixels: np.ndarray
    total: np.ndarray
    square: np.ndarray

    @classmethod
    def of(cls, tables: CaseTables, label: int, counts: np.ndarray) -> "Calibration":
        """Of the ``(E, 6)`` counts of a set of predictions."""
        _, bins, pattern, pixels, total, square = counts[counts[:, 0] == label].T
        unit = 1 / (1 << fraction_bits(tables.pixels))
        raters = tables.truth_raters
        marked_by = pattern >> raters[:, None] & 1
        return cls(tuple(raters.tolist()), bins, marked_by, pixels, total * unit, square * unit)

    def errors(self, marked: np.ndarray) -> np.ndarray:
        """``(16,)`` pixels, then sum of p - mark by bin, of marks ``(E,)`` in [0, 1]; additive over cases."""
        return np.append(self.pixels.sum(), np.bincount(self.bins, self.total - marked * self.pixels, BINS))

    def brier(self, marked: np.ndarray) -> float:
        """Mean of (p - mark)^2 over the pixels, of marks ``(E,)`` in [0, 1]."""
        squares = self.square - 2 * marked * self.total + marked**2 * self.pixels
        return float(squares.sum() / self.pixels.sum())


class CalibrationMetric(Metric):
    """Compares a mean probability with the raters; missing where it is not known, or without raters."""

    @abstractmethod
    def predictions(self, tables: CaseTables) -> Predictions:
        """The set whose mean is scored."""

    @abstractmethod
    def of_calibration(self, found: Calibration) -> Mapping[int | None, np.ndarray]:
        """Statistics of one class by rater, or under None."""

    def statistics(self, tables: CaseTables, protocol: ScoringProtocol) -> Mapping[Key, np.ndarray]:  # noqa: ARG002
        """``{Key(label, rater): statistics}``."""
        predictions = self.predictions(tables)
        if predictions.calibration is None or len(predictions.rows) == 0 or len(tables.truth_rows) == 0:
            return {}
        return {
            Key(label, rater): statistics
            for label in tables.labels
            for rater, statistics in self.of_calibration(Calibration.of(tables, label, predictions.calibration)).items()
        }


class EceMetric(CalibrationMetric):
    """Expected calibration error: pooled over the cases of a fold."""

    pooled = True

    def of_calibration(self, found: Calibration) -> Mapping[int | None, np.ndarray]:
        """``(16,)`` against the raters pooled: as many observations of each pixel as there are raters."""
        return {None: len(found.raters) * found.errors(found.marked_by.mean(axis=0))}

    def finalise(self, total: np.ndarray) -> float:
        """Mean over the observations of abs(mean p - frequency) of their bin."""
        return float(np.abs(total[1:]).sum() / total[0])


class Ece(OfSamples, EceMetric):
    """``ece``."""


class EceOfRaters(OfRaters, EceMetric):
    """``ece@raters``."""


class EceRater(OfSamples, EceMetric):
    """``ece_rater``."""

    def of_calibration(self, found: Calibration) -> Mapping[int | None, np.ndarray]:
        """``(16,)`` against each rater alone."""
        return {rater: found.errors(marked) for rater, marked in zip(found.raters, found.marked_by, strict=True)}


class BrierMetric(CalibrationMetric):
    """Brier score against the raters pooled."""

    def of_calibration(self, found: Calibration) -> Mapping[int | None, np.ndarray]:
        """``(1,)`` mean over pixels and raters."""
        return {None: np.array([np.mean([found.brier(marked) for marked in found.marked_by])])}


class Brier(OfSamples, BrierMetric):
    """``brier``."""


class BrierOfRaters(OfRaters, BrierMetric):
    """``brier@raters``."""


class BrierRater(OfSamples, BrierMetric):
    """``brier_rater``."""

    def of_calibration(self, found: Calibration) -> Mapping[int | None, np.ndarray]:
        """``(1,)`` against each rater alone."""
        pairs = zip(found.raters, found.marked_by, strict=True)
        return {rater: np.array([found.brier(marked)]) for rater, marked in pairs}


class BrierShare(OfSamples, BrierMetric):
    """``brier_share``."""

    def of_calibration(self, found: Calibration) -> Mapping[int | None, np.ndarray]:
        """``(1,)`` against the mean rater, the share of the raters who mark a pixel."""
        return {None: np.array([found.brier(found.marked_by.mean(axis=0))])}
