"""Results at the door: what a notebook asks of a results folder, a run, or a leaderboard.

>>> import mrbench                                                  # doctest: +SKIP
>>> results = mrbench.load_results("results")                       # doctest: +SKIP
>>> results.table("phantom").to_pandas()["ged"]["mean"]             # doctest: +SKIP
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mrbench.arguments import texts_of, whole_of, wholes_of
from mrbench.configuration import flat
from mrbench.engine.result import Result
from mrbench.engine.run import Run
from mrbench.errors import DataError, UnknownNameError, UsageError
from mrbench.metrics.protocol import PROTOCOLS, ScoringProtocol
from mrbench.metrics.scores import NOBODY, MetricScores
from mrbench.metrics.scoring import case_values
from mrbench.registry import Registry
from mrbench.results.choice import Choice
from mrbench.results.columns import COSTS
from mrbench.results.method_run import MethodRun
from mrbench.results.reader import ScoreReader
from mrbench.results.readers import with_readers
from mrbench.results.table import Row, Table
from mrbench.results.tabulate import tabulate
from mrbench.results.ties import lettered
from mrbench.results.variability import variability

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Results:
    """Method runs, wherever they lie.

    Attributes:
        runs: of all data sets.
        registry: the plugins that their methods, data sets and metrics come from.
        notes: what could not be read, a line each.
        sources: the runs that they were read from, each with its ``command``.
        made: the tables of a leaderboard, which decides itself what is history; None: tables are made of the runs.
    """

    runs: tuple[MethodRun, ...]
    registry: Registry
    notes: tuple[str, ...] = ()
    sources: tuple[Run, ...] = ()
    made: Callable[[], Sequence[Table]] | None = None

    def __repr__(self) -> str:
        return f"<Results: {len(self.runs)} method runs on {', '.join(self.datasets) or 'no data set'}>"

    @property
    def datasets(self) -> list[str]:
        """The registry keys of the data sets."""
        return list(dict.fromkeys(run.dataset for run in self.runs))

    @property
    def cells(self) -> list[Result]:
        """All cells, finished or not, each with its status and reason."""
        return [result for run in self.runs for result in run.results]

    def table(
        self,
        dataset: str | None = None,
        *,
        protocol: str = "strict",
        metrics: str | Iterable[str] = (),
        samples: int | Iterable[int] = (),
        letters: bool = False,
        readers: bool = False,
    ) -> Table:
        """The table that ``mrbench show`` or the leaderboard prints, to the last digit.

        Args:
            dataset: its registry key; None: the only one.
            protocol: the scoring protocol.
            metrics: to show, one or several; none: those meant for tables.
            samples: a sample budget or several; a row each, scored on the first so many samples; of a results folder.
            letters: also find the tie groups, which takes seconds.
            readers: also mark the rows beside another reader, which takes seconds; a leaderboard's always are, by the
                metrics to show.

        Raises:
            UnknownNameError: no such data set, protocol or metric.
            UsageError: several data sets and none named, too few samples, or samples of a leaderboard.
            IncompatibleError: cells of different data or splits under one name, or scores that cannot be had.
        """
        budgets = wholes_of("samples", samples, 1)
        if self.made is not None:
            if budgets:
                raise UsageError(
                    f"a leaderboard has no table at {', '.join(map(str, budgets))} samples",
                    expected="no sample budgets: it holds scores of all samples, not the samples",
                    hint="load_results of the results folder with the predictions",
                )
            table = _only(_made(self.made(), dataset, protocol), texts_of("metrics", metrics))
            return self._lettered(table, protocol) if letters else table
        name, chosen = self._dataset(dataset), protocol_of(protocol)
        runs = [run for run in self.runs if run.dataset == name]
        keys = self._metrics(metrics)
        (table,) = tabulate(runs, self.registry, chosen, keys, samples=budgets, every=False)
        table = self._lettered(table, protocol) if letters and not budgets else table
        return with_readers(table, self.registry, chosen) if readers and not budgets else table

    def _lettered(self, table: Table, protocol: str) -> Table:
        return lettered(table, ScoreReader(self.registry, protocol_of(protocol), tuple(table.columns)))

    def method(
        self, name: str, *, dataset: str | None = None, samples: int | None = None, digest: str = "", **options: Any
    ) -> MethodRun:
        """One method run.

        Args:
            name: the method's registry key; its bare name will do where one method alone has it.
            dataset: None: the only one.
            samples: S of its sample set, where several were run.
            digest: of its predictions, or how that begins; it tells apart whatever was run under one name.
            options: values that its options have, where several configurations were run.

        Raises:
            UnknownNameError: no such method on the data set, or no such option of it.
            UsageError: several of that name, or none with these options; says what tells them apart.
        """
        runs = [run for run in self.runs if run.dataset == self._dataset(dataset)]
        found = [run for run in runs if run.method == name] or [run for run in runs if _bare(run) == name]
        if not found:
            known = dict.fromkeys(run.method for run in runs)
            raise UnknownNameError("method", name, known, where=f"on {self._dataset(dataset)!r}")
        choice = Choice(name, samples if samples is None else whole_of("samples", samples, 1), digest, flat(options))
        return choice.among(found)

    def cell(self, method: str, *, dataset: str | None = None, fold: int = 0, seed: int = 0, **options: Any) -> Result:
        """One cell of a method run.

        Args:
            options: what else tells the method run from others, as :meth:`method` takes it.

        Raises:
            UnknownNameError: no such method, or no such fold and seed of it.
            UsageError: several method runs of that name.
        """
        run = self.method(method, dataset=dataset, **options)
        places = {f"fold{one.spec.fold}-seed{one.spec.seed}": one for one in run.results}
        place = f"fold{fold}-seed{seed}"
        if place not in places:
            raise UnknownNameError("cell", place, places, where=f"of {run.title}")
        return places[place]

    def scores(
        self, dataset: str | None = None, *, protocol: str = "strict", metrics: str | Iterable[str] = ()
    ) -> "pd.DataFrame":
        """The scores of every case: a row per case, class, rater and metric.

        Columns: ``dataset``, ``method``, ``digest`` (of the predictions; :meth:`methods` has the options), ``fold``,
        ``seed``, ``case``, ``subject``, ``class`` and ``rater`` (names; rater missing where the metric tells none
        apart), ``metric``, ``value``. The value of a pooled metric exists for a fold only and is missing here.

        Args:
            dataset: None: all of them.
            protocol: the scoring protocol.
            metrics: one or several; none: those meant for tables.

        Raises:
            UnknownNameError: no such data set, protocol or metric.
            IncompatibleError: scores that cannot be had under this protocol.

        Warns:
            UserWarning: a cell whose files are damaged; it is left out.
        """
        import pandas as pd

        names = self.datasets if dataset is None else [self._dataset(dataset)]
        reader = ScoreReader(self.registry, protocol_of(protocol), self._metrics(metrics))
        runs = [run for run in self.runs if run.dataset in names]
        frames = [pd.DataFrame(columns) for run in runs for columns in _columns(run, reader)]
        if not frames:
            return pd.DataFrame(columns=list(COLUMNS))
        return pd.concat(frames, ignore_index=True)

    def variance_components(
        self, dataset: str | None = None, *, protocol: str = "strict", metrics: str | Iterable[str] = ()
    ) -> "pd.DataFrame":
        """What the values of each method vary by: a row per method, metric and source.

        Columns: ``dataset``, ``method``, ``digest`` (of the predictions), ``metric``, ``source`` (``subject``,
        ``training``, ``fold`` or ``subject x training``), ``variance`` (may be below 0, which says that nothing tells
        the source from none), ``low`` and ``high`` (95 % interval, cut at 0), ``share`` of the whole, ``reason`` where
        nothing is known.

        Args:
            dataset: None: all of them.
            protocol: the scoring protocol.
            metrics: one or several; none: those meant for tables.

        Raises:
            UnknownNameError: no such data set, protocol or metric.
            IncompatibleError: scores that cannot be had under this protocol.
        """
        import pandas as pd

        names = self.datasets if dataset is None else [self._dataset(dataset)]
        reader = ScoreReader(self.registry, protocol_of(protocol), self._metrics(metrics))
        rows = [row for run in self.runs if run.dataset in names for row in _components(run, reader)]
        return pd.DataFrame(rows, columns=list(COMPONENTS))

    def methods(self) -> "pd.DataFrame":
        """What was run: a row per method run with its cells, caveats, digest, costs and options."""
        import pandas as pd

        facts = [_facts(run) for run in self.runs]
        known = dict.fromkeys([*FACTS, *(cost.name for cost in COSTS), *(name for own in facts for name in own)])
        return pd.DataFrame(facts, columns=[n for n in known if n in FACTS or any(n in own for own in facts)])

    def _metrics(self, names: str | Iterable[str]) -> tuple[str, ...]:
        return tuple(self.registry.get("metric", name).key for name in texts_of("metrics", names))

    def _dataset(self, name: str | None) -> str:
        if name is None and len(self.datasets) == 1:
            return self.datasets[0]
        if name is None:
            known = ", ".join(self.datasets) or "at least one result"
            raise UsageError("which data set?", expected=known, found="" if self.datasets else "; ".join(self.notes))
        found = [key for key in self.datasets if key == name] or [
            key for key in self.datasets if key.rpartition(":")[2] == name
        ]
        if len(found) != 1:
            raise UnknownNameError("dataset", name, self.datasets, where="in these results")
        return found[0]


COLUMNS = (
    "dataset", "method", "digest", "fold", "seed", "case", "subject", "class", "rater", "metric", "value",
)  # fmt: skip
"""The columns of the frame of scores."""

COMPONENTS = ("dataset", "method", "digest", "metric", "source", "variance", "low", "high", "share", "reason")
"""The columns of the frame of variance components."""

FACTS = ("dataset", "method", "origin", "digest", "S", "finished", "planned", "caveats", "human")
"""The columns of the frame of methods; costs and options follow."""


def _made(tables: Sequence[Table], dataset: str | None, protocol: str) -> Table:
    """The first table of a leaderboard's page: the one of the data that most entries share."""
    known = list(dict.fromkeys(table.dataset for table in tables))
    name = known[0] if dataset is None and len(known) == 1 else dataset
    if name is None:
        raise UsageError("which data set?", expected=", ".join(known) or "at least one entry")
    if name not in known:
        raise UnknownNameError("dataset", name, known, where="on this leaderboard")
    own = {table.protocol: table for table in reversed(tables) if table.dataset == name}
    if protocol not in own:
        raise UnknownNameError("protocol", protocol, own, where=f"in the tables of {name!r}")
    return own[protocol]


def _only(table: Table, metrics: Sequence[str]) -> Table:
    """The table with these metrics alone, in their order; none: all of it."""
    if not metrics:
        return table
    columns = {name: table.columns[name] for name in (_key(metric, table) for metric in metrics)}
    return replace(table, columns=columns, rows=[_row_only(row, columns) for row in table.rows])


def _row_only(row: Row, metrics: Iterable[str]) -> Row:
    values = {name: row.values[name] for name in metrics if name in row.values}
    marks = {name: row.reader_marks[name] for name in metrics if name in row.reader_marks}
    return replace(row, values=values, reader_marks=marks)


def _key(metric: str, table: Table) -> str:
    """The metric of that key, or of that bare name while it is unique."""
    bare = [name for name in table.columns if name.rpartition(":")[2] == metric]
    if metric not in table.columns and len(bare) != 1:
        raise UnknownNameError("metric", metric, table.columns, where=f"in the table of {table.dataset!r}")
    return metric if metric in table.columns else bare[0]


def _bare(run: MethodRun) -> str:
    return run.method.rpartition(":")[2]


def protocol_of(name: str) -> ScoringProtocol:
    """The scoring protocol of a name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in PROTOCOLS:
        raise UnknownNameError("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def _columns(run: MethodRun, reader: ScoreReader) -> Iterator[dict[str, Any]]:
    """The columns of every metric of every cell; one that cannot be read is told of and left out."""
    for result in run.done:
        try:
            scores = result.scores(reader.metrics(run), reader.protocol).cases
        except DataError as error:
            warnings.warn(f"{run.method} {result.damaged(error).failure}", stacklevel=4)
            continue
        for name, own in scores.by_metric():
            metric = reader.load(name)
            values = np.full(len(own), np.nan) if metric.pooled else case_values(own.statistics, metric)
            facts = (run.dataset, run.method, run.digest, result.spec.fold, result.spec.seed)
            yield dict(zip(COLUMNS, (*facts, *_keys(own, run), name, values), strict=True))


def _keys(own: MetricScores, run: MethodRun) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str | None]]:
    """Cases, subjects, classes and raters of the rows, by name."""
    raters, classes = list(run.description["rater_names"]), np.array(run.description["classes"], object)
    named = [None if rater == NOBODY else raters[rater] for rater in own.rater.tolist()]
    cases, subjects = np.array(own.cases, object), np.array(own.subjects, object)
    return cases[own.case], subjects[own.case], classes[own.label], named


def _components(run: MethodRun, reader: ScoreReader) -> Iterator[tuple[object, ...]]:
    for name, found in variability(run, reader).items():
        head = run.dataset, run.method, run.digest, name
        for source, one in found.sources.items():
            yield *head, source, one.variance, one.interval.low, one.interval.high, found.share(source), ""
        for source, reason in found.reasons.items():
            yield *head, source, np.nan, np.nan, np.nan, np.nan, reason


def _facts(run: MethodRun) -> dict[str, Any]:
    own = (run.dataset, run.method, run.origin, run.digest, run.samples, *run.cells, "; ".join(run.caveats), run.human)
    facts = dict(zip(FACTS, own, strict=True))
    return facts | dict(run.costs) | {f"option {name}": value for name, value in run.options.items()}
