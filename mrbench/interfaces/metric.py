"""A metric: one decorated function that gives additive statistics of a case; the harness makes them a value."""

from collections.abc import Callable, Mapping
from functools import update_wrapper
from numbers import Real
from typing import Literal, NamedTuple

import numpy as np

from mrbench.cards import Direction, MetricCard, Need
from mrbench.errors import PluginError
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.scoring_protocol import ScoringProtocol
from mrbench.places import of_function


class Key(NamedTuple):
    """Where a value belongs: a foreground class, and a rater where the metric tells them apart."""

    label: int
    rater: int | None = None


Statistics = Mapping[Key, np.ndarray]
"""Additive statistics ``(L,)`` of a case; a key that does not apply is left out."""


class Metric:
    """What :func:`metric` makes of a function: still called as the function is, held to its word, and with its card.

    Attributes:
        pooled: from statistics ``(L,)`` summed over the cases to the value of a data set; None where that is the mean
            of case values, the first of each vector.
    """

    __mrbench_card__: MetricCard

    def __init__(
        self,
        function: Callable[[CaseTables, ScoringProtocol], Statistics],
        card: MetricCard,
        applies: Callable[[CaseTables, Key], bool] | None,
        pooled: Callable[[np.ndarray], float] | None,
    ) -> None:
        update_wrapper(self, function)
        self._function, self._applies, self.pooled = function, applies, pooled
        self.__mrbench_card__ = card

    def __call__(self, tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
        """The function's statistics of the tables of one trial; the harness reduces, the metric never does.

        Raises:
            PluginError: they are no mapping of keys of the case to vectors of numbers of one length.
        """
        found = self._function(tables, protocol)
        self._check(found, tables)
        return found

    def applies(self, tables: CaseTables, key: Key) -> bool:
        """Should this case have a value at this key, if the method gives what the metric needs?

        A value that does not cover every case and key to which the metric applies is shown with its count and is never
        the best. Where no rater looked, no metric applies.

        Args:
            key: a class of the case; with a rater who looked at it where the metric tells raters apart.
        """
        return len(tables.truth_rows) > 0 and (self._applies is None or self._applies(tables, key))

    def finalise(self, total: np.ndarray) -> float:
        """The value of a statistics vector (of one case, or summed over cases where the metric is pooled).

        Raises:
            PluginError: ``pooled`` gives no number. NaN is one: a case alone need not have the value of a data set.
        """
        if self.pooled is None:
            return float(total[0])
        value = self.pooled(total)
        if not isinstance(value, Real):
            raise self.wrong("its value is no number", "a finite float", value)
        return float(value)

    @property
    def place(self) -> str:
        """Where the function is defined, ``my_metric.py:12``."""
        return of_function(self._function)

    @property
    def modules(self) -> frozenset[str]:
        """Top-level modules and packages that its code is in."""
        return frozenset([self._function.__module__.partition(".")[0]])

    def wrong(self, what: str, expected: str, found: object) -> PluginError:
        """The error that the function's answer is not what it should be, with its place."""
        return PluginError(what, expected=expected, found=f"{found!r:.200}", place=self.place)

    def _check(self, found: Statistics, tables: CaseTables) -> None:
        if not isinstance(found, Mapping):
            raise self.wrong("its statistics are no mapping", "a dictionary {Key(label, rater): vector}", found)
        classes, raters = len(tables.intersection), tables.truth_raters.tolist()
        for key, vector in found.items():
            if not (isinstance(key, Key) and 1 <= key.label <= classes and (key.rater is None or key.rater in raters)):
                where = f"Key(label in 1..{classes}, rater None or in {raters})"
                raise self.wrong("a statistic belongs nowhere", where, key)
            if not isinstance(vector, np.ndarray) or vector.ndim != 1 or vector.dtype.kind not in "biuf":
                raise self.wrong(f"{key} is no vector of numbers", "a NumPy array (n,) of numbers", vector)
        lengths = sorted({len(vector) for vector in found.values()})
        if len(lengths) > 1 or 0 in lengths:
            raise self.wrong("its statistics cannot be added up", "vectors of one length, at least 1", lengths)


def metric(
    name: str,
    summary: str,
    *,
    direction: Literal["higher", "lower", "neither"],
    range: tuple[float, float],
    needs: Literal["samples", "raters", "consensus"],
    empty: str = "",
    applies: Callable[[CaseTables, Key], bool] | None = None,
    pooled: Callable[[np.ndarray], float] | None = None,
    identified: bool = False,
    ranked: bool = False,
    table: bool = True,
    version: str = "1",
    citation: str = "",
    licence: str = "",
    requires: tuple[str, ...] = (),
) -> Callable[[Callable[[CaseTables, ScoringProtocol], Statistics]], Metric]:
    """Makes a metric of a function ``(tables, protocol) -> {Key(label): vector, ...}``, whose docstring defines it.

    Everything but ``applies`` and ``pooled`` stands on its card, and is explained at
    :class:`~mrbench.cards.MetricCard`.

    Args:
        applies: should a case in which some rater looked have a value of a class (and rater), whatever was predicted?
            For metrics whose own definition leaves some out; None: always.
        pooled: for values that are no mean of case values: from the sum of the statistics of all cases, ``(L,)``, to
            the value.
    """

    def decorate(function: Callable[[CaseTables, ScoringProtocol], Statistics]) -> Metric:
        card = MetricCard(
            name=name,
            code=f"{function.__module__}:{function.__name__}",
            summary=summary,
            version=version,
            citation=citation,
            licence=licence,
            requires=requires,
            direction=Direction(direction),
            range=range,
            needs=Need(needs),
            identified=identified,
            ranked=ranked,
            table=table,
            empty=empty,
        )
        return Metric(function, card, applies, pooled)

    return decorate
