"""A metric that is right, and what makes it wrong."""

import numpy as np

from mrbench import Metric
from mrbench.interfaces.metric import Key
from mrbench.testing.stored import SHAPES, tables_of


class Overlap(Metric):
    """Mean Dice of samples and raters, 1 where both mark nothing."""

    def statistics(self, tables, protocol):
        if not len(tables.sample_rows) or not len(tables.truth_rows):
            return {}
        return {Key(label): np.array([self.value(tables, label)]) for label in tables.labels}

    def value(self, tables, label):
        return float(self.dice(tables, label).mean())

    def dice(self, tables, label):
        shared, areas = tables.intersection[label - 1], tables.areas[label - 1]
        total = areas[tables.sample_rows][:, None] + areas[tables.truth_rows]
        both = shared[np.ix_(tables.sample_rows, tables.truth_rows)]
        return np.where(total > 0, 2 * both / np.maximum(total, 1), 1.0)


class FailsOn(Overlap):
    """Fails on one kind of table, by the shape in the name of the class."""

    shape = ""

    def statistics(self, tables, protocol):
        (shape,) = [shape for shape in SHAPES if shape.name == self.shape]
        if np.array_equal(tables.intersection, tables_of(shape).intersection):
            raise ZeroDivisionError("no value for such a table")
        return super().statistics(tables, protocol)


for _shape in SHAPES:
    globals()[f"FailsOn_{_shape.name.replace('-', '_')}"] = type("FailsOnOne", (FailsOn,), {"shape": _shape.name})


class DividesByMarks(Overlap):
    def value(self, tables, label):
        with np.errstate(all="ignore"):
            return super().value(tables, label) * np.float64(0) / tables.areas[label - 1][tables.truth_rows].sum()


class OutOfRange(Overlap):
    def value(self, tables, label):
        return 2 * super().value(tables, label)


class NoKey(Overlap):
    def statistics(self, tables, protocol):
        return {key.label: value for key, value in super().statistics(tables, protocol).items()}


class OneEach(Overlap):
    def statistics(self, tables, protocol):
        own = super().statistics(tables, protocol)
        return {key: np.repeat(value, tables.n_predicted) for key, value in own.items()}


class Never(Overlap):
    def statistics(self, tables, protocol):
        return {}


class Zero(Overlap):
    def statistics(self, tables, protocol):
        return super().statistics(tables, protocol) or {Key(1): np.zeros(1)}


class Backwards(Overlap):
    def value(self, tables, label):
        return 1 - super().value(tables, label)


class FirstSample(Overlap):
    def value(self, tables, label):
        return float(self.dice(tables, label)[0].mean())


class FirstRater(Overlap):
    def value(self, tables, label):
        return float(self.dice(tables, label)[:, 0].mean())


class Counts(Overlap):
    calls = 0

    def value(self, tables, label):
        self.calls += 1
        return super().value(tables, label) / (1 + 1e-3 * self.calls)


class Writes(Overlap):
    def statistics(self, tables, protocol):
        found = super().statistics(tables, protocol)
        tables.soft[:] = 0
        return found


class SeedsGlobally(Overlap):
    def statistics(self, tables, protocol):
        np.random.seed(0)
        return super().statistics(tables, protocol)
