"""Scores case by case: read back from ``cases.csv.gz``, or scored again where they are of another protocol or version.

Files may come from others: what a file unpacks to, its columns and every number are checked, a column at a time.
"""

import csv
import gzip
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from zlib import error as ZlibError  # noqa: N812

import numpy as np

from mrbench.data.archive import FREE_BYTES, MAX_RATIO, Bounded
from mrbench.engine.cell import CASES, COMPUTED_AGAIN, PREDICTIONS
from mrbench.engine.manifest import check_file
from mrbench.engine.result import StoredScores
from mrbench.engine.score import is_scored, score_cell
from mrbench.errors import DataError, IncompatibleError
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import COLUMNS, EVERYWHERE, LARGEST_NUMBER, NOBODY, MetricScores, ScoreCollector, Scores
from mrbench.registry import Plugin

T = TypeVar("T")

LARGEST = 2**31
"""Above any class and rater."""

CHUNK = 2**16
"""Lines that are checked together."""


@dataclass(frozen=True, eq=False)
class CellFiles:
    """The files of a finished cell in a results folder.

    Attributes:
        record: that of the cell.
        description: what its data set declares.
    """

    folder: Path
    record: Mapping[str, Any]
    description: Mapping[str, Any]

    def read(self, metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol, samples: int | None) -> StoredScores:
        """As stored where protocol and definitions agree, else from the cell's predictions.

        Raises:
            DataError: a file of the cell cannot be read.
            IncompatibleError: the stored scores are of another protocol or version, and there are no predictions.
            UsageError: fewer samples are stored.
        """
        if samples is None and is_scored(self.record, metrics, protocol) and (self.folder / CASES).is_file():
            faults = {name: text for name, text in self.record.get("metric_faults", {}).items() if name in metrics}
            scores = read_cases(check_file(self.folder, self.record, CASES)).only(set(metrics) - set(faults))
            self._check(scores, metrics)
            return StoredScores(scores, faults)
        if not (self.folder / PREDICTIONS).is_file():
            raise IncompatibleError(
                f"the cell {self.folder} has no scores under the protocol {protocol.name!r} and no predictions to "
                "score",
                expected=PREDICTIONS,
                hint=COMPUTED_AGAIN,
            )
        scored = score_cell(self.predictions(), metrics, protocol, samples=samples)
        return StoredScores(scored.cases.only(set(metrics) - set(scored.faults)), scored.faults)

    def predictions(self) -> Path:
        """The path of the cell's predictions, once they are what was written.

        Raises:
            DataError: they are not there, or not what was written.
        """
        return check_file(self.folder, self.record, PREDICTIONS)

    def _check(self, scores: Scores, metrics: Mapping[str, Plugin[Any]]) -> None:
        try:
            check_places(scores, self.description)
            for name, own in scores.by_metric():
                check_vectors(name, own, metrics[name].load())
        except ValueError as error:
            path = self.folder / CASES
            raise DataError(f"{path} fits no such cell", found=f"{error}"[:200], hint=COMPUTED_AGAIN) from error


def check_places(scores: Scores, description: Mapping[str, Any]) -> None:
    """Are all classes and raters of a data set?

    Raises:
        ValueError: one is not.
    """
    classes, raters = len(description["classes"]), len(description["rater_names"])
    for what, column, end in (("class", scores.label, classes), ("rater", scores.rater, raters)):
        if len(column) and (largest := int(column.max())) >= end:
            raise ValueError(f"{what} {largest}, and the data set has {end}")


def check_vectors(name: str, scores: MetricScores, metric: Metric) -> None:
    """Can a metric finalise its statistics vectors? One that is not pooled can, of any length.

    Raises:
        ValueError: it cannot, or gives a value that is not finite.
    """
    if metric.pooled is None:
        return
    length = scores.statistics.shape[1]
    for total in _totals(scores):
        if not math.isfinite(_finalised(total, metric)):
            raise ValueError(f"metric {name!r} cannot finalise its {length} numbers")


def _totals(scores: MetricScores) -> Iterator[np.ndarray]:
    """The sum over the cases, for each class and rater."""
    return (scores.statistics[scores.column == place].sum(axis=0) for place in np.unique(scores.column))


def _finalised(total: np.ndarray, metric: Metric) -> float:
    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            return metric.finalise(total)
    except Exception:  # a plugin may raise anything
        return math.nan


def read_cases(path: Path) -> Scores:
    """The inverse of ``Scores.write_csv``, but for cases that have no row.

    Raises:
        DataError: not a whole gzipped CSV file, other columns, a number that is none, or more than its size can hold.
    """
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file) as packed:
            allowed = max(FREE_BYTES, MAX_RATIO * path.stat().st_size)
            lines = io.TextIOWrapper(io.BufferedReader(Bounded(packed, allowed)), encoding="utf-8", newline="")
            return _parsed(csv.reader(lines, strict=True))
    except (OSError, EOFError, ZlibError, ValueError, csv.Error) as error:
        raise DataError(f"{path} holds no scores of cases", found=f"{error}"[:200], hint=COMPUTED_AGAIN) from error


def _parsed(lines: Iterator[list[str]]) -> Scores:
    header = next(lines, [])
    if tuple(header) != COLUMNS:
        raise ValueError(f"the columns are {', '.join(header)[:80] or 'none'}, not {', '.join(COLUMNS)}")
    collector, first = ScoreCollector(), 2
    while chunk := list(islice(lines, CHUNK)):
        _add(collector, chunk, first)
        first += len(chunk)
    scores = collector.scores()
    _check_whole(scores)
    return scores


def _add(collector: ScoreCollector, lines: Sequence[Sequence[str]], first: int) -> None:
    """Checks lines column by column and adds them; ``first``: number of the first one."""
    for number, fields in enumerate(lines, first):
        if len(fields) != len(COLUMNS):
            raise ValueError(f"line {number}: {len(fields)} fields, not {len(COLUMNS)}")
    cases, subjects, metrics, labels, raters, statistics = zip(*lines, strict=True)
    pairs = dict.fromkeys(zip(cases, subjects, strict=True), 0)
    for pair in pairs:
        try:
            pairs[pair] = collector.case(*pair)
        except ValueError as error:
            at = list(zip(cases, subjects, strict=True)).index(pair)
            raise ValueError(f"line {first + at}: {error}") from None
    numbers, lengths = _numbers(statistics, first)
    # Only where all values of the metric are lacking is there no class.
    keyed = [any(fields) for fields in zip(labels, raters, statistics, strict=True)]
    collector.extend(
        (
            np.array([pairs[pair] for pair in zip(cases, subjects, strict=True)], np.int32),
            _mapped(metrics, collector.metric, first),
            _mapped([label if has else None for has, label in zip(keyed, labels, strict=True)], _label, first),
            _mapped(raters, _rater, first),
            lengths,
        ),
        numbers,
    )


def _mapped(texts: Sequence[T], read: Callable[[T], int], first: int) -> np.ndarray:
    """``(M,)`` what each text stands for, read once for all lines that have it."""
    known: dict[T, int] = {}
    for number, text in enumerate(texts):
        if text not in known:
            try:
                known[text] = read(text)
            except ValueError as error:
                raise ValueError(f"line {first + number}: {error}") from None
    return np.array([known[text] for text in texts], np.int32)


def _label(text: str | None) -> int:
    return EVERYWHERE.label if text is None else _whole(text, "class", least=1)


def _rater(text: str) -> int:
    return _whole(text, "rater", least=0) if text else NOBODY


def _whole(text: str, what: str, *, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) < LARGEST):
        raise ValueError(f"{text[:20]!r} is no {what}")
    return int(text)


def _numbers(statistics: Sequence[str], first: int) -> tuple[np.ndarray, np.ndarray]:
    """All numbers, and how many each line has."""
    words = [text.split(" ") if text else [] for text in statistics]
    try:
        numbers = np.array([float(word) for own in words for word in own], np.float64)
    except ValueError:
        numbers = np.array([np.nan])
    if not (np.abs(numbers) <= LARGEST_NUMBER).all():
        _tell_first(statistics, words, first)
    return numbers, np.array([len(own) for own in words], np.int32)


def _tell_first(statistics: Sequence[str], words: Sequence[Sequence[str]], first: int) -> None:
    for number, (text, own) in enumerate(zip(statistics, words, strict=True), first):
        try:
            largest = max((abs(float(w)) if math.isfinite(float(w)) else math.inf for w in own), default=0)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        if largest > LARGEST_NUMBER:
            fault = f"is beyond {LARGEST_NUMBER:g}" if math.isfinite(largest) else "is not finite"
            raise ValueError(f"line {number}: {text[:40]!r} {fault}")


def _check_whole(scores: Scores) -> None:
    """What one line cannot tell: each value stands once, and a metric's vectors have one length."""
    lengths = np.diff(scores.start)
    for number, name in enumerate(scores.metrics):
        own = np.flatnonzero((scores.metric == number) & scores.scored)
        other = own[lengths[own] != lengths[own[0]]] if len(own) else own
        if len(other):
            raise ValueError(f"line {other[0] + 2}: metric {name[:40]!r} has vectors of two lengths")
    place = np.zeros(len(scores), np.int64)
    for column in (scores.case, scores.metric, scores.label, scores.rater):
        values, code = np.unique(column, return_inverse=True)
        place = place * len(values) + code
    _, index = np.unique(place, return_index=True)
    if len(index) < len(place):
        again = np.setdiff1d(np.arange(len(place)), index)[0]
        case, metric = scores.cases[scores.case[again]], scores.metrics[scores.metric[again]]
        raise ValueError(f"line {again + 2}: case {case[:40]!r} has a second value of {metric[:40]!r}")
