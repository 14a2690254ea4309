"""What a command tests together: the family of its tests, and tie groups."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from stored_runs import StoredCell, Values, cases, registry, store_run

from mrbench.comparison.pairs import pair
from mrbench.comparison.report import ComparisonReport
from mrbench.comparison.selection import parse_operand
from mrbench.metrics.protocol import STRICT
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Table
from mrbench.statistics import holm

Make = Callable[..., ComparisonReport]


def spread(shift: float, n: int = 12, seed: int = 0, metric: str = "ged") -> Values:
    """A value per subject, two cases each: the subject's own, the shift, and noise that differs by shift and seed."""
    own = np.random.default_rng(0).random(n)
    noise = np.random.default_rng([int(1000 * shift), seed]).normal(0, 0.01, n)
    return cases(
        metric, *([x + shift + e, x + shift - e / 2] for x, e in zip(own.tolist(), noise.tolist(), strict=True))
    )


@pytest.fixture
def compared(tmp_path: Path) -> Make:
    """Runs by name, compared."""

    def make(runs: dict[str, Sequence[StoredCell]], against: str = "", **how: bool) -> ComparisonReport:
        for name, cells in runs.items():
            store_run(tmp_path, name, *cells)
        found = pair([parse_operand(name, tmp_path) for name in runs], against, each=how.pop("each", False))
        return ComparisonReport.of(found, ScoreReader(registry(), STRICT), **how)

    return make


def letters_of(table: Table) -> dict[str, str]:
    return {row.label: row.values["ged"].letters for row in table.rows}


def cells(*methods: tuple[str, float], **spec: object) -> list[StoredCell]:
    """Two seeds of each."""
    return [
        StoredCell(method, spread(shift, seed=seed), seed=seed, spec={"samples": 50, **spec})
        for method, shift in methods
        for seed in (0, 1)
    ]


def test_p_is_corrected_within_a_question(compared: Make):
    both = [
        StoredCell(
            one.method, {case: {**own, "dice_max": own["ged"]} for case, own in one.values.items()}, seed=one.seed
        )
        for one in cells(("proseg", 0.0), ("dpersona-1", 0.004), ("prob-unet", 0.01))
    ]
    found = compared({"r": both})
    for metric in ("ged", "dice_max"):
        asked = [d for c in found.comparisons for d in c.differences if d.metric == metric]
        assert [d.corrected for d in asked] == holm([d.estimate.p for d in asked])


def test_letters_are_there_when_asked_for_and_bounds_have_none(compared: Make):
    runs = {"r": cells(("proseg", 0.0), ("dpersona-1", 0.0), ("prob-unet", 0.3), ("staple", 0.1))}
    found = compared(runs, letters=True)
    (table,) = found.tables
    assert letters_of(table) == {"proseg": "a", "dpersona-1": "a", "prob-unet": "b", "staple": ""}


def test_nobody_asks_for_letters_by_default(compared: Make):
    assert compared({"r": cells(("proseg", 0.0), ("prob-unet", 0.3))}).tables == []


def test_sample_metrics_have_letters_of_their_own_for_each_s(compared: Make):
    few = cells(("per-rater", 0.2), ("dpersona-1", 0.5), samples=4)
    (table,) = compared({"r": [*cells(("proseg", 0.0), ("pionono", 0.0)), *few]}, letters=True).tables
    assert letters_of(table) == {"proseg": "a", "pionono": "a", "per-rater": "b", "dpersona-1": "c"}


def test_rows_of_one_name_are_told_apart_by_their_run(compared: Make):
    found = compared({
        "a": cells(("proseg", 0.0)), "b": cells(("proseg", 0.2), prediction={"of": "b"}),
        "c": cells(("prob-unet", 0.1)),
    }, letters=True)  # fmt: skip
    assert [row.label for row in found.tables[0].rows] == ["proseg, run a", "proseg, run b", "prob-unet"]


def test_no_test_is_made_of_samples_of_unequal_number(compared: Make):
    found = compared({"r": [*cells(("proseg", 0.0)), *cells(("prob-unet", 0.2), samples=4)]})
    ((difference,),) = [comparison.differences for comparison in found.comparisons]
    assert (difference.estimate.p, difference.corrected, difference.better) == (None, None, None)


def test_mixed_data_are_shown_but_neither_tested_nor_grouped_with_others(compared: Make):
    runs = {
        "a": cells(("proseg", 0.0)), "b": cells(("proseg", 0.2), data_digest="e" * 64),
        "c": cells(("prob-unet", 0.1)),
    }  # fmt: skip
    found = compared(runs, allow_mixed=True, letters=True)
    assert [bool(comparison.mixed) for comparison in found.comparisons] == [True, False]
    assert [[d.corrected is None for d in c.differences] for c in found.comparisons] == [[True], [False]]
    assert letters_of(found.tables[0]) == {"proseg, run a": "a", "proseg, run b": "", "prob-unet": "b"}


def test_one_seed_leaves_no_letters_and_says_why(compared: Make):
    once = [StoredCell("prob-unet", spread(0.3))]
    found = compared({"r": [*cells(("proseg", 0.0), ("dpersona-1", 0.0)), *once]}, letters=True)
    assert set(letters_of(found.tables[0]).values()) == {""}
    assert found.tables[0].notes[0].startswith("ged: no tie groups: one seed")
