"""What the stored predictions of a cell say by themselves: no weights are needed.

Axis letters: S samples, R raters who are the truth, F = K - 1 foreground classes.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from mrbench.diagnostics.covering import RADIUS, covering_number
from mrbench.diagnostics.figures import Values
from mrbench.diagnostics.masks import distances, mean_of_pairs
from mrbench.diagnostics.names import COVERING, ENERGY, GAIN, MARGINAL, PEOPLE, TOTAL
from mrbench.interfaces.case_tables import CaseTables
from mrbench.metrics.counting import pack_masks


def stored_values(trials: Sequence[CaseTables]) -> Values:
    """The figures of the trials of one case, of the samples of the first one."""
    raters = np.stack([bits for _, bits in sorted(dict(chain(*map(_raters, trials))).items())])
    people = mean_of_pairs(distances(raters))
    samples = trials[0].kept_bits[: trials[0].n_samples]
    return {PEOPLE: (people, 1.0)} | (_of_samples(samples, raters, people) if len(samples) > 1 else {})


def _raters(tables: CaseTables) -> Iterator[tuple[int, np.ndarray]]:
    # Column and packed mask of those who are the truth: a fusion that leaves one rater out has a trial for each.
    yield from zip(tables.truth_raters.tolist(), tables.kept_bits[tables.truth_rows], strict=True)


def _of_samples(samples: np.ndarray, raters: np.ndarray, people: float) -> dict[str, tuple[float, float]]:
    s = len(samples)
    distance = distances(np.concatenate([samples, level_sets(samples), raters]))
    own, levels = distance[:s, :s], distance[s : 2 * s, s : 2 * s]
    energy = 2 * float(distance[:s, 2 * s :].mean()) - mean_of_pairs(own) - people
    # Without pairs of a set with itself on either side, samples that are nested are no better than their level sets.
    marginal = 2 * float(distance[s : 2 * s, 2 * s :].mean()) - mean_of_pairs(levels) - people
    return {
        TOTAL: (mean_of_pairs(own), 1.0),
        COVERING: (covering_number(own, RADIUS * people) if people > 0 else float("nan"), 1.0),
        ENERGY: (energy, 1.0),
        MARGINAL: (marginal, 1.0),
        GAIN: (energy - marginal, 1.0),
    }


def level_sets(samples: np.ndarray) -> np.ndarray:
    """``(S, F, bytes)``: the pixels that at least 1, 2, ... S of the packed samples mark, class by class.

    They have the samples' own mean at every pixel, and are nested: what is left of a set without its latent.
    """
    votes = np.unpackbits(samples, axis=-1).sum(axis=0, dtype=np.int64)  # (F, pixels)
    return pack_masks(votes >= np.arange(1, len(samples) + 1)[:, None, None])
