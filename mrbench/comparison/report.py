"""All that one command compares, and its methods as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mrbench.comparison.differences import Comparison, check_something, compare
from mrbench.comparison.multiple_testing import corrected
from mrbench.comparison.pairs import Pairing
from mrbench.engine.result import Result
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.results.baselines import with_floor
from mrbench.results.method_run import MethodRun
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Table, with_best, with_labels
from mrbench.results.ties import lettered
from mrbench.results.variability import variability
from mrbench.statistics.components import VarianceComponents


@dataclass(frozen=True, eq=False)
class ComparisonReport:
    """The comparisons of a command.

    Attributes:
        tables: of methods with their tie groups, where they were asked for.
        components: of the values of each method run, by metric, where they were asked for.
    """

    pairing: Pairing
    reader: ScoreReader
    comparisons: Sequence[Comparison]
    tables: Sequence[Table]
    components: Sequence[tuple[MethodRun, Mapping[str, VarianceComponents]]] = ()

    @classmethod
    def of(
        cls,
        pairing: Pairing,
        reader: ScoreReader,
        *,
        allow_mixed: bool = False,
        letters: bool = False,
        components: bool = False,
    ) -> "ComparisonReport":
        """Compares all pairs.

        Raises:
            IncompatibleError: other data or splits; without letters, of all pairs, nothing in common.
            UnknownNameError: a metric that is not installed.
            DataError: a file that cannot be read.
        """
        found = corrected([compare(pair, reader, allow_mixed=allow_mixed) for pair in pairing.pairs])
        if not letters:
            check_something(found)
        runs = [run for own in _runs(found).values() for run in own] if components else []
        parts = [(run, variability(run, reader)) for run in runs]
        return cls(pairing, reader, found, _tables(found, reader) if letters else [], parts)

    @property
    def protocol(self) -> ScoringProtocol:
        """The scoring protocol of all."""
        return self.reader.protocol

    @property
    def results(self) -> list[Result]:
        """The cells of all methods."""
        compared = (run for pair in self.pairing.pairs for run in (pair.a, pair.b))
        return [result for run in compared for result in self.reader.scores(run).run.results]


def _tables(comparisons: Sequence[Comparison], reader: ScoreReader) -> list[Table]:
    """A table per data set of all method runs of the comparisons, with their tie groups."""
    return [_table(own, reader) for own in _runs(comparisons).values()]


def _runs(comparisons: Sequence[Comparison]) -> dict[str, list[MethodRun]]:
    """All method runs of the comparisons, each once, by data set."""
    runs: dict[str, list[MethodRun]] = {}
    for comparison in comparisons:
        own = runs.setdefault(comparison.a.dataset, [])
        own += [run for run in (comparison.a, comparison.b) if run not in own]
    return runs


def _table(runs: Sequence[MethodRun], reader: ScoreReader) -> Table:
    rows = [reader.row(run) for run in runs]
    shown = {n: card for n, card in reader.records(runs[0]).items() if any(n in row.values for row in rows)}
    rows, spec = with_best(with_labels(with_floor(rows, shown)), shown), runs[0].spec
    table = Table(spec.domain, runs[0].description, spec.data_settings, reader.protocol.name, shown, rows)
    return lettered(table, reader)
