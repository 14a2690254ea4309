"""Figures that papers report, with their sources: ``reported.csv``, carried over by hand. Never ranked with ours."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from mrbench.engine.conditions import Conditions
from mrbench.errors import DataError
from mrbench.leaderboard.store import read_plain
from mrbench.results.table import Reported, Row, RowKind, Value
from mrbench.visible import visible

REPORTED = "reported.csv"
TEXTS = ("source", "table", "dataset", "method", "metric", "scoring", "split", "note")
COLUMNS = (
    "source", "table", "dataset", "method", "metric", "fold", "raters_present", "scoring", "split", "value", "std",
    "samples", "note",
)  # fmt: skip
MAX_BYTES = 2**23
MEAN = "mean"

RANKED = frozenset({"lidc-1609"})
"""Data whose masks papers sort by area: their raters are ranks."""

OF_ALL = "dice_mean"
"""Name of papers for ``dice_rater``, of ranks ``dice_rank``."""

OF_RATER = "dice_a"
"""Begins the name of the same of one rater, who is counted from 1."""


@dataclass(frozen=True)
class ReportedLine:
    """One figure as copied: the columns of the file.

    Attributes:
        fold: its number, or ``mean``.
        std: None where the paper gives none; ``samples``: S, likewise.
    """

    source: str
    table: str
    dataset: str
    method: str
    metric: str
    fold: str
    raters_present: int | None
    scoring: str
    split: str
    value: float
    std: float | None
    samples: int | None
    note: str


def read_reported(board: Path) -> list[ReportedLine]:
    """Every reported figure of a board; none where there is no file.

    Raises:
        DataError: not such a table; names the line.
    """
    path = board / REPORTED
    if not path.exists():
        return []
    try:
        text = read_plain(path, MAX_BYTES).decode("utf-8")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"cannot read {path}", found=str(error)[:200]) from None
    if not lines or tuple(lines[0]) != COLUMNS:
        found = ", ".join(lines[0] if lines else ())[:200]
        raise DataError(f"{path} has other columns", expected=", ".join(COLUMNS), found=found)
    return [_line(number, fields, path) for number, fields in enumerate(lines[1:], 2)]


def _line(number: int, fields: Sequence[str], path: Path) -> ReportedLine:
    try:
        if len(fields) != len(COLUMNS):
            raise ValueError(f"{len(fields)} fields, not {len(COLUMNS)}")
        row = dict(zip(COLUMNS, map(visible, fields), strict=True))
        texts = {name: row[name] for name in TEXTS}
        if not all(texts[name] for name in texts if name != "note"):
            raise ValueError("a field is blank that must not be")
        return ReportedLine(
            **texts,
            fold=row["fold"] if row["fold"] == MEAN else str(int(row["fold"])),
            raters_present=int(row["raters_present"]) if row["raters_present"] else None,
            value=_number(row["value"]),
            std=_number(row["std"]) if row["std"] else None,
            samples=int(row["samples"]) if row["samples"] else None,
        )
    except ValueError as error:
        raise DataError(f"{path}, line {number}: no reported figure", found=str(error)[:200]) from None


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not finite")
    return value


def reported_rows(lines: Sequence[ReportedLine], metrics: Mapping[str, object]) -> list[Row]:
    """A row per method, paper, table and setting, with the figures of ``metrics``; rows without any are left out."""
    found: dict[tuple[object, ...], list[ReportedLine]] = {}
    for line in lines:
        place = (line.method, line.source, line.table, line.split, line.raters_present, line.samples)
        found.setdefault(place, []).append(line)
    rows = [_row(own, metrics) for own in found.values()]
    return [row for row in rows if row.values]


def _row(lines: Sequence[ReportedLine], metrics: Mapping[str, object]) -> Row:
    first = lines[0]
    values: dict[str, list[ReportedLine]] = {}
    raters: dict[int, list[ReportedLine]] = {}
    own_dice = "dice_rank" if first.dataset in RANKED else "dice_rater"
    for line in lines:
        name = own_dice if line.metric == OF_ALL else line.metric
        rater = line.metric.removeprefix(OF_RATER)
        if name in metrics:
            values.setdefault(name, []).append(line)
        elif line.metric.startswith(OF_RATER) and rater.isdecimal() and own_dice in metrics:
            raters.setdefault(int(rater) - 1, []).append(line)
    found = {name: _value(own) for name, own in values.items()}
    by_rater = {rater: _value(own).mean for rater, own in raters.items()}
    if by_rater:
        whole = found.get(own_dice) or Value(fmean(by_rater.values()))
        found[own_dice] = replace(whole, by_rater=by_rater)
    notes = tuple(dict.fromkeys(line.note for line in lines if line.note))
    conditions = Conditions(raters_present=first.raters_present)
    source = Reported(first.method, first.source, first.table, first.split, conditions, notes)
    label = f"{first.method} (reported, {first.source}, {first.table})"
    return Row(label, RowKind.REPORTED, found, first.samples, ("reported",), reported=source)


def _value(lines: Sequence[ReportedLine]) -> Value:
    means = [line for line in lines if line.fold == MEAN]
    if means:
        return Value(means[0].value, means[0].std)
    folds: dict[int, list[float]] = {}
    for line in lines:
        folds.setdefault(int(line.fold), []).append(line.value)
    return Value(fmean(line.value for line in lines), folds={n: fmean(own) for n, own in folds.items()})
