from collections.abc import Sequence

import numpy as np
import pytest
from ragged_scores import RATIO, VALUE

from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.protocol import PUBLISHED, STRICT, ScoringProtocol
from mrbench.metrics.scores import ScoreCollector
from mrbench.statistics.all_pairs import pair_p_values
from mrbench.statistics.bootstrap import Folds
from mrbench.statistics.permutation import exchange_test
from mrbench.statistics.subjects import SubjectTable, subject_table


def folds_of(seed: int, shift: float, protocol: ScoringProtocol, metric: Metric | None = None, seeds: int = 2) -> Folds:
    """Two folds that share subjects, two classes, two raters of whom one misses a case, unequal cases per subject."""
    random = np.random.default_rng(seed)
    names = [f"s{n}" for n in range(16)]
    folds = {}
    for fold in (0, 1):
        places = [(s, c, k, r) for n, s in enumerate(names[4 * fold : 12 + 4 * fold]) for c in range(1 + n % 3)
                  for k in (1, 2) for r in (0, 1) if (n, r) != (3, 1)]  # fmt: skip
        folds[fold] = [table_of(random, places, shift, protocol, metric or VALUE) for _ in range(seeds)]
    return folds


def table_of(
    random: np.random.Generator,
    places: Sequence[tuple[str, int, int, int]],
    shift: float,
    protocol: ScoringProtocol,
    metric: Metric,
) -> SubjectTable:
    """A value for each subject, case, class and rater."""
    scores = ScoreCollector()
    for s, c, k, r in places:
        scores.append(f"{s}-{c}", s, {("m", Key(k, r)): np.array([random.normal(shift * k, 1)])})
    return subject_table(scores.scores().of("m"), metric, protocol)


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda p: p.name)
def test_every_pair_has_the_p_of_the_exchange_test(protocol: ScoringProtocol):
    methods = [folds_of(seed, 0.3 * seed, protocol) for seed in range(4)]
    found = pair_p_values(methods, draws=999)
    assert isinstance(found, dict)
    assert len(found) == 6
    for (one, other), p in found.items():
        expected = exchange_test(methods[one], methods[other], draws=999)
        assert p == pytest.approx(expected.p, abs=1e-12)


def test_what_cannot_be_exchanged_says_why():
    plain = folds_of(0, 0, STRICT)
    assert "pooled" in pair_p_values([plain, folds_of(1, 0, STRICT, RATIO)])
    assert "seeds" in pair_p_values([plain, folds_of(1, 0, STRICT, seeds=1)])
    assert "seeds" in pair_p_values([plain, {0: plain[0]}])
