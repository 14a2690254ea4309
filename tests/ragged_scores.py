"""Scores of one metric in which cases, classes and raters are missing here and there, as plain dictionaries too."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mrbench.interfaces.metric import Key, metric
from mrbench.metrics.scores import MetricScores, ScoreCollector

Cell = Mapping[tuple[str, str], Mapping[Key, np.ndarray]]
"""By case and subject: statistics by class and rater."""

Side = Mapping[int, Sequence[Cell]]
"""By fold, a cell per seed."""


def _never(tables, protocol):
    raise NotImplementedError


VALUE = metric("value", "the mean of the values", direction="higher", range=(0, 1), needs="samples")(_never)

RATIO = metric(
    "ratio",
    "pooled: sum of the first statistic over the sum of the second",
    direction="higher",
    range=(0, 1),
    needs="samples",
    pooled=lambda total: float(total[0] / total[1]),
)(_never)


def random_cell(random: np.random.Generator, subjects: Iterable[int], missing: float, shift: float = 0.0) -> Cell:
    """Two classes and two raters, cases of unequal number per subject, in any order; some are missing."""
    cell = {}
    for subject in random.permutation(list(subjects)).tolist():
        for number in range(1 + subject % 3):
            keys = [Key(k, r) for k in (2, 1) for r in (0, 1) if random.random() >= missing]
            values = {key: np.array([subject / 7 + shift, 2.0]) + random.normal(0, 0.05, 2) for key in keys}
            if values and random.random() >= missing:
                cell[f"{subject}-{number}", f"s{subject}"] = values
    return cell


def columns_of(cell: Cell) -> MetricScores:
    """The scores of a cell."""
    collector = ScoreCollector()
    for (case, subject), values in cell.items():
        collector.append(case, subject, {("m", key): statistics for key, statistics in values.items()})
    return collector.scores().of("m")


def folds_of(side: Side) -> dict[int, list[MetricScores]]:
    """The scores of all cells."""
    return {fold: [columns_of(cell) for cell in cells] for fold, cells in side.items()}
