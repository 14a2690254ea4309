"""Exchanges of whole subjects: all of them where they are few, else random ones.

If two methods do equally well, the scores that a subject got from A could as well be those from B. Each way to let
some subjects change places then gives a difference that was as likely as the one that was found. The cases of a
subject move together, however much they resemble each other.

Axis letters: U subjects, T exchanges.
"""

from collections.abc import Iterator

import numpy as np

from mrbench.seeds import derive_noise
from mrbench.statistics.significance import Significance

EXCHANGES = 9999
"""Random ones; with fewer ways than that (13 subjects or fewer) every way is taken."""

_SAME = 1e-10
"""Relative: sums in another order differ by less."""


def enumerable(n_subjects: int, draws: int) -> bool:
    """Are there no more ways to exchange than draws, the one that changes nothing included?"""
    return n_subjects < 62 and 2**n_subjects <= draws + 1


def exchanges(n_subjects: int, draws: int, seed: int, *, block: int) -> Iterator[np.ndarray]:
    """``(block, U)`` float64, 1 for a subject that changes places; the size of a block changes no draw.

    All ``2**U`` ways where they are enumerable, else ``draws`` random ones.
    """
    if enumerable(n_subjects, draws):
        for start in range(0, 2**n_subjects, block):
            ways = np.arange(start, min(start + block, 2**n_subjects))
            yield (ways[:, None] >> np.arange(n_subjects) & 1).astype(np.float64)
        return
    noise, words = derive_noise("exchange", seed), -(-n_subjects // 64)
    for start in range(0, draws, block):
        bits = noise.integers(2**64, size=(min(block, draws - start), words), dtype=np.uint64)
        yield np.unpackbits(bits.view(np.uint8), axis=1)[:, :n_subjects].astype(np.float64)


def p_of_exchanges(observed: float, drawn: np.ndarray, n_subjects: int, draws: int) -> Significance:
    """Two-sided: the share of the exchanges that lie as far from 0 as what was observed.

    Random exchanges count the observed one among them, (b + 1) / (m + 1), so that p is never 0 and the test never
    rejects too often (Phipson & Smyth 2010). An exchange without a value counts as far.

    Args:
        observed: the statistic as it was found.
        drawn: ``(T,)`` the statistic under each exchange.
        n_subjects, draws: as for :func:`exchanges`.
    """
    far = int((~(np.abs(drawn) < abs(observed) * (1 - _SAME))).sum())
    if enumerable(n_subjects, draws):
        return Significance(far / len(drawn), n_subjects, observed, 2 / len(drawn), f"all {len(drawn):,} exchanges")
    p = (far + 1) / (len(drawn) + 1)
    return Significance(p, n_subjects, observed, 1 / (len(drawn) + 1), f"{len(drawn):,} random exchanges")
