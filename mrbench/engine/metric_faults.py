"""What a metric did wrong, in a line: its name and case, what was expected and found, file and line."""

import math
from collections.abc import Mapping

import numpy as np

from mrbench import places
from mrbench.errors import MrbenchError
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import Scores
from mrbench.metrics.scoring import MetricValue, reduce_metric


def fault_of(name: str, metric: Metric, error: BaseException, case: str | None = None) -> str:
    """``metric 'x', case 'c': ValueError: no masks (my_metric.py:41)``.

    Args:
        case: None where it is about a whole fold.
    """
    where = f"metric {name!r}" + ("" if case is None else f", case {case!r}")
    if not isinstance(error, MrbenchError):
        return f"{where}: {places.told(error, metric.modules)}"
    place = error.place or places.of_error(error, metric.modules)
    return f"{where}: {' '.join(error.fault.split())}" + (f" ({place})" if place else "")


def reduce_each(
    scores: Scores, metrics: Mapping[str, Metric], protocol: ScoringProtocol
) -> tuple[dict[str, MetricValue], dict[str, str]]:
    """The fold's value of every metric that some case has, and the faults of those that cannot be reduced."""
    values, faults = dict[str, MetricValue](), dict[str, str]()
    for name in scores.metrics:
        try:
            _check_lengths(scores, name, metrics[name])
            own = scores.of(name)
            if len(own):
                values[name] = _finite(reduce_metric(own, metrics[name], protocol), metrics[name])
        except (Exception, SystemExit) as error:
            faults[name] = fault_of(name, metrics[name], error)
    return values, faults


def _check_lengths(scores: Scores, name: str, metric: Metric) -> None:
    # Sums over the cases, and the table of scores, take one length for granted.
    own = np.flatnonzero((scores.metric == scores.metrics.index(name)) & scores.scored)
    lengths = np.diff(scores.start)[own]
    other = np.flatnonzero(lengths != lengths[:1])
    if len(other):
        first, case = scores.cases[scores.case[own[0]]], scores.cases[scores.case[own[other[0]]]]
        expected, found = f"{lengths[0]}, as of case {first!r}", int(lengths[other[0]])
        raise metric.wrong(f"its vector of case {case!r} has another length than before", expected, found)


def _finite(value: MetricValue, metric: Metric) -> MetricValue:
    if not math.isfinite(value.value):
        raise metric.wrong("its value is no number", "a finite float", value.value)
    return value
