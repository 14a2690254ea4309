"""Where do the raters' areas lie among the samples'? Rank histogram (Talagrand diagram) and its departure from flat."""

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.keyed import by_class
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.seeds import derive_noise

BINS = 10
"""B."""


def ranks_of(samples: np.ndarray, raters: np.ndarray, noise: np.random.Generator) -> np.ndarray:
    """``(R,)`` how many of the areas ``(S,)`` are smaller than each of the areas ``(R,)``; ties at random."""
    # Areas are whole numbers: less than 1 orders equal ones, and no others.
    samples, raters = (areas + noise.random(len(areas)) for areas in (samples, raters))
    return (samples[:, None] < raters).sum(axis=0)


def binned(ranks: np.ndarray, s: int, noise: np.random.Generator) -> np.ndarray:
    """``(B,)`` how many of the ranks ``(R,)`` among S samples lie in each of B equal parts; within a rank at random.

    So histograms of any S add up: of areas of one kind (rank + uniform) / (S + 1) is uniform.
    """
    places = (ranks + noise.random(len(ranks))) / (s + 1) * BINS
    return np.bincount(np.minimum(places.astype(int), BINS - 1), minlength=BINS)


def expected_departure(s: int, r: int) -> float:
    """Expected sum over the B parts of (count - R / B)^2, of a case whose areas are all draws of one kind.

    With M = S + 1 ranks, two raters have ranks i and j with chance 1 / (M (M + 1)), twice that where i = j, as the
    second is drawn among M areas. Of a rank's width a share lies in each part: in one part are both with the chance
    that follows.
    """
    ranks, parts = np.linspace(0, 1, s + 2), np.linspace(0, 1, BINS + 1)
    shared = np.minimum.outer(ranks[1:], parts[1:]) - np.maximum.outer(ranks[:-1], parts[:-1])  # (M, B)
    shares = (s + 1) * np.maximum(shared, 0)
    both = ((s + 1) ** 2 / BINS + np.square(shares).sum()) / ((s + 1) * (s + 2))
    return float(r * (1 - 1 / BINS) + r * (r - 1) * (both - 1 / BINS))


def departure(total: np.ndarray) -> float:
    """Squared departure of a histogram from flat, over the expected one, from summed ``(B + 1,)``."""
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
    """``(B + 1,)``: raters by the share of the samples that are smaller, in B parts, and the expected departure.

    High at both ends: the samples' areas spread too little; high in the middle: too much; high at one end: they are too
    small or too large. A rank among equal areas, and the place within a rank, are drawn by a seed hashed from the
    case's areas. Missing where samples take turns, and where all masks are empty: any rank would do.
    """
    if tables.in_turn:
        return {}
    s, r = len(tables.sample_rows), len(tables.truth_rows)

    def value(label: int) -> np.ndarray | None:
        areas = _areas(tables, label)
        if not areas.any():
            return None
        # Sorted, so that neither the order of the samples nor that of the raters matters.
        samples, raters = np.sort(areas[:s]), np.sort(areas[s:])
        noise = derive_noise("rank_histogram_area", label, *map(str, samples), "", *map(str, raters))
        counts = binned(ranks_of(samples, raters, noise), s, noise)
        return np.append(counts, expected_departure(s, r)).astype(float)

    return by_class(tables, tables.sample_rows, value)


def _areas(tables: CaseTables, label: int) -> np.ndarray:
    """``(S + R,)`` of the samples, then of the raters."""
    return tables.areas[label - 1, [*tables.sample_rows, *tables.truth_rows]]
