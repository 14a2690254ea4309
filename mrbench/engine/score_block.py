"""One block of cases, scored: what a scoring process does at a time. Imports nothing heavy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.engine.budgets import first_samples
from mrbench.engine.metric_faults import fault_of
from mrbench.engine.predictions import read_tables
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import LARGEST_NUMBER, ScoreCollector, Scores
from mrbench.metrics.scoring import score_case, without_value
from mrbench.registry import Plugin


@dataclass(frozen=True, eq=False)
class BlockTask:
    """What to score, small enough to be sent to a process.

    Attributes:
        predictions: the file.
        block: number of the block in it.
        metrics: by key.
        samples: score the first so many; None: all.
    """

    predictions: Path
    block: int
    metrics: Mapping[str, Plugin[Any]]
    protocol: ScoringProtocol
    samples: int | None = None


@dataclass(frozen=True, eq=False)
class BlockScores:
    """The statistics of a block's cases, and what metrics did wrong."""

    cases: Scores
    faults: Mapping[str, str]


@dataclass(eq=False)
class CaseScorer:
    """Scores cases one by one; a metric that fails costs the others nothing.

    Attributes:
        metrics: by key.
        faults: metrics that raised or gave what is no value, with what they did first, in a line.
    """

    metrics: Mapping[str, Metric]
    protocol: ScoringProtocol
    faults: dict[str, str] = field(default_factory=dict)
    _collector: ScoreCollector = field(default_factory=ScoreCollector)

    def add(self, case_id: str, subject: str, trials: Sequence[CaseTables]) -> None:
        """Every metric of one case, from the tables of its trials."""
        values: dict[tuple[str, Key], np.ndarray] = {}
        without: list[tuple[str, Key]] = []
        for name, metric in self.metrics.items():
            try:
                own = score_case(trials, {name: metric}, self.protocol)
                _check_numbers(own, metric)
                values |= own
                without += without_value(trials, {name: metric}, own)
            except (Exception, SystemExit) as error:
                self.faults.setdefault(name, fault_of(name, metric, error, case_id))
        self._collector.append(case_id, subject, values, without)

    @property
    def scores(self) -> Scores:
        """Of the cases so far."""
        return self._collector.scores()


def _check_numbers(own: Mapping[tuple[str, Key], np.ndarray], metric: Metric) -> None:
    for (_, key), vector in own.items():
        # Of vectors this short, NumPy's call takes longer than the numbers.
        if not all(abs(n) <= LARGEST_NUMBER for n in vector.tolist()):
            raise metric.wrong(f"{key} is not finite, or too large", f"numbers of at most {LARGEST_NUMBER:g}", vector)


def score_block(task: BlockTask) -> BlockScores:
    """Every metric of the cases of a block; one that fails costs the others nothing.

    Raises:
        DataError: the predictions cannot be read.
        UsageError: they hold fewer samples.
    """
    scorer = CaseScorer({name: plugin.load() for name, plugin in task.metrics.items()}, task.protocol)
    for case_id, subject, trials in _cases(task):
        scorer.add(case_id, subject, trials)
    return BlockScores(scorer.scores, scorer.faults)


def _cases(task: BlockTask) -> Iterator[tuple[str, str, list[CaseTables]]]:
    for case_id, subject, trials in read_tables(task.predictions, range(task.block, task.block + 1)):
        n = task.samples
        yield case_id, subject, trials if n is None else [first_samples(tables, n) for tables in trials]
