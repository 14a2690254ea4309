"""All that one command compares: tested together, and put into tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mrbench.comparison.differences import Comparison, check_something, compare
from mrbench.comparison.multiple_testing import corrected, size
from mrbench.comparison.pairs import Pairing
from mrbench.engine.result import Result
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.results.method_run import MethodRun
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Table, with_best, with_labels
from mrbench.results.ties import draws_for, lettered
from mrbench.statistics.over_folds import sign_test
from mrbench.statistics.significance import Significance


@dataclass(frozen=True, eq=False)
class AcrossRuns:
    """One metric of two methods over several runs or data sets.

    Attributes:
        better, worse: folds in which B is.
        n: folds, ties included.
        test: the sign test over them.
    """

    a: str
    b: str
    metric: str
    better: int
    worse: int
    n: int
    test: Significance


@dataclass(frozen=True, eq=False)
class ComparisonReport:
    """The comparisons of a command.

    Attributes:
        comparisons: of the pairs that are printed.
        tables: of methods with their tie groups; empty where not all pairs are tested.
        together: where the same two methods are compared several times.
        test: the name of the test that is shown.
        tests: how many tests its p is corrected for.
    """

    pairing: Pairing
    reader: ScoreReader
    comparisons: Sequence[Comparison]
    tables: Sequence[Table]
    together: Sequence[AcrossRuns]
    test: str
    tests: int

    @classmethod
    def of(cls, pairing: Pairing, reader: ScoreReader, test: str, *, allow_mixed: bool = False) -> "ComparisonReport":
        """Compares and tests all pairs.

        Raises:
            IncompatibleError: other data or splits, or nothing in common.
            UnknownNameError: a metric that is not installed.
            DataError: a file that cannot be read.
        """
        draws = draws_for(sum(len(reader.metrics(pair.a)) for pair in pairing.tested))
        found = [compare(pair, reader, draws=draws, allow_mixed=allow_mixed) for pair in pairing.tested]
        everything = corrected(found)
        check_something(everything)
        shown = everything[: len(pairing.pairs)]
        tables = _tables(everything, reader) if pairing.grouped else []
        return cls(pairing, reader, shown, tables, together(shown), test, size(everything, test))

    @property
    def protocol(self) -> ScoringProtocol:
        """The scoring protocol of all."""
        return self.reader.protocol

    @property
    def results(self) -> list[Result]:
        """The cells of all methods, of those left out too."""
        compared = (run for pair in self.pairing.tested for run in (pair.a, pair.b))
        runs = [*(self.reader.scores(run).run for run in compared), *self.pairing.left]
        return [result for run in runs for result in run.results]


def _tables(comparisons: Sequence[Comparison], reader: ScoreReader) -> list[Table]:
    """A table per data set of all method runs of the comparisons, with their tie groups."""
    runs: dict[str, list[MethodRun]] = {}
    for comparison in comparisons:
        own = runs.setdefault(comparison.a.dataset, [])
        own += [run for run in (comparison.a, comparison.b) if run not in own]
    return [_table(own, reader) for own in runs.values()]


def _table(runs: Sequence[MethodRun], reader: ScoreReader) -> Table:
    rows = [reader.row(run) for run in runs]
    shown = {n: record for n, record in reader.records(runs[0]).items() if any(n in row.values for row in rows)}
    rows, spec = with_best(with_labels(rows), shown), runs[0].spec
    table = Table(spec.domain, runs[0].description, spec.data_settings, reader.protocol.name, shown, rows)
    return lettered(table, reader)


def together(comparisons: Sequence[Comparison]) -> list[AcrossRuns]:
    """The folds of all comparisons of the same two methods, per metric that has a direction."""
    found: dict[tuple[str, str, str], list[int]] = {}
    times: dict[tuple[str, str], int] = {}
    for comparison in comparisons:
        methods = comparison.a.method, comparison.b.method
        times[methods] = times.get(methods, 0) + 1
        for metric, signs in _signs(comparison).items():
            found.setdefault((*methods, metric), []).extend(signs)
    return [_counted(*place, signs) for place, signs in found.items() if times[place[:2]] > 1]


def _signs(comparison: Comparison) -> Mapping[str, list[int]]:
    return {
        d.metric: [1] * d.folds.better + [0] * d.folds.ties + [-1] * (d.folds.n - d.folds.better - d.folds.ties)
        for d in comparison.differences
        if d.folds and d.tests
    }


def _counted(a: str, b: str, metric: str, signs: Sequence[int]) -> AcrossRuns:
    better, worse = signs.count(1), signs.count(-1)
    return AcrossRuns(a, b, metric, better, worse, len(signs), sign_test(better, worse))
