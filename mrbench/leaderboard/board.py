"""The board: everything that tables and pages show, as plain data; of files only curves and cases are left to read.

A board has a page per data set. A page has a table per (data digest, split, scoring protocol): rows of one table were
computed on the same test cases and may be compared; rows of different tables never are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mrbench.digests import digest_json
from mrbench.engine.conditions import Conditions
from mrbench.leaderboard.entry import MetricFacts
from mrbench.leaderboard.store import SetAside, Stored


class RowKind(StrEnum):
    """Where a row's figures come from."""

    REPRODUCED = "reproduced"
    """A method, computed by mrbench: an entry."""
    PEOPLE = "people"
    """Made of the raters' own masks, computed by mrbench: an entry that is never ranked."""
    REPORTED = "reported"
    """Copied from a paper: no entry, no cases, never ranked."""


@dataclass(frozen=True)
class Figure:
    """One value of a table.

    Attributes:
        mean: over the folds.
        sd: over the folds; None where there is one fold, or where a paper gives none.
        folds: their number; None where a paper does not say.
        low, high: 95 % interval by bootstrap over subjects; None where there is none, ``no_interval`` says why.
        by_rater: by the rater's number from 0; empty where the metric does not tell raters apart.
        letters: of the tie groups: rows that share one cannot be told apart (paired exchange test over subjects, Holm
            over all pairs of the column, 5 %). Blank where the row is not ranked or nothing was computed.
        best: is it the best of the rows that it is ranked with?
        above_raters: is it better than the raters' own agreement (the row that ``board.toml``
            names, of the same data)?
        recomputable: can ``mrbench leaderboard verify`` compute it again here from the cases? False where the metric's
            definition is another one or not installed, and for reported figures.
    """

    mean: float
    sd: float | None = None
    folds: int | None = None
    low: float | None = None
    high: float | None = None
    no_interval: str = ""
    by_rater: Mapping[int, float] = field(default_factory=dict)
    letters: str = ""
    best: bool = False
    above_raters: bool = False
    recomputable: bool = False


@dataclass(frozen=True)
class Reported:
    """Where a reported row comes from.

    Attributes:
        source, table: the paper and its table.
        split: what the paper trained and tested on, in a word.
        conditions: of its trainings, as far as the paper says.
        notes: of whoever copied it.
    """

    source: str
    table: str
    split: str
    conditions: Conditions
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Row:
    """A row of a table.

    Attributes:
        method: the registry key, such as ``proseg``, ``my_package:mine``, ``external:theirs``; may come from a
            stranger: escape it.
        samples: S; 1 for a single output, None where the method gives no sample set or a paper does not say.
        marks: what a reader must know before comparing, one phrase each.
        figures: by metric; what does not apply is not there.
        cost: means over the cells, by the names in ``COSTS`` of ``mrbench.engine.summary``: train s, predict s,
            ms/image, peak MiB, parameters.
        cells: (finished, submitted); (0, 0) of a reported row.
        failures: why cells did not finish, one line each; such a row is not ranked.
        newest: is it the newest entry of its method with its options and its S in this table? Older ones are history
            and never ranked.
        stored: the entry with its folder; None of a reported row.
        reported: None of an entry.
    """

    kind: RowKind
    method: str
    samples: int | None
    marks: tuple[str, ...]
    figures: Mapping[str, Figure]
    cost: Mapping[str, float] = field(default_factory=dict)
    cells: tuple[int, int] = (0, 0)
    failures: tuple[str, ...] = ()
    newest: bool = True
    stored: Stored | None = None
    reported: Reported | None = None

    @property
    def id(self) -> str:
        """Of the entry: 16 hex digits, unique on the board; empty for a reported row."""
        return self.stored.id if self.stored else ""

    @property
    def reproduce(self) -> str:
        """The command that computes the row again; empty for a reported row."""
        return self.stored.entry.reproduce if self.stored else ""


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
class Table:
    """Rows that were computed on the same cases under one scoring protocol.

    Attributes:
        protocol: name of the scoring protocol.
        data_digest, split, split_digest: what all entries of the table share.
        changed: options of the data set that were set, by name.
        columns: what each metric says of itself, in the order of the table.
        rows: methods by their first column, best first, then people, then reported ones.
        diagrams: of the columns that rank something.
        notes: what was not computed, and why.
    """

    protocol: str
    data_digest: str
    split: str
    split_digest: str
    changed: Mapping[str, str]
    columns: Mapping[str, MetricFacts]
    rows: Sequence[Row]
    diagrams: Sequence[RankDiagram] = ()
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Short, unique on its page, safe in an address and in a file's name."""
        same = digest_json([self.data_digest, self.split, self.split_digest])[:24] if self.data_digest else "reported"
        return f"{self.protocol}-{same}"


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
        people: is it made of the raters' masks?
        history: its entries, newest first, over all data sets.
        reported: (data set, row) of papers.
    """

    name: str
    summary: str
    citation: str
    licence: str
    people: bool
    history: Sequence[Stored]
    reported: Sequence[tuple[str, Row]]


@dataclass(frozen=True, eq=False)
class Board:
    """The leaderboard.

    Attributes:
        datasets: by name.
        methods: by name.
        set_aside: folders under ``records`` that are no valid entry, with what is wrong.
        built_with: version of mrbench.
        title: of its pages.
    """

    datasets: Sequence[DatasetPage]
    methods: Sequence[MethodPage]
    set_aside: Sequence[SetAside]
    built_with: str
    title: str = "Leaderboard"

    @property
    def entries(self) -> list[Stored]:
        """Every valid entry, newest first."""
        found = [stored for page in self.methods for stored in page.history]
        return sorted(found, key=lambda stored: (stored.entry.written, stored.id), reverse=True)
