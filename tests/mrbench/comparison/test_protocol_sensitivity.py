"""What each variant shifts, on masks whose numbers are known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from stored_runs import StoredCell, cases, registry, store_run

from mrbench.comparison.protocol_sensitivity import Shift, sensitivity
from mrbench.comparison.protocol_variants import variants
from mrbench.comparison.selection import parse_operand
from mrbench.errors import IncompatibleError, UsageError
from mrbench.results.table import Value

ALL_VARIANTS = ("empty", "soft", "matching", "reduction", "spread", "published")


def square(side: int, size: int = 16, inside: float = 1.0) -> np.ndarray:
    """A square anchored at row 2, column 2."""
    mask = np.zeros((size, size), np.float32)
    mask[2 : 2 + side, 2 : 2 + side] = inside
    return mask


def squares(*sides: int) -> np.ndarray:
    return np.stack([square(side) for side in sides])


@dataclass(frozen=True)
class Shown:
    """A metric of a method: its value under ``strict``, and what each variant does to it."""

    strict: Value
    shifts: dict[str, Shift]


def found(results: Path, metric: str, *cells: StoredCell, samples: tuple[int, ...] = ()) -> dict[str, Shown]:
    store_run(results, "r", *cells)
    (dataset,) = sensitivity(parse_operand("r", results), registry(), variants(samples), (metric,))
    return {
        row.method: Shown(row.values[metric], {name: of_rows[n] for name, of_rows in table.shifts.items()})
        for table in dataset.tables
        for n, row in enumerate(table.rows)
    }


def changes(row: Shown) -> dict[str, float]:
    return {name: shift.change for name, shift in row.shifts.items() if shift.change is not None}


ONE_EMPTY = {"s, 0": (squares(0, 2, 4, 6), [square(side) for side in (2, 4, 6, 8)], {})}
"""Golden case D: ged 0.125 under strict, 0.0625 under published; soft Dice 0.88 under published."""


def test_empty_masks_move_the_distance_as_the_golden_values_say(tmp_path: Path):
    row = found(tmp_path, "ged", StoredCell("proseg-prior", drawn=ONE_EMPTY))["proseg-prior"]
    assert row.strict.mean == pytest.approx(0.125)
    assert changes(row) == {"empty": pytest.approx(-0.0625, abs=1e-6), "published": pytest.approx(-0.0625, abs=1e-6)}


def test_probabilities_instead_of_votes_move_soft_dice_alone(tmp_path: Path):
    # Both samples mark the square at .6: votes 1 exceed all thresholds, the mean probability .6 not the last two.
    masks = squares(4, 4)
    drawn = {"s, 0": (masks, [square(4, inside=0.6)] * 2, {})}
    row = found(tmp_path, "dice_soft", StoredCell("proseg-prior", drawn=drawn))["proseg-prior"]
    assert row.strict.mean == pytest.approx(1)
    assert changes(row) == {"soft": pytest.approx(-0.4), "published": pytest.approx(-0.4)}


def test_matching_gives_raters_whose_predictions_were_exchanged_their_full_score(tmp_path: Path):
    drawn = {"s, 0": (squares(2, 8), [], {0: square(8), 1: square(2)})}
    row = found(tmp_path, "dice_rater", StoredCell("unet-rater", drawn=drawn))["unet-rater"]
    assert row.strict.mean == pytest.approx(8 / 68)
    shifted = changes(row)
    assert shifted["matching"] == shifted["published"] == pytest.approx(1 - 8 / 68)
    assert shifted.pop("empty") == pytest.approx(0, abs=1e-8), "by the 1e-8 alone"
    assert set(shifted) == {"matching", "published"}


def test_reduction_weighs_cases_and_the_spread_moves_the_deviation_alone(tmp_path: Path):
    # Dice 1, 1 and .2 of two subjects, and 1: strict (1 + .2) / 2 and 1; over the cases 2.2 / 3 and 1.
    hit, miss = square(4), square(12)
    masks = squares(4, 4)
    first = {"a, 0": (masks, [hit], {}), "a, 1": (masks, [hit], {}), "b, 0": (masks, [miss], {})}
    cells = [
        StoredCell("proseg-prior", drawn=first),
        StoredCell("proseg-prior", drawn={"c, 0": (masks, [hit], {})}, fold=1),
    ]
    row = found(tmp_path, "dice_max", *cells)["proseg-prior"]
    assert row.strict.mean == pytest.approx((0.6 + 1) / 2)
    assert row.strict.sd == pytest.approx(0.4 / 2**0.5)
    shifted = changes(row)
    assert shifted["reduction"] == pytest.approx((2.2 / 3 + 1) / 2 - 0.8)
    assert shifted["spread"] == pytest.approx(0.2 - 0.4 / 2**0.5)


def test_the_first_samples_are_scored_and_too_few_have_no_value(tmp_path: Path):
    masks = squares(4, 8)
    many = StoredCell("proseg-prior", drawn={"s, 0": (masks, [square(4), square(8)], {})}, spec={"samples": 2})
    one = StoredCell("proseg", drawn={"s, 0": (masks, [square(4)], {0: square(4), 1: square(8)})}, spec={"samples": 1})
    rows = found(tmp_path, "dice_max", many, one, samples=(1, 2))
    assert rows["proseg-prior"].strict.mean == 1
    assert rows["proseg-prior"].shifts["S=1"].change == pytest.approx((1 + 32 / 80) / 2 - 1)
    assert rows["proseg-prior"].shifts["S=2"] == Shift()
    assert rows["proseg"].shifts["S=1"] == Shift()
    assert rows["proseg"].shifts["S=2"] == Shift(missing=True)


def test_rater_metrics_do_not_ask_how_many_samples_there_are(tmp_path: Path):
    drawn = {"s, 0": (squares(4, 8), [square(4), square(8)], {0: square(4), 1: square(8)})}
    other = StoredCell("unet-rater", drawn={"s, 0": (squares(4, 8), [], {0: square(4), 1: square(8)})})
    rows = found(tmp_path, "dice_rater", StoredCell("proseg", drawn=drawn, spec={"samples": 2}), other, samples=(2,))
    assert {name: row.shifts["S=2"] for name, row in rows.items()} == {"proseg": Shift(), "unet-rater": Shift()}


def test_ranks_that_change_are_marked_and_bounds_have_none(tmp_path: Path):
    # On an empty case an empty sample is at distance 0 under strict, and at 1 of itself and of all under published.
    empty, lesion = squares(0, 0), squares(4, 4)
    blank = {"a, 0": (empty, [square(0)], {}), "b, 0": (lesion, [square(0)], {})}
    small = {"a, 0": (empty, [square(1)], {}), "b, 0": (lesion, [square(3)], {})}
    rows = found(
        tmp_path, "ged", StoredCell("proseg", drawn=blank), StoredCell("proseg-prior", drawn=small),
        StoredCell("level-sets", drawn=small),
    )  # fmt: skip
    # strict: (0 + 2) / 2 and (2 + 2 (1 - 9/16)) / 2; empty masks at distance 1: (0 + 1) / 2 and (1 + 7/8) / 2.
    assert rows["proseg"].strict.mean == pytest.approx(1)
    assert rows["proseg-prior"].strict.mean == pytest.approx((2 + 7 / 8) / 2)
    assert changes(rows["proseg"])["empty"] == pytest.approx(-0.5, abs=1e-6)
    assert rows["proseg"].shifts["empty"].ranks is None, "first before and after"
    wide = {"a, 0": (empty, [square(0)], {}), "b, 0": (lesion, [square(16 - 2)], {})}
    rows = found(tmp_path / "other", "ged", StoredCell("proseg", drawn=blank), StoredCell("proseg-prior", drawn=wide),
                 StoredCell("level-sets", drawn=blank))  # fmt: skip
    # strict: 1 and 1 - 16/196, the wide one first; empty masks at distance 1: .5 and (0 + 2 (1 - 16/196)) / 2.
    assert rows["proseg"].shifts["empty"].ranks == (2, 1)
    assert rows["proseg-prior"].shifts["empty"].ranks == (1, 2)
    assert rows["level-sets"].shifts["empty"].ranks is None
    assert all(row.shifts["soft"].ranks is None for row in rows.values())


def test_more_samples_than_anybody_has_are_a_usage_error(tmp_path: Path):
    with pytest.raises(UsageError, match="no method of run r has 9 samples") as caught:
        found(tmp_path, "ged", StoredCell("proseg-prior", drawn=ONE_EMPTY, spec={"samples": 4}), samples=(2, 9))
    assert caught.value.expected == "--samples of at most 4"


def test_without_predictions_there_is_nothing_to_score(tmp_path: Path):
    with pytest.raises(IncompatibleError, match="has no scores under the protocol 'strict with empty'"):
        found(tmp_path, "ged", StoredCell("proseg-prior", cases("ged", [0.1])))


def test_a_run_without_a_finished_cell_is_refused(tmp_path: Path):
    from mrbench.engine.cell import Status

    with pytest.raises(IncompatibleError, match="run r has no finished cell"):
        found(tmp_path, "ged", StoredCell("proseg-prior", status=Status.FAILED))


def test_predictions_that_cannot_be_read_leave_their_cell_out_of_both_sides(tmp_path: Path):
    run = store_run(tmp_path, "r", *(StoredCell("proseg-prior", drawn=ONE_EMPTY, fold=fold) for fold in (0, 1)))
    path = run.cells[1][0].folder(tmp_path) / "predictions.h5"
    path.write_bytes(path.read_bytes()[:100])
    (dataset,) = sensitivity(parse_operand("r", tmp_path), registry(), variants(()), ("ged",))
    (method,) = dataset.methods
    assert method.cells == (1, 2)
    assert str(path) in method.failures[0]
    (table,) = dataset.tables
    assert table.rows[0].values["ged"].count == "folds 1/2"
    assert table.shifts["empty"][0].change == pytest.approx(-0.0625, abs=1e-6)
