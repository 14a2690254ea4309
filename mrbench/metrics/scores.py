"""Scores of the cases of a fold as a long table, held by columns: a row per case, metric, class and rater.

A metric that applies to a case and has no value there, or none of a class or rater, leaves a row without statistics, so
that a value can say how many of its cases it covers.
"""

import csv
import gzip
import io
from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from mrbench.interfaces.metric import Key

COLUMNS = ("case", "subject", "metric", "label", "rater", "statistics")

NOBODY = -1
"""Stands for the rater where a metric does not tell raters apart."""

LARGEST_NUMBER = 1e100
"""No score is larger, and none is smaller than its negative: sums and squares of such numbers stay finite."""

EVERYWHERE = Key(0)
"""Stands for all classes and raters in the row of a metric that applies to a case and has no value there at all."""


@dataclass(frozen=True, eq=False)
class MetricScores:
    """The rows of one metric, n of them, with L statistics each.

    Attributes:
        cases, subjects: names of all N cases of the fold, and the subject of each.
        case: ``(n,)`` number of the case.
        label, rater: ``(n,)`` foreground class, and rater or ``NOBODY``.
        statistics: ``(n, L)`` float64.
        without: numbers of the cases to which the metric applies and which lack a value: at all, or of a class or rater
            that another case has. What no case has, the method does not give: it does not apply.
    """

    cases: Sequence[str]
    subjects: Sequence[str]
    case: np.ndarray
    label: np.ndarray
    rater: np.ndarray
    statistics: np.ndarray
    without: np.ndarray

    def __len__(self) -> int:
        return len(self.case)

    @cached_property
    def subject(self) -> np.ndarray:
        """``(n,)`` number of each row's subject, in the order in which subjects come among all cases."""
        numbers: dict[str, int] = {}
        of_case = np.array([numbers.setdefault(name, len(numbers)) for name in self.subjects], np.int64)
        return of_case[self.case]

    @property
    def column(self) -> np.ndarray:
        """``(n,)`` int64, the same number for the same class and rater, ascending by class, then rater."""
        return _column(self.label, self.rater)

    @property
    def covered(self) -> np.ndarray:
        """Numbers of the cases that lack no value."""
        return np.setdiff1d(self.case, self.without)

    def where(self, kept: np.ndarray) -> "MetricScores":
        """Some of the rows, ``kept`` ``(n,)`` bool, in their order; numbers of cases stay."""
        return replace(
            self,
            case=self.case[kept],
            label=self.label[kept],
            rater=self.rater[kept],
            statistics=self.statistics[kept],
        )


@dataclass(frozen=True, eq=False)
class Scores:
    """All rows of a fold, M of them.

    Attributes:
        cases, subjects: names of the N cases and the subject of each, in the order in which they came.
        metrics: names, in the order in which they came.
        case, metric: ``(M,)`` int32 numbers.
        label, rater: ``(M,)`` int32; ``EVERYWHERE`` and ``NOBODY`` as said there.
        start: ``(M + 1,)`` int64, where each row's statistics begin in ``numbers``; a row without any says that a value
            is lacking.
        numbers: float64.
    """

    cases: tuple[str, ...]
    subjects: tuple[str, ...]
    metrics: tuple[str, ...]
    case: np.ndarray
    metric: np.ndarray
    label: np.ndarray
    rater: np.ndarray
    start: np.ndarray
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.case)

    @cached_property
    def scored(self) -> np.ndarray:
        """``(M,)`` bool, the rows with a value."""
        return np.diff(self.start) > 0

    def of(self, metric: str) -> MetricScores:
        """The rows of one metric; none where no case has it."""
        number = self.metrics.index(metric) if metric in self.metrics else -1
        own = self.metric == number
        scored = np.flatnonzero(own & self.scored)
        length = int(self.start[scored[0] + 1] - self.start[scored[0]]) if len(scored) else 1
        places = self.start[scored][:, None] + np.arange(length)
        return MetricScores(
            self.cases,
            self.subjects,
            self.case[scored],
            self.label[scored],
            self.rater[scored],
            self.numbers[places],
            self._lacking(own & ~self.scored, scored),
        )

    def _lacking(self, without: np.ndarray, scored: np.ndarray) -> np.ndarray:
        whole = self.label == EVERYWHERE.label
        nowhere = np.setdiff1d(self.case[without & whole], self.case[scored])
        column = _column(self.label, self.rater)
        # What no case has, the method does not give.
        return np.union1d(nowhere, self.case[without & ~whole & np.isin(column, column[scored])])

    def by_metric(self) -> Iterator[tuple[str, MetricScores]]:
        """Every metric that a case has, one at a time."""
        return ((name, found) for name in self.metrics if len(found := self.of(name)))

    def only(self, metrics: Container[str]) -> "Scores":
        """The rows of these metrics; all cases stay."""
        if all(name in metrics for name in self.metrics):
            return self
        known = np.array([name in metrics for name in self.metrics], bool)
        return self._where(known[self.metric])

    def that_apply(self) -> "Scores":
        """Without the metrics that no case has a value of: what a method cannot give does not apply to it."""
        found = np.zeros(len(self.metrics), bool)
        found[self.metric[self.scored]] = True
        return self.only([name for name, has in zip(self.metrics, found, strict=True) if has])

    def scored_cases(self) -> list[tuple[str, str]]:
        """Case and subject of all that have a value of some metric."""
        numbers = np.unique(self.case[self.scored]).tolist()
        return [(self.cases[number], self.subjects[number]) for number in numbers]

    def renamed(self, name: Callable[[str], str]) -> "Scores":
        """The same scores under other names of cases and subjects."""
        return replace(self, cases=tuple(map(name, self.cases)), subjects=tuple(map(name, self.subjects)))

    def _where(self, kept: np.ndarray) -> "Scores":
        lengths = np.diff(self.start)
        used = np.unique(self.metric[kept])
        numbers = np.full(len(self.metrics), -1, np.int32)
        numbers[used] = np.arange(len(used))
        return replace(
            self,
            metrics=tuple(self.metrics[number] for number in used.tolist()),
            case=self.case[kept],
            metric=numbers[self.metric[kept]],
            label=self.label[kept],
            rater=self.rater[kept],
            start=_starts(lengths[kept]),
            numbers=self.numbers[np.repeat(kept, lengths)],
        )

    def write_csv(self, path: Path) -> None:
        """Gzipped CSV of all rows, the same bytes for the same scores.

        A statistics vector is written as numbers in full precision with spaces between; ``rater`` is blank where the
        metric does not tell raters apart. In the row of a value that is lacking statistics are blank; class and rater
        too where all values of the metric are.
        """
        with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            text = io.TextIOWrapper(packed, encoding="utf-8", newline="")
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(self._lines())
            text.flush()
            text.detach()

    def _lines(self) -> Iterator[tuple[str, ...]]:
        ends = self.start.tolist()
        columns = (column.tolist() for column in (self.case, self.metric, self.label, self.rater))
        for row, (case, metric, label, rater) in enumerate(zip(*columns, strict=True)):
            statistics = " ".join(map(repr, self.numbers[ends[row] : ends[row + 1]].tolist()))
            key = ("" if label == EVERYWHERE.label else str(label), "" if rater == NOBODY else str(rater))
            yield self.cases[case], self.subjects[case], self.metrics[metric], *key, statistics


class ScoreCollector:
    """Takes scores row by row or case by case, and gives them as :class:`Scores`."""

    def __init__(self) -> None:
        self._cases: dict[str, int] = {}
        self._metrics: dict[str, int] = {}
        self._subjects: list[str] = []
        self._columns = tuple(array("i") for _ in range(5))  # case, metric, class, rater, length
        self._numbers = array("d")

    def case(self, name: str, subject: str) -> int:
        """The number of a case, which may come several times.

        Raises:
            ValueError: it came with another subject.
        """
        number = self._cases.setdefault(name, len(self._cases))
        if number == len(self._subjects):
            self._subjects.append(subject)
        elif self._subjects[number] != subject:
            raise ValueError(f"case {name[:40]!r} has a second subject")
        return number

    def metric(self, name: str) -> int:
        """The number of a metric."""
        return self._metrics.setdefault(name, len(self._metrics))

    def append(
        self,
        case: str,
        subject: str,
        scores: Mapping[tuple[str, Key], np.ndarray],
        without: Iterable[tuple[str, Key]] = (),
    ) -> None:
        """Adds what ``score_case`` gave for one case; a case may come in parts.

        Args:
            without: what ``without_value`` gave for it.
        """
        number = self.case(case, subject)
        for place, statistics in scores.items():
            self._add(number, *place, statistics.ravel().tolist())
        for place in without:
            self._add(number, *place, [])

    def extend(self, columns: Sequence[np.ndarray], numbers: np.ndarray) -> None:
        """Adds many rows: ``(M,)`` numbers of cases and metrics, classes, raters and lengths, and all statistics."""
        for own, more in zip(self._columns, columns, strict=True):
            own.frombytes(np.ascontiguousarray(more, np.int32).tobytes())
        self._numbers.frombytes(np.ascontiguousarray(numbers, np.float64).tobytes())

    def extend_scores(self, other: Scores) -> None:
        """Adds the scores of other cases."""
        cases = np.array([self.case(*pair) for pair in zip(other.cases, other.subjects, strict=True)], np.int32)
        metrics = np.array([self.metric(name) for name in other.metrics], np.int32)
        keys = (other.label, other.rater, np.diff(other.start))
        self.extend((cases[other.case], metrics[other.metric], *keys), other.numbers)

    def scores(self) -> Scores:
        """All that was added so far."""
        case, metric, label, rater, lengths = (np.array(column, np.int32) for column in self._columns)
        return Scores(
            tuple(self._cases),
            tuple(self._subjects),
            tuple(self._metrics),
            case,
            metric,
            label,
            rater,
            _starts(lengths),
            np.array(self._numbers, np.float64),
        )

    def _add(self, case: int, metric: str, key: Key, statistics: Sequence[float]) -> None:
        rater = NOBODY if key.rater is None else key.rater
        row = (case, self.metric(metric), key.label, rater, len(statistics))
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        self._numbers.extend(statistics)


def _column(label: np.ndarray, rater: np.ndarray) -> np.ndarray:
    return (label.astype(np.int64) << 32) + rater + 1


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
