"""The columns of tables: which way their arrows point, and what stands in the columns of costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from mrbench.cards import Direction, Need
from mrbench.engine.result import Result


class Column(Protocol):
    """What a table must know of a metric; its record says it, and so does an entry of a leaderboard."""

    @property
    def direction(self) -> Direction:
        """Which way is better."""

    @property
    def needs(self) -> Need:
        """What it is computed from; ``samples``: it depends on S."""

    @property
    def summary(self) -> str:
        """One line on what it is."""

    @property
    def table(self) -> bool:
        """Is it meant for tables?"""


ARROWS = {Direction.HIGHER: "↑", Direction.LOWER: "↓", Direction.NEITHER: ""}
"""Point to where better values are."""

RESEARCH = "Research software, not for clinical use."
"""Stands wherever results are shown."""

ABOUT = (
    "over other subjects and other trainings on these folds; none where a fold has one subject or one seed. What other "
    "training subjects would give, no single data set can tell"
)
"""What intervals and tests are about."""

INCOMPLETE = "n, folds: the value covers so many of the cases or folds that it should; it is never the best"
"""Explains the count beside a value."""


FAILED = (
    "failed: trainings of which no predicted pixel lies on any rater's mask; each counts with what it predicts, and "
    "none is done again from another seed"
)
"""Explains the column of failed trainings."""


def header(name: str, column: Column) -> str:
    """A metric's name with its arrow."""
    return f"{name} {ARROWS[column.direction]}".strip()


def gain(column: Column) -> int:
    """1 where higher values are better, -1 where lower ones are, 0 where neither."""
    return {Direction.HIGHER: 1, Direction.LOWER: -1, Direction.NEITHER: 0}[column.direction]


@dataclass(frozen=True)
class Cost:
    """A column of costs.

    Attributes:
        name: its header.
        words: what it is, for a figure's title; empty where no figure compares it.
        of: a cell's cost; None where it is not known.
    """

    name: str
    words: str
    of: Callable[[Result], float | None]


COSTS = (
    Cost("train s", "seconds of training", lambda cell: cell.seconds("fit")),
    Cost("predict s", "", lambda cell: cell.seconds("predict")),
    Cost("ms/image", "ms per image", lambda cell: cell.profile.get("milliseconds_per_image")),
    Cost("peak MiB", "", lambda cell: cell.peak_memory_mib),
    Cost("parameters", "parameters", lambda cell: cell.profile.get("parameters")),
)
"""In the order of the table; a column that is added here stands in every table, page and frame."""


def costs_of(results: Sequence[Result]) -> dict[str, float]:
    """Means over the finished cells that had their device to themselves, by name; what is not known is left out."""
    found: dict[str, float] = {}
    alone = [cell for cell in results if cell.finished and cell.alone and cell.spec.kind != "external"]
    for cost in COSTS:
        values = [float(value) for cell in alone if (value := cost.of(cell)) is not None]
        if values:
            found[cost.name] = fmean(values)
    return found
