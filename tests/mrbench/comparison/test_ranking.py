"""Ranks per data set, and critical differences over blocks of all of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from stored_runs import StoredCell, cases, registry, store_run

from mrbench.comparison.pairs import pair_ranked
from mrbench.comparison.ranking import Blocks, Diagram, Ranking, rank
from mrbench.comparison.report import ComparisonReport
from mrbench.comparison.selection import parse_operand
from mrbench.metrics.protocol import STRICT
from mrbench.results.reader import ScoreReader
from mrbench.statistics import CriticalDifference

METHODS = (("proseg", 0.0), ("proseg-prior", 0.3), ("prob-unet", 0.6))

Rank = Callable[..., tuple[list[Ranking], list[Diagram]]]


@pytest.fixture
def ranked(tmp_path: Path) -> Rank:
    """Methods whose every subject is worse by a shift, ranked on some data sets."""

    def make(*datasets: str, n: int = 10, blocks: Blocks = "subjects") -> tuple[list[Ranking], list[Diagram]]:
        values = np.random.default_rng(0).random((2, n)).tolist()
        for dataset in datasets:
            cells = [
                StoredCell(method, cases("ged", *([v + shift] for v in values[fold])), fold=fold)
                for method, shift in METHODS
                for fold in (0, 1)
            ]
            store_run(tmp_path, f"run-{dataset}", *cells, dataset=dataset)
        pairing = pair_ranked([parse_operand(f"run-{dataset}", tmp_path) for dataset in datasets])
        compared = ComparisonReport.of(pairing, ScoreReader(registry(), STRICT), "exchange")
        return rank(compared.tables, compared.reader, blocks)

    return make


def test_methods_stand_best_first_with_ranks_intervals_and_groups(ranked: Rank):
    (ranking,), (diagram,) = ranked("phantom")
    assert [(one.row.label, one.row.values["ged"].letters) for one in ranking.methods] == [
        ("proseg", "a"), ("proseg-prior", "b"), ("prob-unet", "c"),
    ]  # fmt: skip
    assert [one.rank.mean for one in ranking.methods if one.rank] == [1, 2, 3]
    assert all(one.value.interval for one in ranking.methods)
    assert (ranking.samples, ranking.metric) == (50, "ged")
    assert isinstance(diagram.found, CriticalDifference)
    assert (diagram.found.ranks, diagram.found.blocks) == ((1, 2, 3), 10), "each subject stands in both folds"


def test_a_diagram_is_over_the_subjects_of_all_data_sets(ranked: Rank):
    rankings, (diagram,) = ranked("phantom", "lidc")
    assert [ranking.dataset for ranking in rankings] == ["phantom", "lidc"]
    assert isinstance(diagram.found, CriticalDifference)
    assert diagram.found.blocks == 20


def test_too_few_folds_leave_no_diagram_and_say_so(ranked: Rank):
    _, (diagram,) = ranked("phantom", "lidc", blocks="folds")
    assert diagram.found == "4 blocks: a critical difference needs 10"


def test_one_subject_leaves_no_ranks_and_says_so(ranked: Rank):
    (ranking,), (diagram,) = ranked("phantom", n=1)
    assert ranking.reason == "a fold has one subject: its spread cannot be known"
    assert [one.rank for one in ranking.methods] == [None] * 3
    assert diagram.found == "1 blocks: a critical difference needs 10"
