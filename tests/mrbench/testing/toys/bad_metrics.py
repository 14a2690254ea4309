"""A metric that is right, and what makes it wrong."""

import numpy as np

from mrbench import MRBENCH_API, Key, metric  # noqa: F401

FACTS = {"direction": "higher", "range": (0, 1), "needs": "samples"}
SHAPES = ("full", "two-classes", "samples", "raters", "consensus", "one-sample", "missing", "one-rater", "unmarked",
          "one-unmarked", "empty", "nothing", "no-class", "volume")  # fmt: skip


def dice(tables, label):
    """``(S, R)``, 1 where both mark nothing."""
    shared, areas = tables.intersection[label - 1], tables.areas[label - 1]
    total = areas[tables.sample_rows][:, None] + areas[tables.truth_rows]
    both = shared[np.ix_(tables.sample_rows, tables.truth_rows)]
    return np.where(total > 0, 2 * both / np.maximum(total, 1), 1.0)


def by_class(tables, value):
    if not len(tables.sample_rows) or not len(tables.truth_rows):
        return {}
    return {Key(label): np.array([value(label)]) for label in tables.labels}


@metric("overlap", "mean Dice of samples and raters", **FACTS)
def overlap(tables, protocol):
    """Mean Dice of samples and raters."""
    return by_class(tables, lambda label: dice(tables, label).mean())


def fails_on(name):
    def function(tables, protocol):
        from mrbench.testing.stored import SHAPES, tables_of

        (shape,) = [shape for shape in SHAPES if shape.name == name]
        if np.array_equal(tables.intersection, tables_of(shape).intersection):
            raise ZeroDivisionError("no value for such a table")
        return overlap(tables, protocol)

    function.__name__ = f"fails_on_{name.replace('-', '_')}"
    return metric(f"fails-on-{name}", "fails on one kind of table", **FACTS)(function)


for _shape in SHAPES:
    _metric = fails_on(_shape)
    globals()[_metric.__name__] = _metric


@metric("divides-by-marks", "0 / 0 where a rater marks nothing", **FACTS)
def divides_by_marks(tables, protocol):
    def value(label):
        with np.errstate(all="ignore"):
            return dice(tables, label).mean() * np.float64(0) / tables.areas[label - 1][tables.truth_rows].sum()

    return by_class(tables, value)


@metric("out-of-range", "twice the value", **FACTS)
def out_of_range(tables, protocol):
    return by_class(tables, lambda label: 2 * dice(tables, label).mean())


@metric("no-key", "numbers in place of keys", **FACTS)
def no_key(tables, protocol):
    return {key.label: value for key, value in overlap(tables, protocol).items()}


@metric("one-each", "a number per prediction", **FACTS)
def one_each(tables, protocol):
    return {key: np.repeat(value, tables.n_predicted) for key, value in overlap(tables, protocol).items()}


@metric("never", "no value", **FACTS)
def never(tables, protocol):
    return {}


@metric("zero", "0 where it does not apply", **FACTS)
def zero(tables, protocol):
    return overlap(tables, protocol) or {Key(1): np.zeros(1)}


@metric("backwards", "the wrong direction", **FACTS)
def backwards(tables, protocol):
    return by_class(tables, lambda label: 1 - dice(tables, label).mean())


@metric("first-sample", "of the first sample", **FACTS)
def first_sample(tables, protocol):
    return by_class(tables, lambda label: dice(tables, label)[0].mean())


@metric("first-rater", "of the first rater", **FACTS)
def first_rater(tables, protocol):
    return by_class(tables, lambda label: dice(tables, label)[:, 0].mean())


calls = []


@metric("counts", "depends on how often it was asked", **FACTS)
def counts(tables, protocol):
    calls.append(tables)
    return by_class(tables, lambda label: dice(tables, label).mean() / (1 + 1e-3 * len(calls)))


@metric("writes", "changes the tables", **FACTS)
def writes(tables, protocol):
    found = overlap(tables, protocol)
    tables.soft[:] = 0
    return found


@metric("seeds-globally", "sets the global generator", **FACTS)
def seeds_globally(tables, protocol):
    np.random.seed(0)
    return overlap(tables, protocol)
