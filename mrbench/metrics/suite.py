"""The built-in metrics: which masks each one takes, and where it does not apply."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Overlaps, Predictions
from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.distance import ged_parts_of, ged_unbiased_of
from mrbench.metrics.matching import matched_of
from mrbench.metrics.overlap import dice_of, iou_of
from mrbench.metrics.personal import identified_of
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.soft import soft_dice_of, vote_counts


class SetMetric(Metric):
    """One value per class for a set of predictions as a whole; missing without predictions or raters."""

    @abstractmethod
    def predictions(self, tables: CaseTables) -> Predictions:
        """The set that is scored."""

    @abstractmethod
    def value(self, tables: CaseTables, label: int, protocol: ScoringProtocol) -> float | None:
        """The set's value of one class; None where it does not apply."""

    def statistics(self, tables: CaseTables, protocol: ScoringProtocol) -> Mapping[Key, np.ndarray]:
        """``{Key(label): (1,)}``."""
        if len(self.predictions(tables).rows) == 0 or len(tables.truth_rows) == 0:
            return {}
        values = {Key(label): self.value(tables, label, protocol) for label in tables.labels}
        return {key: np.array([value]) for key, value in values.items() if value is not None}


class OfSamples:
    """Scores the samples."""

    def predictions(self, tables: CaseTables) -> Predictions:
        """The samples; a consensus-only method's one output."""
        return tables.samples


class OfRaters:
    """Scores draw 0 of each rater as one set; missing unless every rater has a prediction."""

    def predictions(self, tables: CaseTables) -> Predictions:
        """Draw 0 of each rater; of a consensus-only method, its output once per rater."""
        found = tables.rater_set
        return found if tables.predicts_every_rater else found._replace(rows=found.rows[:0])


class OverlapMetric(SetMetric):
    """A set metric that follows from the intersection matrix."""

    @abstractmethod
    def measure(self, overlaps: Overlaps, protocol: ScoringProtocol) -> float | None:
        """The value of the overlaps of S predictions and R raters; None where it does not apply."""

    def value(self, tables: CaseTables, label: int, protocol: ScoringProtocol) -> float | None:
        """:meth:`measure` of the set's overlaps."""
        return self.measure(tables.overlaps(label, self.predictions(tables).rows), protocol)


class GedMetric(OverlapMetric):
    """Generalised energy distance."""

    def measure(self, overlaps: Overlaps, protocol: ScoringProtocol) -> float:
        """ProSeg eq. 20."""
        return ged_parts_of(overlaps, protocol).ged


class DiceMaxMetric(OverlapMetric):
    """Mean over the raters of the best prediction."""

    def measure(self, overlaps: Overlaps, protocol: ScoringProtocol) -> float:
        """D_max of the papers."""
        return float(dice_of(overlaps, protocol).max(axis=0).mean())


class DiceMatchMetric(OverlapMetric):
    """Mean over the raters under the best one-to-one assignment."""

    def measure(self, overlaps: Overlaps, protocol: ScoringProtocol) -> float | None:
        """None where there are fewer predictions than raters."""
        matched = matched_of(dice_of(overlaps, protocol))
        return None if matched is None else float(matched.mean())


class SoftDiceMetric(SetMetric):
    """Soft Dice of votes or of the mean probability, as the protocol says."""

    def value(self, tables: CaseTables, label: int, protocol: ScoringProtocol) -> float | None:
        """ProSeg eq. 21; of probabilities None where they are not known."""
        predictions = self.predictions(tables)
        if protocol.soft == "votes":
            return soft_dice_of(vote_counts(tables, label, predictions), protocol)
        return _soft_dice_prob(predictions, label, protocol)


class Ged(OfSamples, GedMetric):
    """``ged``."""


class GedOfRaters(OfRaters, GedMetric):
    """``ged@raters``."""


class DiceMax(OfSamples, DiceMaxMetric):
    """``dice_max``."""


class DiceMaxOfRaters(OfRaters, DiceMaxMetric):
    """``dice_max@raters``."""


class DiceMatch(OfSamples, DiceMatchMetric):
    """``dice_match``."""


class DiceMatchOfRaters(OfRaters, DiceMatchMetric):
    """``dice_match@raters``."""


class DiceSoft(OfSamples, SoftDiceMetric):
    """``dice_soft``."""


class DiceSoftOfRaters(OfRaters, SoftDiceMetric):
    """``dice_soft@raters``."""


class DiceSoftProb(OfSamples, SetMetric):
    """``dice_soft_prob``: of the mean probability under every protocol."""

    def value(self, tables: CaseTables, label: int, protocol: ScoringProtocol) -> float | None:
        """ProSeg eq. 21 of the mean probability, as released; None where it is not known."""
        return _soft_dice_prob(self.predictions(tables), label, protocol)


class GedPa(OfSamples, OverlapMetric):
    """``ged_pa``."""

    def measure(self, overlaps: Overlaps, protocol: ScoringProtocol) -> float:
        """Mean distance of samples and raters."""
        return ged_parts_of(overlaps, protocol).pa


class GedPp(OfSamples, OverlapMetric):
    """``ged_pp``."""

    def measure(self, overlaps: Overlaps, protocol: ScoringProtocol) -> float:
        """Mean distance of samples among themselves."""
        return ged_parts_of(overlaps, protocol).pp


class GedAa(OfSamples, OverlapMetric):
    """``ged_aa``."""

    def measure(self, overlaps: Overlaps, protocol: ScoringProtocol) -> float:
        """Mean distance of raters among themselves."""
        return ged_parts_of(overlaps, protocol).aa


class GedUnbiased(OfSamples, OverlapMetric):
    """``ged_unbiased``."""

    def measure(self, overlaps: Overlaps, protocol: ScoringProtocol) -> float | None:
        """None where there is one sample or one rater only."""
        return ged_unbiased_of(overlaps, protocol)

    def applies(self, tables: CaseTables, key: Key) -> bool:
        """One rater alone has no pair of two."""
        return super().applies(tables, key) and len(tables.truth_rows) > 1


class DiceMaxReverse(OfSamples, OverlapMetric):
    """``dice_max_reverse``."""

    def measure(self, overlaps: Overlaps, protocol: ScoringProtocol) -> float:
        """Mean over the samples of the best rater."""
        return float(dice_of(overlaps, protocol).max(axis=1).mean())


class RaterMetric(Metric):
    """One value per class and rater; missing for raters without a prediction."""

    @abstractmethod
    def values(self, tables: CaseTables, label: int, protocol: ScoringProtocol) -> Mapping[int, float]:
        """Values of one class by rater."""

    def statistics(self, tables: CaseTables, protocol: ScoringProtocol) -> Mapping[Key, np.ndarray]:
        """``{Key(label, rater): (1,)}``."""
        if len(tables.truth_rows) == 0 or len(tables.rater_rows) == 0:
            return {}
        return {
            Key(label, rater): np.array([value])
            for label in tables.labels
            for rater, value in self.values(tables, label, protocol).items()
        }


class DiceRater(RaterMetric):
    """``dice_rater``: of the rater's own predictions, or of the one that the best assignment gives to the rater."""

    def values(self, tables: CaseTables, label: int, protocol: ScoringProtocol) -> Mapping[int, float]:
        """Mean over the rater's draws; matched: one draw per rater, none where raters outnumber predictions."""
        if protocol.rater == "own":
            return _own_means(tables, dice_of(_all_overlaps(tables, label), protocol))
        matched = matched_of(dice_of(tables.overlaps(label, tables.rater_rows), protocol))
        return {} if matched is None else dict(zip(tables.truth_raters.tolist(), matched.tolist(), strict=True))


class Iou(RaterMetric):
    """``iou``."""

    def values(self, tables: CaseTables, label: int, protocol: ScoringProtocol) -> Mapping[int, float]:
        """Mean over the rater's draws; of the consensus where the rater has none."""
        overlaps = _all_overlaps(tables, label)
        return _own_means(tables, iou_of(overlaps, protocol)[: overlaps.n_predicted, overlaps.n_predicted :])


class RaterIdentification(RaterMetric):
    """``rater_identification``."""

    def values(self, tables: CaseTables, label: int, protocol: ScoringProtocol) -> Mapping[int, float]:
        """Is the rater's draw 0 the nearest of all raters' draws 0? A tie of n counts 1/n.

        Missing unless every rater has a prediction: among fewer, chance would not be 1/R.
        """
        if not tables.predicts_every_rater:
            return {}
        # An epsilon would break exact ties between masks of different sizes.
        dice = dice_of(tables.overlaps(label, tables.rater_rows), replace(protocol, epsilon=0.0))
        place = {rater: row for row, rater in enumerate(tables.set_raters.tolist())}
        columns = enumerate(tables.truth_raters.tolist())
        return {rater: identified_of(dice[:, at], place[rater]) for at, rater in columns if rater in place}


def _soft_dice_prob(predictions: Predictions, label: int, protocol: ScoringProtocol) -> float | None:
    return None if predictions.soft is None else soft_dice_of(predictions.soft[label - 1], protocol)


def _all_overlaps(tables: CaseTables, label: int) -> Overlaps:
    return tables.overlaps(label, np.arange(tables.n_predicted))


def _own_means(tables: CaseTables, scores: np.ndarray) -> dict[int, float]:
    """Mean of the rows of each rater's own predictions in that rater's column of ``(S + P + C, R)``."""
    own = [(rater, scores[tables.rows_of(rater), at]) for at, rater in enumerate(tables.truth_raters.tolist())]
    return {rater: float(values.mean()) for rater, values in own if len(values)}
