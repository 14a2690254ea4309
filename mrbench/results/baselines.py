"""Rows below the trivial baseline: a method that does worse than a network with one output for everybody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mrbench.cards import Capability
from mrbench.results.columns import Column, gain
from mrbench.results.method_run import MethodRun
from mrbench.results.table import Row, measured
from mrbench.statistics.equality import TIE

FLOOR = "unet-majority"
"""One network trained on the majority vote: whoever it is asked for, it gives one mask."""

JUDGED = {Capability.DIVERSE: ("ged", "dice_soft"), Capability.PERSONAL: ("dice_rater",)}
"""By what a method gives, the metrics by which it should be above the floor: one output is as good at any S."""


def with_floor(rows: Sequence[Row], columns: Mapping[str, Column]) -> list[Row]:
    """The rows with a caveat where one's mean is worse than that of :data:`FLOOR` on the same cases."""
    floors = [row for row in rows if row.method == FLOOR and row.newest]
    return [_told(row, list(dict.fromkeys(_below(row, floors, columns)))) for row in rows]


def _told(row: Row, below: Sequence[str]) -> Row:
    more = (f"worse than {FLOOR}, which has one output for everybody: {', '.join(below)}",) if below else ()
    return replace(row, caveats=row.caveats + more)


def _below(row: Row, floors: Sequence[Row], columns: Mapping[str, Column]) -> Iterator[str]:
    for name in _judged(row.run) if row.run and not row.human else ():
        if name in columns and any(_worse(row, floor, name, columns[name]) for floor in floors):
            yield name


def _worse(row: Row, floor: Row, name: str, column: Column) -> bool:
    """Compared at any S: a single output has the same value at each."""
    same = [key and key[1:] for key in (measured(one, name, column) for one in (row, floor))]
    return same[0] is not None and same[0] == same[1] and _gain(row, floor, name, column) < -TIE


def _gain(row: Row, floor: Row, name: str, column: Column) -> float:
    return gain(column) * (row.values[name].mean - floor.values[name].mean)


def _judged(run: MethodRun) -> list[str]:
    return [name for given, names in JUDGED.items() if given in run.spec.capabilities for name in names]
