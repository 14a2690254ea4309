"""What each source of noise does: draws with one named site drawn anew, and with all others drawn anew.

For squared distances these are the total-order and first-order indices of Sobol, by the estimators of Jansen (1999); of
1 - IoU, which is of negative type, they are the same shares of a generalised variance. Axis letters: S draws.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mrbench.diagnostics.drawn import Redraw, redrawn
from mrbench.diagnostics.masks import distances, mean_of_pairs
from mrbench.seeds import derive_seed

Distances = tuple[float, float, float]
"""Means: with one site alone redrawn, with all others redrawn, of two independent draws."""


def site_distances(draw: Redraw, base: np.ndarray, sites: Iterable[str], seed: int) -> dict[str, Distances]:
    """The distances of each site.

    Args:
        base: ``(S, F, bytes)``, what ``draw`` gives where nothing is redrawn; S = 1 says that nothing is random.
        sites: all that the answer draws from.
        seed: of the prediction; what is redrawn derives from it.
    """
    found: dict[str, Distances] = {}
    others = {site: derive_seed(seed, "redrawn", site) for site in sorted(sites)}
    for site in others if len(base) > 1 else ():
        alone = draw(redrawn({site: others[site]}))
        rest = draw(redrawn({name: value for name, value in others.items() if name != site}))
        found[site] = _mean_distances(base, alone, rest)
    return found


def _mean_distances(base: np.ndarray, alone: np.ndarray, rest: np.ndarray) -> Distances:
    n = len(base)
    distance = distances(np.concatenate([base, alone, rest]))
    one, others = (float(distance[:n, at : at + n].diagonal().mean()) for at in (n, 2 * n))
    return one, others, mean_of_pairs(distance[:n, :n])


def shares(found: Sequence[Mapping[str, Distances]]) -> dict[str, tuple[tuple[float, float], ...]]:
    """Total and first-order effect of each site, as what is counted and what it is a share of; means over answers."""
    means = {site: np.mean([one[site] for one in found], axis=0).tolist() for site in (found[0] if found else {})}
    return {site: ((alone, whole), (whole - rest, whole)) for site, (alone, rest, whole) in means.items()}
