"""From values of the classes, and raters, of a case to statistics by key."""

from collections.abc import Callable, Mapping

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Overlaps, Predictions
from mrbench.interfaces.metric import Key

Value = float | np.ndarray
"""Of one key: a number, or statistics of any shape that are taken as one vector."""


def by_class(tables: CaseTables, rows: np.ndarray, value: Callable[[int], Value | None]) -> dict[Key, np.ndarray]:
    """``{Key(label): (L,)}`` of each class; nothing where its value is None.

    Args:
        rows: of what is scored; without any, or without raters, there are no statistics.
        value: of a class.
    """
    if len(rows) == 0 or len(tables.truth_rows) == 0:
        return {}
    values = {Key(label): value(label) for label in tables.labels}
    return {key: _vector(found) for key, found in values.items() if found is not None}


def by_rater(
    tables: CaseTables, rows: np.ndarray, values: Callable[[int], Mapping[int, Value]]
) -> dict[Key, np.ndarray]:
    """``{Key(label, rater): (L,)}`` from the values of a class by rater; ``rows`` as in :func:`by_class`."""
    if len(rows) == 0 or len(tables.truth_rows) == 0:
        return {}
    return {Key(label, rater): _vector(value) for label in tables.labels for rater, value in values(label).items()}


def of_overlaps(
    tables: CaseTables, predictions: Predictions, value: Callable[[Overlaps], float | None]
) -> dict[Key, np.ndarray]:
    """:func:`by_class` from the overlaps of a set of S predictions with the R raters."""
    rows = predictions.rows
    return by_class(tables, rows, lambda label: value(tables.overlaps(label, rows)))


def one_per_rater(tables: CaseTables) -> Predictions:
    """The set with one prediction per rater, draw 0; no rows unless every rater has one.

    Of a consensus-only method, its output once per rater.
    """
    found = tables.rater_set
    return found if tables.predicts_every_rater else found._replace(rows=found.rows[:0])


def _vector(value: Value) -> np.ndarray:
    return value.ravel() if isinstance(value, np.ndarray) else np.array([value])
