"""Stored predictions: what goes in comes out, and nothing hostile gets through."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mrbench.engine.predict import Predicted
from mrbench.engine.predictions import PredictionWriter, read_draws, read_sizes, read_tables
from mrbench.errors import DataError, IncompatibleError
from mrbench.interfaces.draw import Draw, DrawKind, binary_probability
from mrbench.metrics.tables import TableBuilder

MASKS = np.zeros((2, 4, 4), np.uint8)


def predicted(*draws: tuple[DrawKind, int | None, int]) -> Predicted:
    """Draws whose first ``area`` pixels are foreground."""
    builder = TableBuilder(MASKS, np.ones(2, bool), classes=2)
    for kind, rater, area in draws:
        foreground = (np.arange(16) < area).reshape(4, 4).astype(np.float32)
        builder.add(Draw(kind, binary_probability(foreground), rater))
    return Predicted(builder.finish(), builder.packed())


def written(path: Path, cases: int = 3) -> Path:
    with PredictionWriter(path) as writer:
        for case in range(cases):
            kinds = [
                (DrawKind.RATER, 0, 1),
                (DrawKind.RATER, 1, 2),
                (DrawKind.SAMPLE, None, 9),
                (DrawKind.SAMPLE, None, case),
            ]
            writer.add(f"case-{case}-é", "subject", [predicted(*kinds)] * (case % 3))
    return path


def test_draws_keep_their_kind_and_rater_in_whatever_order_they_came(tmp_path: Path):
    found = dict(read_draws(written(tmp_path / "p.h5")))
    assert list(found) == ["case-0-é", "case-1-é", "case-2-é"]
    assert found["case-0-é"] == [], "a case without a trial"
    areas = [(draw.kind.value, draw.rater, int(np.unpackbits(draw.bits).sum())) for draw in found["case-2-é"]]
    assert areas == [("sample", None, 9), ("sample", None, 2), ("rater", 0, 1), ("rater", 1, 2)]


def test_an_error_between_two_cases_closes_the_file_and_leaves_it_without_an_end(tmp_path: Path):
    path = tmp_path / "p.h5"
    with pytest.raises(RuntimeError, match="refused"), PredictionWriter(path) as writer:
        writer.add("case", "subject", [predicted((DrawKind.SAMPLE, None, 9))])
        raise RuntimeError("refused")
    with pytest.raises(ValueError, match="closed file"):
        writer.output.read(1)
    with pytest.raises(DataError, match="was not written to its end"):
        read_sizes(path)


def test_tables_come_back_for_every_trial_over_several_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mrbench.engine.predictions.BLOCK_CASES", 2)
    cases = list(read_tables(written(tmp_path / "p.h5", cases=7)))
    assert [len(trials) for _, _, trials in cases] == [0, 1, 2, 0, 1, 2, 0]
    assert cases[5][2][1].areas[0].tolist()[:4] == [9, 5, 1, 2]


def scene(truth: tuple[bool, ...] = (True, True, False)) -> Predicted:
    """Two samples and a rater prediction on 3 x 3 pixels, three raters, K = 3."""
    labels = np.random.default_rng(0).integers(0, 3, (6, 3, 3)).astype(np.uint8)
    builder = TableBuilder(labels[:3], np.array(truth), 3, spacing=(0.5, 2))
    for kind, rater, drawn in zip(("sample", "rater", "sample"), (None, 1, None), labels[3:], strict=True):
        builder.add(Draw(DrawKind(kind), np.moveaxis(np.eye(3, dtype=np.float32)[drawn], -1, 0), rater))
    return Predicted(builder.finish(), builder.packed())


def scenes(path: Path, cases: int = 4) -> Path:
    with PredictionWriter(path) as writer:
        for case in range(cases):
            writer.add(f"{case}", "subject", [scene((True, False, False)), scene((False, True, True))])
    return path


def test_masks_of_draws_and_raters_come_back_for_every_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mrbench.engine.predictions.BLOCK_CASES", 3)
    expected = [scene((True, False, False)).tables, scene((False, True, True)).tables]
    for _, _, trials in read_tables(scenes(tmp_path / "p.h5")):
        for tables, before in zip(trials, expected, strict=True):
            assert np.array_equal(tables.kept_bits, before.kept_bits)
            assert (tables.shape, tables.spacing) == ((3, 3), (0.5, 2.0))
            rows = np.arange(6)
            assert np.array_equal(tables.masks(2, rows), before.masks(2, rows))


def test_masks_are_not_read_before_they_are_asked_for(tmp_path: Path):
    path = scenes(tmp_path / "p.h5")
    with h5py.File(path, "a") as file:
        del file["block000000/rater_bits"]
    ((_, _, (tables, _)), *_) = read_tables(path)
    assert tables.areas.any()
    with pytest.raises(DataError, match="no member /block000000/rater_bits"):
        tables.masks(1, np.arange(2))


def test_masks_are_still_there_when_all_cases_were_read(tmp_path: Path):
    cases = list(read_tables(scenes(tmp_path / "p.h5")))
    assert cases[3][2][1].masks(1, np.arange(6)).shape == (6, 3, 3)


def test_blocks_are_read_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mrbench.engine.predictions.BLOCK_CASES", 3)
    path = scenes(tmp_path / "p.h5", cases=7)
    assert read_sizes(path) == (3, 7)
    assert [case for case, _, _ in read_tables(path, range(1, 2))] == ["3", "4", "5"]


@pytest.mark.parametrize("name", ["bits", "rater_bits"])
def test_too_few_masks_are_refused(tmp_path: Path, name: str):
    path = scenes(tmp_path / "p.h5")
    with h5py.File(path, "a") as file:
        array = file[f"block000000/{name}"][:-1]
        del file[f"block000000/{name}"]
        file[f"block000000/{name}"] = array
    *_, (_, _, (_, last)) = read_tables(path)
    with pytest.raises(DataError, match="holds too few masks"):
        last.masks(1, np.arange(2))


def test_masks_of_another_size_are_refused(tmp_path: Path):
    path = scenes(tmp_path / "p.h5")
    with h5py.File(path, "a") as file:
        array = ~file["block000000/bits"][:]
        file["block000000/bits"][...] = array
    ((_, _, (tables, _)), *_) = read_tables(path)
    with pytest.raises(DataError, match="stored masks are damaged"):
        tables.masks(1, np.arange(2))


def test_a_file_that_was_not_closed_is_refused(tmp_path: Path):
    path = scenes(tmp_path / "p.h5")
    with h5py.File(path, "a") as file:
        del file.attrs["cases"]
    with pytest.raises(DataError, match="was not written to its end"):
        read_sizes(path)


def break_file(path: Path, how: str) -> None:
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:700])
        return
    if how == "foreign":
        path.write_bytes(b"not HDF5")
        return
    with h5py.File(path, "a") as file:
        block: Any = file["block000000"]
        if how == "no block":
            del file["block000000"]
        elif how == "another file":
            file.attrs.__delitem__("mrbench_predictions")
        elif how == "counts":
            block["trials"][...] = [5, 5, 5]
        elif how == "huge":
            del block["bits"]
            block.create_dataset("bits", shape=(10**13,), dtype=np.uint8, chunks=(1024,))
        elif how == "few bits":
            del block["bits"]
            block["bits"] = np.zeros(1, np.uint8)
        elif how == "link":
            del block["bits"]
            block["bits"] = h5py.ExternalLink("/etc/passwd", "x")
        elif how == "more blocks":
            file.attrs["blocks"] = 2**40
        elif how == "fewer blocks":
            file.attrs["blocks"] = -1
        elif how == "array for a group":
            del block["tables"]
            block["tables"] = np.zeros(3)


@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        "foreign",
        "no block",
        "another file",
        "counts",
        "huge",
        "few bits",
        "link",
        "more blocks",
        "fewer blocks",
        "array for a group",
    ],
)
def test_a_file_that_is_not_ours_or_was_damaged_is_refused(tmp_path: Path, how: str):
    path = written(tmp_path / "p.h5")
    break_file(path, how)
    with pytest.raises(DataError, match=r"p\.h5|tables"):
        list(read_draws(path))


def test_another_format_is_incompatible(tmp_path: Path):
    path = written(tmp_path / "p.h5")
    with h5py.File(path, "a") as file:
        file.attrs["mrbench_predictions"] = 99
    with pytest.raises(IncompatibleError, match="another format"):
        list(read_tables(path))
