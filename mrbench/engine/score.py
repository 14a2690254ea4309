"""Scores of cells from what is stored with their predictions: no model, no image and no data set is read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.digests import digest_json
from mrbench.engine.code import closure_digest
from mrbench.engine.equivalence import oldest
from mrbench.engine.metric_faults import reduce_each
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import ScoreCollector, Scores
from mrbench.metrics.scoring import MetricValue
from mrbench.registry import Plugin, Registry

if TYPE_CHECKING:
    from mrbench.engine.score_block import BlockScores

PARALLEL_CASES = 1000
"""With fewer cases, starting processes takes longer than they save."""


def applicable_metrics(registry: Registry, raters: str, only: tuple[str, ...] = ()) -> dict[str, Plugin[Any]]:
    """The metrics that mean anything for such raters, by key; ``only`` restricts them.

    Raises:
        UnknownNameError: a metric in ``only`` that is not installed.
    """
    chosen = [registry.get("metric", name) for name in only] or registry.plugins["metric"]
    return {p.key: p for p in chosen if p.card.means(raters)}


def table_metrics(registry: Registry, raters: str, only: tuple[str, ...] = ()) -> dict[str, Plugin[Any]]:
    """The metrics of a table, by key: those in ``only``, else those meant for tables.

    Raises:
        UnknownNameError: a metric in ``only`` that is not installed.
    """
    found = applicable_metrics(registry, raters, only)
    return {name: plugin for name, plugin in found.items() if only or plugin.card.table}


def scoring_digests(metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol) -> dict[str, str]:
    """For each metric, a digest of the protocol and of the metric's definition."""
    return {
        name: digest_json([protocol.digest(), plugin.qualified, plugin.version]) for name, plugin in metrics.items()
    }


def scored_by(metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol) -> dict[str, str]:
    """For each metric, what its scores are a function of besides the predictions: its definition and its code.

    Raises:
        PluginError: code that cannot be read.
    """
    return {
        name: digest_json([digest, _code(metrics[name].card.code.partition(":")[0], metrics[name].content)])
        for name, digest in scoring_digests(metrics, protocol).items()
    }


@cache
def _code(module: str, content: str) -> str:  # noqa: ARG001
    # Once in a process, as the module itself is imported once; a plugin file that is edited has another content.
    return closure_digest(module)


def is_scored(record: Mapping[str, Any], metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol) -> bool:
    """Are the scores that a cell's record has those of the protocol, of the metrics as they are defined and of the code
    that computes them now?"""
    stored = record.get("scoring", {})
    now = scored_by(metrics, protocol)
    return all(name in stored and oldest(stored[name]) == oldest(digest) for name, digest in now.items())


@dataclass(frozen=True, eq=False)
class Scored:
    """What scoring a cell gives.

    Attributes:
        values: every metric that applies, reduced over the fold.
        cases: per case.
        faults: metrics that raised or gave what is no value, with what they did in a line; their values are left out.
    """

    values: Mapping[str, MetricValue]
    cases: Scores
    faults: Mapping[str, str]


def score_cell(
    predictions: Path,
    metrics: Mapping[str, Plugin[Any]],
    protocol: ScoringProtocol,
    *,
    samples: int | None = None,
    jobs: int = 1,
    files: Sequence[Path] = (),
) -> Scored:
    """Every metric of one cell; one that fails costs the others nothing. Arguments: :func:`score_cells`."""
    (scored,) = score_cells([predictions], metrics, protocol, samples=samples, jobs=jobs, files=files)
    return scored


def score_cells(
    predictions: Sequence[Path],
    metrics: Mapping[str, Plugin[Any]],
    protocol: ScoringProtocol,
    *,
    samples: int | None = None,
    jobs: int = 1,
    files: Sequence[Path] = (),
) -> Iterator[Scored]:
    """Every metric of several cells, one after the other, each with the same result whatever ``jobs`` is.

    Args:
        predictions: the file of each cell.
        metrics: by key.
        samples: score the first so many; None: all. What cannot be had of a part of the samples is left out.
        jobs: processes at most; few cases are scored in this one.
        files: plugin files that the metrics come from.

    Raises:
        DataError: predictions that cannot be read.
        UsageError: predictions with fewer samples.
        MrbenchError: a process ended without an answer.
    """
    # Tables whose records hold every score need neither files of predictions nor what reads them.
    from mrbench.engine.pool import map_in_processes
    from mrbench.engine.predictions import read_sizes
    from mrbench.engine.score_block import BlockTask, score_block

    sizes = [read_sizes(path) for path in predictions]
    tasks = [
        BlockTask(path, block, metrics, protocol, samples)
        for path, (blocks, _) in zip(predictions, sizes, strict=True)
        for block in range(blocks)
    ]
    many = jobs > 1 and len(tasks) > 1 and sum(cases for _, cases in sizes) >= PARALLEL_CASES
    workers = min(jobs, len(tasks)) if many else 0
    found = map_in_processes(score_block, tasks, workers, files) if workers else (score_block(task) for task in tasks)
    with closing(found):
        for blocks, _ in sizes:
            yield _joined(islice(found, blocks), metrics, protocol)


def _joined(blocks: "Iterable[BlockScores]", metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol) -> Scored:
    collected, faults = ScoreCollector(), dict[str, str]()
    for block in blocks:
        collected.extend_scores(block.cases)
        faults = {**block.faults, **faults}
    loaded: dict[str, Metric] = {name: plugin.load() for name, plugin in metrics.items()}
    scores = collected.scores().that_apply()
    values, of_folds = reduce_each(scores.only(set(metrics) - set(faults)), loaded, protocol)
    return Scored(values, scores, {**faults, **of_folds})


def metric_value(found: Mapping[str, Any]) -> MetricValue:
    """One of the values of :func:`metrics_json`; where nothing is said of cases, it covers what it should."""
    by_class, by_rater = (
        {int(place): value for place, value in found.get(by, {}).items()} for by in ("by_class", "by_rater")
    )
    cases = found.get("cases", 0)
    return MetricValue(found["value"], by_class, by_rater, cases, found.get("of", cases))


def metrics_json(values: Mapping[str, MetricValue]) -> dict[str, Any]:
    """Reduced values as they stand in a record; what does not apply is left out."""
    return {
        name: {
            "value": value.value,
            "by_class": {str(label): number for label, number in value.by_class.items()},
            "by_rater": {str(rater): number for rater, number in value.by_rater.items()},
            "cases": value.n_cases,
            "of": value.of_cases,
        }
        for name, value in values.items()
    }
