"""Where do the raters' areas lie among the samples'? Rank histogram (Talagrand diagram) and its departure from flat."""

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.keyed import by_class
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.seeds import derive_noise


def ranks_of(samples: np.ndarray, raters: np.ndarray, noise: np.random.Generator) -> np.ndarray:
    """``(R,)`` how many of the areas ``(S,)`` are smaller than each of the areas ``(R,)``; ties at random."""
    # Areas are whole numbers: less than 1 orders equal ones, and no others.
    samples, raters = (areas + noise.random(len(areas)) for areas in (samples, raters))
    return (samples[:, None] < raters).sum(axis=0)


def expected_departure(s: int, r: int) -> float:
    """Expected sum over the S + 1 ranks of (count - R / (S + 1))^2, of a case whose areas are all draws of one kind.

    Two raters of a case have the same rank with chance 2 / (S + 2), as the second is drawn among S + 1 areas.
    """
    return r + 2 * r * (r - 1) / (s + 2) - r**2 / (s + 1)


def departure(total: np.ndarray) -> float:
    """Squared departure of a histogram from flat, over the expected one, from summed ``(S + 2,)``."""
    counts, expected = total[:-1], total[-1]
    return float(np.square(counts - counts.mean()).sum() / expected)


@metric(
    "rank_histogram_area",
    "departure of the rank histogram of the raters' areas among the samples' from flat, of a fold; expected 1 where "
    "both are draws of one kind",
    direction="neither",
    range=(0.0, float("inf")),
    needs="samples",
    applies=lambda tables, key: not tables.in_turn and bool(_areas(tables, key.label).any()),
    pooled=departure,
    table=False,
    citation="Talagrand et al. 1997; Candille and Talagrand 2005",
    empty="an empty mask has area 0, ranks among equal areas are drawn at random; missing where all masks are empty",
)
def score_rank_histogram_area(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """``(S + 2,)``: raters by how many samples are smaller, 0 to S, and the departure that is expected of the case.

    High at both ends: the samples' areas spread too little; high in the middle: too much; high at one end: they are too
    small or too large. A rank among equal areas is drawn by a seed hashed from the case's votes. Missing where samples
    take turns, and where all masks are empty: any rank would do.
    """
    if tables.in_turn:
        return {}
    s, r = len(tables.sample_rows), len(tables.truth_rows)

    def value(label: int) -> np.ndarray | None:
        areas = _areas(tables, label)
        if not areas.any():
            return None
        noise = derive_noise("rank_histogram_area", label, tables.votes.tobytes().hex())
        ranks = ranks_of(areas[:s], areas[s:], noise)
        return np.append(np.bincount(ranks, minlength=s + 1), expected_departure(s, r)).astype(float)

    return by_class(tables, tables.sample_rows, value)


def _areas(tables: CaseTables, label: int) -> np.ndarray:
    """``(S + R,)`` of the samples, then of the raters."""
    return tables.areas[label - 1, [*tables.sample_rows, *tables.truth_rows]]
