"""Scores case by case: read back from ``cases.csv.gz``, or scored again where they are of another protocol or version.

Files may come from others: what a file unpacks to, its columns and every number are checked.
"""

import csv
import gzip
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from zlib import error as ZlibError  # noqa: N812

import numpy as np

from mrbench.data.archive import FREE_BYTES, MAX_RATIO
from mrbench.engine.cell import CASES, PREDICTIONS
from mrbench.engine.predictions import HINT
from mrbench.engine.score import is_scored, score_cell
from mrbench.errors import DataError, IncompatibleError
from mrbench.interfaces.metric import Key
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import COLUMNS, CaseScores
from mrbench.registry import Plugin

LARGEST = 2**31
"""Above any class and rater."""


@dataclass(frozen=True, eq=False)
class StoredScores:
    """The scores of a cell, case by case.

    Attributes:
        cases: of the metrics that have a value.
        faults: metrics that raised or gave a value that is not finite, with what they did; they have no rows.
    """

    cases: CaseScores
    faults: Mapping[str, str]


def cell_scores(
    folder: Path,
    record: Mapping[str, Any],
    metrics: Mapping[str, Plugin[Any]],
    protocol: ScoringProtocol,
    *,
    samples: int | None = None,
) -> StoredScores:
    """The scores of a finished cell: as stored where protocol and definitions agree, else from its predictions.

    Args:
        folder: of the cell.
        record: of the cell.
        metrics: wanted, by key.
        protocol: wanted.
        samples: score the first so many; None: all.

    Raises:
        DataError: a file of the cell cannot be read.
        IncompatibleError: the stored scores are of another protocol or version, and there are no predictions.
        UsageError: fewer samples are stored.
    """
    if samples is None and is_scored(record, metrics, protocol) and (folder / CASES).is_file():
        faults = {name: text for name, text in record.get("metric_faults", {}).items() if name in metrics}
        return StoredScores(_only(read_cases(folder / CASES), set(metrics) - set(faults)), faults)
    predictions = folder / PREDICTIONS
    if not predictions.is_file():
        raise IncompatibleError(
            f"the cell {folder} has no scores under the protocol {protocol.name!r} and no predictions to score",
            expected=PREDICTIONS,
            hint=HINT,
        )
    scored = score_cell(predictions, metrics, protocol, samples=samples)
    return StoredScores(_only(scored.cases, set(metrics) - set(scored.faults)), scored.faults)


def _only(scores: CaseScores, metrics: set[str]) -> CaseScores:
    kept = CaseScores()
    for case, subject, values in scores.cases:
        kept.append(case, subject, {at: statistics for at, statistics in values.items() if at[0] in metrics})
    return kept


def read_cases(path: Path) -> CaseScores:
    """The inverse of ``CaseScores.write_csv``, but for cases that have no value: they left no row.

    Raises:
        DataError: not a whole gzipped CSV file, other columns, a number that is none, or more than its size can hold.
    """
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file) as packed:
            allowed = max(FREE_BYTES, MAX_RATIO * path.stat().st_size)
            lines = io.TextIOWrapper(io.BufferedReader(_Bounded(packed, allowed)), encoding="utf-8", newline="")
            return _parsed(csv.reader(lines, strict=True))
    except (OSError, EOFError, ZlibError, ValueError, csv.Error) as error:
        raise DataError(f"{path} holds no scores of cases", found=f"{error}"[:200], hint=HINT) from error


class _Bounded(io.RawIOBase):
    """Reads until a limit and raises where there is more, so that a small file cannot fill the memory."""

    def __init__(self, packed: gzip.GzipFile, allowed: int) -> None:
        self.packed, self.allowed, self.left = packed, allowed, allowed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self.packed.read(min(len(buffer), self.left + 1))
        if len(found) > self.left:
            raise ValueError(f"unpacks to more than {self.allowed} bytes, which is more than its size can hold")
        self.left -= len(found)
        buffer[: len(found)] = found
        return len(found)


def _parsed(lines: Iterator[list[str]]) -> CaseScores:
    header = next(lines, [])
    if tuple(header) != COLUMNS:
        raise ValueError(f"the columns are {', '.join(header)[:80] or 'none'}, not {', '.join(COLUMNS)}")
    scores = CaseScores()
    for (case, subject), rows in groupby(_checked(lines), key=lambda row: (row.case, row.subject)):
        scores.append(case, subject, {(row.metric, row.key): row.statistics for row in rows})
    return scores


def _checked(lines: Iterator[list[str]]) -> Iterator["_Line"]:
    seen = _Seen()
    for number, line in enumerate(lines, 2):
        try:
            row = _Line.of(line)
            seen.check(row)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        yield row


@dataclass(frozen=True, eq=False)
class _Line:
    case: str
    subject: str
    metric: str
    key: Key
    statistics: np.ndarray

    @classmethod
    def of(cls, fields: Sequence[str]) -> "_Line":
        if len(fields) != len(COLUMNS):
            raise ValueError(f"{len(fields)} fields, not {len(COLUMNS)}")
        case, subject, metric, label, rater, statistics = fields
        key = Key(_whole(label, "class", least=1), _whole(rater, "rater", least=0) if rater else None)
        return cls(case, subject, metric, key, _numbers(statistics))


def _whole(text: str, what: str, *, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) < LARGEST):
        raise ValueError(f"{text[:20]!r} is no {what}")
    return int(text)


def _numbers(text: str) -> np.ndarray:
    numbers = [float(word) for word in text.split(" ")]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{text[:40]!r} is not finite")
    return np.array(numbers)


@dataclass
class _Seen:
    """What one line cannot tell: each value stands once, a case has one subject, a metric's vectors one length.

    Cases that have the same values share the list of them.
    """

    case: str = ""
    places: set[tuple[str, Key]] = field(default_factory=set)
    earlier: dict[str, frozenset[tuple[str, Key]]] = field(default_factory=dict)
    shared: dict[frozenset[tuple[str, Key]], frozenset[tuple[str, Key]]] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)

    def check(self, row: _Line) -> None:
        if self.subjects.setdefault(row.case, row.subject) != row.subject:
            raise ValueError(f"case {row.case[:40]!r} has a second subject")
        if self.lengths.setdefault(row.metric, len(row.statistics)) != len(row.statistics):
            raise ValueError(f"metric {row.metric[:40]!r} has vectors of two lengths")
        if row.case != self.case:
            self._turn_to(row.case)
        if (row.metric, row.key) in self.places:
            raise ValueError(f"case {row.case[:40]!r} has a second value of {row.metric[:40]!r}")
        self.places.add((row.metric, row.key))

    def _turn_to(self, case: str) -> None:
        places = frozenset(self.places)
        self.earlier[self.case] = self.shared.setdefault(places, places)
        self.case, self.places = case, set(self.earlier.get(case, ()))
