"""The board: everything that tables and pages show, as plain data; of files only curves and cases are left to read.

A board has a page per data set. A page has a table per (data digest, split, scoring protocol): rows of one table were
computed on the same test cases and may be compared; rows of different tables never are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mrbench.leaderboard.store import SetAside, Stored
from mrbench.results.table import Row, Table


@dataclass(frozen=True)
class RankDiagram:
    """A critical-difference diagram of one metric: mean ranks of methods over subjects.

    Attributes:
        metric: its column.
        samples: S of all of them, for a metric of samples.
        entries: ids, best first.
        methods: what they are called, in the order of ``entries``.
        ranks: in the order of ``entries``, 1 the best.
        difference: mean ranks farther apart than this differ at 5 % (Nemenyi).
        p: of Friedman's test.
        blocks: subjects that all of them have.
        groups: runs of methods, by number in ``entries``, that are not told apart.
        reason: why there is no diagram; then the rest is empty.
    """

    metric: str
    samples: int | None
    entries: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    ranks: tuple[float, ...] = ()
    difference: float = 0.0
    p: float = 1.0
    blocks: int = 0
    groups: tuple[tuple[int, ...], ...] = ()
    reason: str = ""


@dataclass(frozen=True, eq=False)
class DatasetPage:
    """A data set.

    Attributes:
        name: the registry key; may come from a stranger: escape it.
        raters, rater_names, classes, unit, licence, citation, origin: as the newest entry describes it.
        pictures: does the licence allow images of it to be shown?
        tables: those of the data that most entries share first; strict before published. A page without entries has
            one table of reported rows.
        diagrams: of the columns that rank something, by the key of their table.
    """

    name: str
    raters: str
    rater_names: tuple[str, ...]
    classes: tuple[str, ...]
    unit: str
    licence: str
    citation: str
    origin: str
    pictures: bool
    tables: Sequence[Table]
    diagrams: Mapping[str, Sequence[RankDiagram]]


@dataclass(frozen=True, eq=False)
class MethodPage:
    """A method over all data sets.

    Attributes:
        name: the registry key; may come from a stranger: escape it.
        summary, citation, licence: as installed here; empty where it is not.
        human: is it made of the raters' masks?
        history: its entries, newest first, over all data sets.
        reported: (data set, row) of papers.
    """

    name: str
    summary: str
    citation: str
    licence: str
    human: bool
    history: Sequence[Stored]
    reported: Sequence[tuple[str, Row]]


@dataclass(frozen=True, eq=False)
class Board:
    """The leaderboard.

    Attributes:
        datasets: by name.
        methods: by name.
        listed_apart: folders under ``records``, and scores of entries, that did not verify, each with its reason.
        built_with: version of mrbench.
        title: of its pages.
    """

    datasets: Sequence[DatasetPage]
    methods: Sequence[MethodPage]
    listed_apart: Sequence[SetAside]
    built_with: str
    title: str = "Leaderboard"

    @cached_property
    def entries(self) -> list[Stored]:
        """Every entry that verified, newest first."""
        found = [stored for page in self.methods for stored in page.history]
        return sorted(found, key=lambda stored: (stored.entry.written, stored.id), reverse=True)

    @cached_property
    def stored(self) -> dict[str, Stored]:
        """Entries by id."""
        return {stored.id: stored for stored in self.entries}
