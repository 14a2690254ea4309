"""Losses read back, and what is no table of losses refused."""

from pathlib import Path

import pytest

from mrbench.engine.fit import Curve as Written
from mrbench.errors import DataError
from mrbench.results.curves import MAX_BYTES, Curve, losses_of, read_curves


def test_what_the_training_loop_writes_comes_back_by_stage(tmp_path: Path):
    rows = [
        {"stage": "one", "epoch": 0, "train/total": 3.0, "train/kl": 1.0, "validation/total": 4.0},
        {"stage": "one", "epoch": 1, "train/total": 2.0, "train/kl": 1.0, "validation/total": 5.0},
        {"stage": "two", "epoch": 0, "train/total": 1.0},
    ]
    Written(rows).write(tmp_path / "curves.csv")
    assert read_curves(tmp_path / "curves.csv") == {
        "one": Curve((1, 2), (3.0, 2.0), (4.0, 5.0), {"kl": Curve((1, 2), (1.0, 1.0), ())}),
        "two": Curve((1,), (1.0,), ()),
    }


def test_every_term_comes_back_over_the_epochs_that_have_it_and_follows_its_stage(tmp_path: Path):
    rows = [
        {"stage": "one", "epoch": 0, "train/dice": 2.0, "train/total": 2.0, "validation/dice": 1.0,
         "validation/total": 1.0},
        {"stage": "one", "epoch": 1, "train/dice": 1.0, "train/kl": 0.5, "train/total": 1.5, "validation/dice": 3.0,
         "validation/kl": 1.0, "validation/total": 4.0},
        {"stage": "two", "epoch": 0, "train/dice": 7.0, "train/total": 7.0},
    ]  # fmt: skip
    Written(rows).write(tmp_path / "curves.csv")
    losses = losses_of(read_curves(tmp_path / "curves.csv"))
    assert list(losses) == ["one", "one, dice", "one, kl", "two"]  # one term is the total again
    assert losses["one, dice"] == Curve((1, 2), (2.0, 1.0), (1.0, 3.0))
    assert losses["one, kl"] == Curve((2,), (0.5,), (1.0,))


def test_no_file_is_no_curve(tmp_path: Path):
    assert read_curves(tmp_path / "curves.csv") == {}


@pytest.mark.parametrize(
    "text",
    [
        "stage,epoch\na,0\n",
        "stage,epoch,train/total\na,zero,1\n",
        "stage,epoch,train/total\na,0,nan\n",
        "stage,epoch,train/total\na,0\n",
        "stage,epoch,train/kl,train/total\na,0,inf,1\n",
        "stage,epoch,train/total," + ",".join(f"train/{n}" for n in range(100)) + "\na,0,1\n",
        "stage,epoch,train/total\n" + "".join(f"s{n},0,1\n" for n in range(100)),
        "stage,epoch,train/total\n" + "a" * 200_000 + ",0,1\n",
        "\x00,\n\x00,1\n",
    ],
)
def test_what_is_no_table_of_losses_is_named(tmp_path: Path, text: str):
    (tmp_path / "curves.csv").write_text(text)
    with pytest.raises(DataError, match=r"curves\.csv"):
        read_curves(tmp_path / "curves.csv")


def test_a_huge_file_is_refused_by_its_size(tmp_path: Path):
    with (tmp_path / "curves.csv").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(DataError, match="too large"):
        read_curves(tmp_path / "curves.csv")
