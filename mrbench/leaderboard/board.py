"""The board: everything that tables and pages show, as plain data; of files only curves and cases are left to read.

A board has a page per data set. A page has a table per (data digest, split, scoring protocol): rows of one table were
computed on the same test cases and may be compared; rows of different tables never are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mrbench.leaderboard.asked import Asked
from mrbench.leaderboard.store import SetAside, Stored
from mrbench.results.table import Row, Table


@dataclass(frozen=True, eq=False)
class DatasetPage:
    """A data set.

    Attributes:
        name: the registry key; may come from a stranger: escape it.
        raters, rater_names, classes, unit, licence, citation, origin: as the newest entry describes it.
        pictures: does the licence allow images of it to be shown?
        tables: those of the data that most entries share first; strict before published. A page without entries has
            one table of reported rows.
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


@dataclass(frozen=True, eq=False)
class MethodPage:
    """A method over all data sets.

    Attributes:
        name: the registry key; may come from a stranger: escape it.
        summary, citation, licence: as installed here; empty where it is not.
        links: addresses of the paper and of the released code, of what is installed here.
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
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Board:
    """The leaderboard.

    Attributes:
        datasets: by name.
        methods: by name.
        asked: the questions that were put to its tables, with their answers.
        listed_apart: folders under ``records``, and scores of entries, that did not verify, each with its reason.
        built_with: version of mrbench.
        title: of its pages.
    """

    datasets: Sequence[DatasetPage]
    methods: Sequence[MethodPage]
    asked: Sequence[Asked]
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
