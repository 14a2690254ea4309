"""Scores of a cell from its stored tables: no model, no image and no mask is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mrbench.data.description import Raters
from mrbench.digests import digest_json
from mrbench.engine.predictions import read_tables
from mrbench.errors import PluginError
from mrbench.interfaces.metric import Metric
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


def scoring_digest(metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol) -> str:
    """Digest of the protocol and of the definition version of every metric."""
    versions = {name: [plugin.qualified, plugin.record.version] for name, plugin in metrics.items()}
    return digest_json({"protocol": protocol.digest(), "metrics": versions})


def score_cell(
    predictions: Path, metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol
) -> tuple[dict[str, MetricValue], CaseScores]:
    """Every metric of one cell, reduced and per case.

    Raises:
        DataError: the predictions cannot be read.
        PluginError: a metric that raised; names it and the case.
    """
    loaded: dict[str, Metric] = {name: plugin.load()() for name, plugin in metrics.items()}
    scores = CaseScores()
    for case_id, subject, trials in read_tables(predictions):
        for name, metric in loaded.items():
            try:
                values = score_case(trials, {name: metric}, protocol)
            except Exception as error:
                raise PluginError(
                    f"metric {name!r} failed on case {case_id!r}", found=f"{type(error).__name__}: {error}"
                ) from error
            scores.append(case_id, subject, values)
    return reduce_fold(scores, loaded, protocol), scores


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
