"""Every method's metrics of every case, and the choice of the cases that a page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mrbench.cards import Direction
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import Scores
from mrbench.registry import Plugin
from mrbench.results.method_run import MethodRun
from mrbench.results.pairing import Case, values_by_case


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
    methods: Mapping[str, MethodRun], metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol, fold: int | None
) -> list[CaseValues]:
    """The test cases of every fold, or of one, with the values of all methods.

    Args:
        methods: by label.

    Raises:
        DataError, IncompatibleError: scores that cannot be had.
    """
    cases: dict[tuple[int, str], CaseValues] = {}
    loaded = {name: plugin.load() for name, plugin in metrics.items()}
    for label, method in methods.items():
        for result in method.shown(fold):
            scores = result.scores(metrics, protocol).cases
            for (case_id, subject), values in _by_case(scores, loaded).items():
                key = result.spec.fold, case_id
                cases.setdefault(key, CaseValues(*key, subject)).values[label] = values
    return list(cases.values())


def _by_case(scores: Scores, metrics: Mapping[str, Metric]) -> dict[Case, dict[str, float]]:
    found: dict[Case, dict[str, float]] = {case: {} for case in zip(scores.cases, scores.subjects, strict=True)}
    for name, own in scores.by_metric():
        for case, value in values_by_case(own, metrics[name]).items():
            found[case][name] = value
    return found


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
