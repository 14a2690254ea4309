"""Scores of a cell from its stored tables: no model, no image and no mask is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.data.description import Raters
from mrbench.digests import digest_json
from mrbench.engine.predictions import read_tables
from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import CaseScores, MetricValue, reduce_fold, score_case
from mrbench.registry import Plugin, Registry


def applicable_metrics(registry: Registry, raters: str, only: tuple[str, ...] = ()) -> dict[str, Plugin[Any]]:
    """The metrics that mean anything for such raters, by key; ``only`` restricts them.

    Raises:
        UnknownNameError: a metric in ``only`` that is not installed.
    """
    chosen = [registry.get("metric", name) for name in only] or registry.plugins["metric"]
    return {p.key: p for p in chosen if not (p.record.identified and raters == Raters.EXCHANGEABLE)}


def scoring_digests(metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol) -> dict[str, str]:
    """For each metric, a digest of the protocol and of the metric's definition."""
    return {
        name: digest_json([protocol.digest(), plugin.qualified, plugin.version]) for name, plugin in metrics.items()
    }


@dataclass(frozen=True, eq=False)
class Scored:
    """What scoring a cell gives.

    Attributes:
        values: every metric that applies, reduced over the fold.
        cases: per case.
        faults: metrics that raised or gave a value that is not finite, with what they did; their values are left out.
    """

    values: Mapping[str, MetricValue]
    cases: CaseScores
    faults: Mapping[str, str]


def score_cell(predictions: Path, metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol) -> Scored:
    """Every metric of one cell; one that fails costs the others nothing.

    Raises:
        DataError: the predictions cannot be read.
    """
    loaded: dict[str, Metric] = {name: plugin.load()() for name, plugin in metrics.items()}
    faults: dict[str, str] = {}
    scores = CaseScores()
    for case_id, subject, trials in read_tables(predictions):
        values: dict[tuple[str, Key], np.ndarray] = {}
        for name, metric in loaded.items():
            try:
                own = score_case(trials, {name: metric}, protocol)
                if not all(np.isfinite(statistics).all() for statistics in own.values()):
                    raise ValueError("a value that is not finite")
                values |= own
            except Exception as error:
                faults.setdefault(name, f"metric {name!r}, case {case_id!r}: {type(error).__name__}: {error}")
        scores.append(case_id, subject, values)
    values_of_all = reduce_fold(scores, loaded, protocol)
    return Scored({name: value for name, value in values_of_all.items() if name not in faults}, scores, faults)


def metrics_json(values: Mapping[str, MetricValue]) -> dict[str, Any]:
    """Reduced values as they stand in a record; what does not apply is left out."""
    return {
        name: {
            "value": value.value,
            "by_class": {str(label): number for label, number in value.by_class.items()},
            "by_rater": {str(rater): number for rater, number in value.by_rater.items()},
            "cases": value.n_cases,
        }
        for name, value in values.items()
    }
