"""Checks of metrics: on tables of every shape, under every scoring protocol."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from mrbench.cards import Direction, Need
from mrbench.errors import NotApplicableError
from mrbench.interfaces.metric import Key, Metric, Statistics
from mrbench.metrics.protocol import PROTOCOLS, ScoringProtocol
from mrbench.testing import stored
from mrbench.testing.candidate import Candidate
from mrbench.testing.check import CheckFailedError, rule
from mrbench.testing.stored import FULL, ORDER, SHAPES, Arrangement, Shape
from mrbench.testing.watch import RandomState, seeded_globally

if TYPE_CHECKING:
    from mrbench.interfaces.case_tables import CaseTables

TOLERANCE = 1e-9
"""Of values that are computed in another order, and of a range."""

PAIR = tuple(Shape(name=f"pair-{k}", what=f"{k} classes", classes=k, consensus=True) for k in (2, 3))


def _under_protocols(candidate: Candidate, tables: "CaseTables") -> Iterator[tuple[ScoringProtocol, Statistics]]:
    for protocol in PROTOCOLS.values():
        yield protocol, candidate.loaded(tables, protocol)


@rule("metric", over=SHAPES)
def scores(candidate: Candidate, shape: Shape) -> None:
    """Its statistics are finite vectors, and its values within its range, with {what}."""
    for protocol, statistics in _under_protocols(candidate, stored.tables_of(shape)):
        _check_finite(statistics, protocol)
        _check_values(candidate, statistics, protocol)


def _check_finite(statistics: Statistics, protocol: ScoringProtocol) -> None:
    for key, vector in statistics.items():
        if not np.isfinite(vector).all():
            raise CheckFailedError(
                f"{key} is not finite under {protocol.name}", expected="finite, or no key", found=str(vector)
            )


def _check_values(candidate: Candidate, statistics: Statistics, protocol: ScoringProtocol) -> None:
    low, high = candidate.plugin.card.range
    metric: Metric = candidate.loaded
    for key, vector in statistics.items():
        value = metric.finalise(vector)
        if math.isnan(value) and metric.pooled:
            continue  # one case alone need not have a value of a data set
        if not low - TOLERANCE <= value <= high + TOLERANCE:
            raise CheckFailedError(
                f"{key} lies outside the range under {protocol.name}",
                expected=f"{low:g} .. {high:g}",
                found=f"{value:g}",
            )


@rule("metric")
def vector_length(candidate: Candidate) -> None:
    """Its statistics are vectors of one length, whatever the tables hold."""
    found = {
        vector.shape: f"{key} of {shape.name}"
        for shape in SHAPES
        for _, statistics in _under_protocols(candidate, stored.tables_of(shape))
        for key, vector in statistics.items()
    }
    if len(found) > 1:
        shown = "; ".join(f"{shape} for {where}" for shape, where in found.items())
        raise CheckFailedError("its statistics cannot be added up", expected="one length", found=shown)


@rule("metric")
def scores_something(candidate: Candidate) -> None:
    """It has a value where there is all that it needs."""
    for shape in PAIR:
        tables = stored.tables_of(shape, stored.perfect)
        if not all(statistics for _, statistics in _under_protocols(candidate, tables)):
            raise CheckFailedError(
                f"it has no value where there are samples, rater predictions and a consensus, {shape.what}",
                expected="a value",
                found="nothing",
            )


@rule("metric")
def missing_without(candidate: Candidate) -> None:
    """Where the predictions that it needs are not there it has no value, never a zero."""
    need = Need(candidate.plugin.card.needs)
    for shape in (shape for shape in SHAPES if need not in shape.gives):
        for protocol, statistics in _under_protocols(candidate, stored.tables_of(shape)):
            if statistics:
                raise CheckFailedError(
                    f"it needs {need} and has a value under {protocol.name} where there are none ({shape.what})",
                    expected="no key",
                    found=str(dict(statistics))[:120],
                )


@rule("metric")
def direction(candidate: Candidate) -> None:
    """Predictions that are the raters' own masks are better than marks in a corner, by the direction it declares."""
    way = Direction(candidate.plugin.card.direction)
    if way is Direction.NEITHER:
        raise NotApplicableError("neither direction is better")
    for shape in PAIR:
        for protocol in PROTOCOLS.values():
            good, worse = (_value(candidate, shape, made, protocol) for made in (stored.perfect, stored.bad))
            better = good > worse if way is Direction.HIGHER else good < worse
            if not better:
                raise CheckFailedError(
                    f"bad predictions are no worse than perfect ones, {shape.what}, {protocol.name}",
                    expected=f"{way} is better",
                    found=f"perfect {good:.6g}, bad {worse:.6g}",
                )


def _value(
    candidate: Candidate, shape: Shape, arrange: Callable[[Shape], Arrangement], protocol: ScoringProtocol
) -> float:
    metric: Metric = candidate.loaded
    statistics = metric(stored.tables_of(shape, arrange), protocol)
    if not statistics:
        raise NotApplicableError(f"it has no value, {shape.what}")
    return float(np.mean([metric.finalise(vector) for vector in statistics.values()]))


@rule("metric")
def samples_permuted(candidate: Candidate) -> None:
    """The order of the samples changes nothing."""
    turned = stored.tables_of(FULL, stored.samples_turned)
    for protocol, first in _under_protocols(candidate, stored.tables_of(FULL)):
        _expect_close("the order of the samples matters", first, candidate.loaded(turned, protocol), protocol)


@rule("metric")
def raters_permuted(candidate: Candidate) -> None:
    """Raters in another order have the same values, each under the rater's new column."""
    turned = stored.tables_of(FULL, stored.raters_turned)
    for protocol, first in _under_protocols(candidate, stored.tables_of(FULL)):
        moved = {Key(k.label, None if k.rater is None else ORDER.index(k.rater)): value for k, value in first.items()}
        _expect_close("the order of the raters matters", moved, candidate.loaded(turned, protocol), protocol)


def _expect_close(what: str, first: Statistics, second: Statistics, protocol: ScoringProtocol) -> None:
    if set(first) != set(second):
        found = ", ".join(map(str, sorted(set(first) ^ set(second), key=str)))
        raise CheckFailedError(f"{what} under {protocol.name}", expected="the same keys", found=f"not in both: {found}")
    for key, vector in first.items():
        if vector.shape != second[key].shape or not np.allclose(vector, second[key], rtol=TOLERANCE, atol=TOLERANCE):
            raise CheckFailedError(
                f"{what} under {protocol.name}", expected=f"{key} = {vector}", found=f"{second[key]}"
            )


@rule("metric")
def scores_repeat(candidate: Candidate) -> None:
    """The same tables give the same statistics, whatever was scored before and whatever the global generators hold."""
    metric: Metric = candidate.loaded
    for protocol in PROTOCOLS.values():
        found = []
        for seed, shape in ((1, FULL), (2, SHAPES[1]), (2, FULL)):
            with seeded_globally(seed):
                found.append(metric(stored.tables_of(shape), protocol))
        _expect_close("two scores of the same tables differ", found[0], found[-1], protocol)


@rule("metric")
def tables_kept(candidate: Candidate) -> None:
    """It changes nothing in the tables, nor any global generator."""
    tables = stored.tables_of(FULL)
    before = stored.contents(tables)
    with seeded_globally(1):
        generators = RandomState.now()
        for _ in _under_protocols(candidate, tables):
            pass
        disturbed = generators.changed()
    changed = [name for name, array in before.items() if not np.array_equal(array, getattr(tables, name))]
    if changed or disturbed:
        found = ", ".join([*changed, *(f"the global generator of {name}" for name in disturbed)])
        raise CheckFailedError("it changes what it is given", expected="everything as it was", found=found)
