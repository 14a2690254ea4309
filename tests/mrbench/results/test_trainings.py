"""Trainings to doubt: those that were cut short, and those that learned nothing."""

from pathlib import Path

import numpy as np
import pytest
from rows_by_hand import result_of, run_of
from stored_runs import StoredCell, registry, store_run, vouch_again

from mrbench.engine.fit import Curve as Written
from mrbench.metrics.protocol import STRICT
from mrbench.results.curves import Curve
from mrbench.results.method_run import runs_of
from mrbench.results.tabulate import tabulate
from mrbench.results.trainings import cut_short, failed_trainings, is_improving, misses_everything


def curve(losses):
    return Curve(tuple(range(1, len(losses) + 1)), tuple(losses), tuple(losses))


def test_a_loss_that_falls_steadily_is_still_improving_and_one_that_has_settled_is_not():
    falling = [1 - 0.01 * epoch for epoch in range(30)]
    assert is_improving(curve(falling))
    assert not is_improving(curve([1 / (1 + epoch) if epoch < 15 else 1 / 16 for epoch in range(30)]))
    assert not is_improving(curve(list(reversed(falling))))


def test_the_gain_of_the_last_tenth_is_weighed_against_the_scatter_of_the_second_half():
    # Twenty epochs: the last two against eighteen. Successive differences of the second half are 0 but for the last
    # one, -g: the scatter is g / sqrt(18), and the gain g.
    settled = [1.0] * 19
    assert is_improving(curve([*settled, 0.9]))
    # Differences of +-.2 in the second half: scatter .2 / sqrt(2) = .141.
    noisy = [0.8 if epoch % 2 else 1.0 for epoch in range(19)]
    assert not is_improving(curve([*noisy, 0.7]))
    assert is_improving(curve([*noisy, 0.3]))


def test_chance_alone_seldom_looks_like_improvement():
    rng = np.random.default_rng(0)
    flagged = [is_improving(curve(1 + 0.1 * rng.normal(size=100))) for _ in range(1000)]
    assert np.mean(flagged) < 0.01


def test_too_few_epochs_or_no_validation_say_nothing():
    assert not is_improving(curve([1.0 - 0.1 * epoch for epoch in range(9)]))
    assert not is_improving(Curve((1, 2), (1.0, 0.5), ()))
    assert cut_short([]) == ()
    assert cut_short([{"main": Curve((1, 2), (1.0, 0.5), ())}]) == ()


def test_a_row_is_under_trained_where_half_of_its_trainings_are_in_any_stage():
    falling, settled = curve([1 - 0.01 * n for n in range(30)]), curve([0.5] * 30)
    assert cut_short([{"one": settled, "two": falling}, {"one": settled}]) == (
        "under-trained: validation still improving at the end of 1 of 2 trainings",
    )
    assert cut_short([{"one": falling}, {"one": settled}, {"one": settled}]) == ()


@pytest.mark.parametrize("keep", ["best", "last"])
def test_a_run_folder_says_so_whatever_weights_were_kept(tmp_path: Path, keep: str):
    run = store_run(tmp_path, "r", StoredCell("proseg", spec={"options": {"keep": keep}}))
    folder = run.cells[0][0].folder(tmp_path)
    rows = [{"stage": "one", "epoch": n, "train/total": 1.0, "validation/total": 1 - 0.01 * n} for n in range(20)]
    Written(rows).write(folder / "curves.csv")
    vouch_again(folder)
    (found,) = runs_of(run)
    assert "under-trained: validation still improving at the end of 1 of 1 trainings" in found.caveats


def test_a_damaged_curve_says_nothing_and_stops_nothing(tmp_path: Path):
    run = store_run(tmp_path, "r", StoredCell("proseg"))
    folder = run.cells[0][0].folder(tmp_path)
    (folder / "curves.csv").write_text("stage,epoch\n")
    vouch_again(folder)
    (found,) = runs_of(run)
    assert not any(caveat.startswith("under-trained") for caveat in found.caveats)


def square(at, size=3):
    mask = np.zeros((8, 8), np.float32)
    mask[at : at + size, at : at + size] = 1
    return mask


EMPTY = np.zeros((8, 8), np.float32)


@pytest.mark.parametrize(
    ("samples", "raters", "failed"),
    [
        ([EMPTY, EMPTY], {}, 1),
        ([], {0: EMPTY, 1: EMPTY}, 1),
        ([square(5), EMPTY], {}, 1),
        ([square(0), EMPTY], {}, 0),
        ([], {0: EMPTY, 1: square(2)}, 0),
        ([EMPTY], {0: square(0), 1: square(0)}, 0),
    ],
)
def test_a_training_failed_where_nothing_that_it_predicts_lies_on_a_mask(tmp_path: Path, samples, raters, failed):
    masks = np.stack([square(0), square(1)])
    gives = {"capabilities": (*(("diverse",) if samples else ()), *(("personal",) if raters else ()))}
    cell = StoredCell(
        "proseg", drawn={"s, 0": (masks, samples, raters)}, spec=gives | {"samples": max(len(samples), 1)}
    )
    run = store_run(tmp_path, "r", cell)
    (found,) = runs_of(run)
    assert found.failed_trainings == failed
    (table,) = tabulate([found], registry(), STRICT)
    assert table.rows[0].failed == table.to_pandas()["row"]["failed"].iloc[0] == failed


def test_empty_masks_that_are_predicted_empty_are_no_failure(tmp_path: Path):
    cell = StoredCell("proseg-prior", drawn={"s, 0": (np.stack([EMPTY, EMPTY]), [EMPTY], {})}, spec={"samples": 1})
    (found,) = runs_of(store_run(tmp_path, "r", cell))
    assert found.failed_trainings == 0


def test_a_failed_training_counts_with_what_it_predicts():
    values = [{"dice_max": 0.8, "ged_pa": 0.3}, {"dice_max": 0.0, "ged_pa": 1.0}]
    run = run_of(*(result_of("proseg-prior", 0, seed, metrics=own) for seed, own in enumerate(values)))
    (table,) = tabulate([run], registry(), STRICT)
    assert table.rows[0].values["dice_max"].mean == pytest.approx(0.4)
    assert (table.rows[0].failed, table.rows[0].cells) == (1, (2, 2))


def test_what_is_not_trained_cannot_fail():
    nothing = {"dice_max": 0.0, "ged_pa": 1.0}
    assert misses_everything(nothing)
    assert failed_trainings([result_of("majority-vote", metrics=nothing)]) == 0
    assert not misses_everything({"dice_max": 0.0})
    assert not misses_everything({})
