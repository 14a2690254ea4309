"""What the stored predictions of a cell say by themselves: no weights are needed.

Axis letters: S samples, R raters who are the truth.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from mrbench.diagnostics.figures import Values
from mrbench.diagnostics.masks import distances, mean_of_pairs
from mrbench.diagnostics.names import PEOPLE, TOTAL
from mrbench.interfaces.case_tables import CaseTables


def stored_values(trials: Sequence[CaseTables]) -> Values:
    """The figures of the trials of one case: how far the first one's samples are from each other, and the raters."""
    samples = trials[0].kept_bits[: trials[0].n_samples]
    raters = np.stack([bits for _, bits in sorted(dict(chain(*map(_raters, trials))).items())])
    return {
        TOTAL: (mean_of_pairs(distances(samples)) if len(samples) else float("nan"), 1.0),
        PEOPLE: (mean_of_pairs(distances(raters)), 1.0),
    }


def _raters(tables: CaseTables) -> Iterator[tuple[int, np.ndarray]]:
    # Column and packed mask of those who are the truth: a fusion that leaves one rater out has a trial for each.
    yield from zip(tables.truth_raters.tolist(), tables.kept_bits[tables.truth_rows], strict=True)
