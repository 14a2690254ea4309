"""Smaller sample budgets from one stored set of predictions: the first n samples of every case."""

from dataclasses import replace

import numpy as np

from mrbench.errors import UsageError
from mrbench.interfaces.case_tables import CaseTables
from mrbench.metrics.counting import count_votes, joint_histogram
from mrbench.metrics.tables import labelled


def first_samples(tables: CaseTables, n: int) -> CaseTables:
    """The tables that a prediction of n samples would have left: sample k is the same whatever S is.

    Intersections are a part of the stored ones, votes are counted again from the stored masks. The mean probability is
    known of all S samples alone: at n < S, metrics that need it are missing. Tables without samples stay as they are.

    Raises:
        UsageError: fewer than n samples are stored.
    """
    if n > tables.n_samples > 0:
        raise UsageError(
            f"cannot score the first {n} samples",
            expected=f"at most the S = {tables.n_samples} that are stored",
            hint=f"mrbench run --samples {n} draws more",
        )
    if n >= tables.n_samples:
        return tables
    rows = np.concatenate([np.arange(n), np.arange(tables.n_samples, tables.intersection.shape[1])])
    bits = tables.kept_bits[rows]
    return replace(
        tables,
        n_samples=n,
        intersection=tables.intersection[:, rows[:, None], rows],
        votes=_count_votes(bits, n, tables),
        soft=None,
        calibration=None,
        bits=lambda: bits,
    )


def _count_votes(bits: np.ndarray, n: int, tables: CaseTables) -> np.ndarray:
    raters = len(tables.truth)
    rows = np.concatenate([np.arange(n), np.arange(len(bits) - raters, len(bits))])
    counted = [count_votes(bits[rows, f], raters) for f in range(bits.shape[1])]
    return labelled([joint_histogram(votes, patterns, tables.pixels) for votes, patterns in counted], 4)
