"""Every method's metrics of every case, and the choice of the cases that a page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mrbench.engine.score import score_cell
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import CaseScores, reduce_fold
from mrbench.records import Direction
from mrbench.registry import Plugin
from mrbench.report.entry import Entry


@dataclass(frozen=True, eq=False)
class CaseValues:
    """One test case of one fold.

    Attributes:
        values: the case's value by label and metric; what does not apply is left out.
    """

    fold: int
    id: str
    subject: str
    values: dict[str, Mapping[str, float]] = field(default_factory=dict)


def case_values(
    entries: Sequence[Entry], metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol, fold: int | None
) -> list[CaseValues]:
    """The test cases of every fold, or of one, with the values of all methods; nothing but stored tables is read.

    Raises:
        DataError: predictions that cannot be read.
    """
    cases: dict[tuple[int, str], CaseValues] = {}
    loaded = {name: plugin.load()() for name, plugin in metrics.items()}
    for entry in entries:
        for result in entry.shown(fold):
            path = result.spec.folder(entry.run.results) / "predictions.h5"
            scored = score_cell(path, metrics, protocol)
            for case_id, subject, statistics in scored.cases.cases:
                key = result.spec.fold, case_id
                case = cases.setdefault(key, CaseValues(*key, subject))
                kept = {at: value for at, value in statistics.items() if at[0] not in scored.faults}
                case.values[entry.label] = _reduced(case_id, subject, kept, loaded, protocol)
    return list(cases.values())


def _reduced(
    case_id: str, subject: str, statistics: Mapping[Any, np.ndarray], metrics: Mapping[str, Metric], p: ScoringProtocol
) -> Mapping[str, float]:
    # A fold of one case, so that raters and classes are averaged as everywhere.
    alone = CaseScores()
    alone.append(case_id, subject, statistics)
    return {name: value.value for name, value in reduce_fold(alone, metrics, p).items()}


@dataclass(frozen=True)
class Order:
    """By whose value of which metric cases are ordered."""

    label: str
    metric: str
    direction: Direction

    def value(self, case: CaseValues) -> float | None:
        """The case's value, None where it has none."""
        return case.values.get(self.label, {}).get(self.metric)

    def badness(self, case: CaseValues) -> float:
        """Ascending from the best case to the worst; cases without a value come first."""
        value = self.value(case)
        if value is None:
            return float("-inf")
        return -value if self.direction is Direction.HIGHER else value


def choose(cases: Sequence[CaseValues], count: int, order: Order) -> list[CaseValues]:
    """At most ``count`` cases in the order given, evenly spread from the worst to the best.

    Worst, best and median come first where there is no room for all of them. Cases without a value are chosen only
    where everything fits.
    """
    if len(cases) <= count:
        return list(cases)
    ordered = sorted((case for case in cases if order.value(case) is not None), key=order.badness, reverse=True)
    ordered = ordered or list(cases)
    last = len(ordered) - 1
    places = [0, last, last // 2, *np.linspace(0, last, count).round().astype(int).tolist()]
    wanted = {id(ordered[place]) for place in list(dict.fromkeys(places))[:count]}
    return [case for case in cases if id(case) in wanted]
