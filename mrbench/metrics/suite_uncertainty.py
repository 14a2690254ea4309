"""The built-in metrics of uncertainty that follow from the votes of the samples."""

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.area import crps_of
from mrbench.metrics.disagreement import LEVELS, auroc_of, level_counts
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.reliability import brier_of, calibration_error, reliability_of
from mrbench.metrics.shares import Shares
from mrbench.metrics.variance import ncc_of, ncc_phiseg_of


def shares_of(tables: CaseTables, label: int) -> Shares:
    """The votes of the samples on one class, made once per case."""
    key = "shares", label
    if key not in tables.shared:
        _, votes, pattern, pixels = tables.votes[tables.votes[:, 0] == label].T
        tables.shared[key] = Shares(votes, len(tables.sample_rows), pattern, pixels, tables.truth_raters)
    found: Shares = tables.shared[key]
    return found


class VotesMetric(Metric):
    """Scores the samples, or a consensus-only method's one output, alike under every protocol."""

    @abstractmethod
    def measure(self, tables: CaseTables, label: int) -> float | np.ndarray | None:
        """The value of one class, or its counts where the metric is pooled; None where it does not apply."""

    def statistics(self, tables: CaseTables, protocol: ScoringProtocol) -> Mapping[Key, np.ndarray]:  # noqa: ARG002
        """``{Key(label): (1,)}``, or all counts in one row; missing without samples or raters."""
        if len(tables.sample_rows) == 0 or len(tables.truth_rows) == 0:
            return {}
        measured = {Key(label): self.measure(tables, label) for label in tables.labels}
        return {key: np.ravel(value) for key, value in measured.items() if value is not None}


class DisagreementMetric(VotesMetric):
    """Defined by how the raters disagree: where they do not, no prediction has a value."""

    def applies(self, tables: CaseTables, key: Key) -> bool:
        """Only where the raters' masks allow a value."""
        scored = len(tables.sample_rows) > 0 and super().applies(tables, key)
        return scored and self.measure(tables, key.label) is not None


class Ncc(DisagreementMetric):
    """``ncc``."""

    def measure(self, tables: CaseTables, label: int) -> float | None:
        """None where the raters' variance is the same everywhere."""
        return ncc_of(shares_of(tables, label))


class NccPhiseg(VotesMetric):
    """``ncc_phiseg``."""

    def measure(self, tables: CaseTables, label: int) -> float:
        """S_NCC of PHiSeg."""
        return ncc_phiseg_of(shares_of(tables, label))


class BrierVotes(VotesMetric):
    """``brier_votes``."""

    def measure(self, tables: CaseTables, label: int) -> float:
        """Of the share of the samples, mean over pixels and raters."""
        return brier_of(shares_of(tables, label))


class CrpsArea(VotesMetric):
    """``crps_area``."""

    def measure(self, tables: CaseTables, label: int) -> float:
        """In pixels."""
        areas = tables.areas[label - 1]
        return crps_of(areas[tables.sample_rows], areas[tables.truth_rows])


class EceVotes(VotesMetric):
    """``ece_votes``."""

    pooled = True

    def measure(self, tables: CaseTables, label: int) -> np.ndarray:
        """``(3, 15)`` sums by bin."""
        return reliability_of(shares_of(tables, label))

    def finalise(self, total: np.ndarray) -> float:
        """Calibration error of the pooled pixels."""
        return calibration_error(total.reshape(3, -1))


class AurocDisagreement(DisagreementMetric):
    """``auroc_disagreement``."""

    pooled = True

    def measure(self, tables: CaseTables, label: int) -> np.ndarray | None:
        """``(2, 65)`` pixels by level; None where the raters agree on every pixel, or on none."""
        counts = level_counts(shares_of(tables, label))
        return counts if counts.any(axis=1).all() else None

    def finalise(self, total: np.ndarray) -> float:
        """Area under the ROC curve of the pooled pixels."""
        value = auroc_of(total.reshape(2, LEVELS))
        return float("nan") if value is None else value
