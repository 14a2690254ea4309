"""What the values of a method run vary by: the variance components of its metrics, and how they are shown."""

from collections.abc import Mapping

from mrbench.results.method_run import MethodRun
from mrbench.results.numbers import short, short_interval
from mrbench.results.pairing import aligned
from mrbench.results.reader import ScoreReader
from mrbench.statistics.components import VarianceComponents, variance_components

HOW = (
    "standard deviation that each source gives, its 95 % interval and its share of the variance (method of moments, "
    "modified large-sample intervals); below 0: the estimate of the variance is negative, so that nothing tells the "
    "source from none"
)
"""What the components are, for a note below a table."""


def variability(run: MethodRun, reader: ScoreReader) -> dict[str, VarianceComponents]:
    """The components of every metric that the run has, by metric.

    Raises:
        IncompatibleError: scores that cannot be had under the reader's protocol.
    """
    found = {}
    for name, folds in reader.scores(run).folds.items():
        (tables,) = aligned([folds], reader.load(name), reader.protocol)
        if tables:
            found[name] = variance_components(tables, trained=run.trained)
    return found


def component_texts(found: VarianceComponents) -> Mapping[str, str]:
    """Each source in words: the standard deviation with its interval and its share, or why nothing is known."""
    texts = {}
    for source, one in found.sources.items():
        ends = short_interval(one.interval.low**0.5, one.interval.high**0.5)
        own = "below 0" if one.negative else short(max(one.variance, 0.0) ** 0.5)
        texts[source] = f"{own} [{ends}] {100 * found.share(source):.0f}%"
    return texts | dict(found.reasons)
