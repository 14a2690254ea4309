"""What a command tests together: the family of its tests, tie groups, and folds of several comparisons."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from stored_runs import StoredCell, Values, cases, registry, store_run

from mrbench.comparison.pairs import pair
from mrbench.comparison.report import ComparisonReport
from mrbench.comparison.selection import parse_operand
from mrbench.engine.conditions import Conditions
from mrbench.metrics.protocol import STRICT
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Table
from mrbench.statistics import holm

Make = Callable[..., ComparisonReport]


def spread(shift: float, n: int = 12, seed: int = 0, metric: str = "ged") -> Values:
    """A value per subject, two cases each: the subject's own, the shift, and noise that differs by shift."""
    own, noise = np.random.default_rng(seed).random(n), np.random.default_rng(int(1000 * shift)).normal(0, 0.01, n)
    return cases(metric, *([x + shift + e, x + shift - e] for x, e in zip(own.tolist(), noise.tolist(), strict=True)))


@pytest.fixture
def compared(tmp_path: Path) -> Make:
    """Runs by name, compared."""

    def make(
        runs: dict[str, Sequence[StoredCell]], against: str = "", test: str = "exchange", **how: bool
    ) -> ComparisonReport:
        for name, cells in runs.items():
            store_run(tmp_path, name, *cells)
        found = pair([parse_operand(name, tmp_path) for name in runs], against, each=how.pop("each", False))
        return ComparisonReport.of(found, ScoreReader(registry(), STRICT), test, **how)

    return make


def letters_of(table: Table) -> dict[str, str]:
    return {row.label: row.values["ged"].letters for row in table.rows}


def cells(*methods: tuple[str, float], **spec: object) -> list[StoredCell]:
    return [StoredCell(method, spread(shift), spec={"samples": 50, **spec}) for method, shift in methods]


def test_all_p_of_a_command_are_corrected_together(compared: Make):
    found = compared({"r": cells(("proseg", 0.0), ("proseg-prior", 0.004), ("prob-unet", 0.3), ("staple", 0.1))})
    assert len(found.comparisons) == 3, "printed: the first with the others"
    assert found.tests == 3, "also the second with the third; staple, of S = 1, with none of S = 50"
    tested = [d for c in found.comparisons for d in c.differences if d.tests]
    uncorrected = [d.tests["exchange"].p for d in tested]
    assert all(p is not None for p in uncorrected)
    other = 2 / 4096  # of the pair that is not printed: 12 subjects that all agree
    assert [d.corrected["exchange"] for d in tested] == holm([*uncorrected, other])[:2]


def test_methods_that_are_not_told_apart_share_a_letter_and_bounds_have_none(compared: Make):
    found = compared({"r": cells(("proseg", 0.0), ("proseg-prior", 0.0), ("prob-unet", 0.3), ("staple", 0.1))})
    (table,) = found.tables
    assert letters_of(table) == {
        "proseg": "a", "proseg-prior": "a", "prob-unet": "b", "staple": "",
    }  # fmt: skip


def test_sample_metrics_have_letters_of_their_own_for_each_s(compared: Make):
    few = cells(("per-rater", 0.2), ("dpersona-1", 0.5), samples=4)
    (table,) = compared({"r": [*cells(("proseg", 0.0), ("proseg-prior", 0.0)), *few]}).tables
    assert letters_of(table) == {
        "proseg": "a", "proseg-prior": "a", "per-rater": "b", "dpersona-1": "c",
    }  # fmt: skip


def test_rows_of_one_name_are_told_apart_by_their_run(compared: Make):
    found = compared({
        "a": cells(("proseg", 0.0)), "b": cells(("proseg", 0.2), seed=0, prediction={"of": "b"}),
        "c": cells(("prob-unet", 0.1)),
    })  # fmt: skip
    assert [row.label for row in found.tables[0].rows] == ["proseg, run a", "proseg, run b", "prob-unet"]


def test_with_one_method_to_compare_with_there_are_fewer_tests_and_no_groups(compared: Make):
    found = compared({"r": cells(("proseg", 0.0), ("proseg-prior", 0.0), ("prob-unet", 0.3))}, "prob-unet")
    assert (found.tests, list(found.tables)) == (2, [])


def test_no_test_is_made_of_samples_of_unequal_number(compared: Make):
    found = compared({"r": [*cells(("proseg", 0.0)), *cells(("proseg-prior", 0.2), samples=4)]})
    ((difference,),) = [comparison.differences for comparison in found.comparisons]
    assert (difference.tests, difference.corrected, found.tests) == ({}, {}, 0)


def test_every_test_is_there_and_the_folds_have_theirs(compared: Make):
    by_fold = [
        StoredCell(m, spread(s + 0.01 * f), fold=f) for m, s in (("proseg", 0.0), ("prob-unet", 0.3)) for f in (0, 1)
    ]
    ((difference,),) = [c.differences for c in compared({"r": by_fold}).comparisons]
    assert list(difference.tests) == ["exchange", "signed-rank", "resampled-t", "sign"]
    assert difference.tests["exchange"].n == 12, "the same subjects in both folds"
    assert difference.tests["sign"].p == 0.5
    assert difference.tests["resampled-t"].reason == "the folds do not vary"
    assert difference.effect.rank_biserial == 1


def test_the_folds_of_several_runs_are_counted_together(compared: Make):
    def run(level: int) -> list[StoredCell]:
        spec = {"conditions": Conditions(raters_present=level)}
        return [
            StoredCell(m, spread(shift + 0.01 * fold), fold=fold, spec=spec)
            for m, shift in (("dpersona-1", 0.3), ("per-rater", 0.0))
            for fold in range(4)
        ]

    found = compared({f"level-{n}": run(n) for n in (1, 2, 3)}, "dpersona-1", each=True)
    (together,) = found.together
    assert (together.a, together.b, together.metric) == ("dpersona-1", "per-rater", "ged")
    assert (together.better, together.worse, together.n) == (12, 0, 12)
    assert together.test.p == pytest.approx(2 * 0.5**12), "12 of 12"


def test_mixed_data_are_shown_but_neither_tested_nor_grouped_with_others(compared: Make):
    runs = {
        "a": cells(("proseg", 0.0)), "b": cells(("proseg", 0.2), data_digest="e" * 64),
        "c": cells(("prob-unet", 0.1)),
    }  # fmt: skip
    found = compared(runs, allow_mixed=True)
    assert [bool(comparison.mixed) for comparison in found.comparisons] == [True, False]
    assert [[bool(d.tests) for d in c.differences] for c in found.comparisons] == [[False], [True]]
    assert letters_of(found.tables[0]) == {"proseg, run a": "a", "proseg, run b": "", "prob-unet": "b"}


def test_a_pair_that_differs_and_has_no_p_leaves_no_letters(compared: Make):
    twice = [StoredCell("prob-unet", spread(0.3), seed=seed) for seed in (0, 1)]
    found = compared({"r": [*cells(("proseg", 0.0), ("proseg-prior", 0.0)), *twice]})
    assert set(letters_of(found.tables[0]).values()) == {""}
    assert found.tables[0].notes == ("ged: no tie groups: unequal numbers of seeds cannot be exchanged",)
