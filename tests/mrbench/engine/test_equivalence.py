"""Code that was shown to compute the same, and the tool that shows it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import equivalence as tool
import h5py
import numpy as np
import pytest
import torch
from click.testing import Result
from conftest import TINY, write_distribution

from mrbench.engine import equivalence
from mrbench.engine.equivalence import oldest, pairs
from mrbench.errors import DataError

A, B, C, D = (letter * 64 for letter in "abcd")

PLUGIN = """
from mrbench import MethodCard, hookimpl
MRBENCH_API = "1"

@hookimpl
def mrbench_methods():
    return [MethodCard(name="line", code="{name}:Line", config="{name}:Options", gives="consensus")]
"""
OPTIONS = """
from torch import nn
from torch.nn import functional
from mrbench import Method, TrainingOptions
from mrbench.configuration import option

class Options(TrainingOptions):
    epochs: int = option(12, "epochs")
"""
BASE = '''
class Line(Method):
    """A logistic regression on brightness."""

    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Conv2d(len(description.channels), 1, 1)

    def loss(self, batch):
        logits = self.network(batch.image)
        target = batch.masks.float().mean(1, keepdim=True)
        return {"cross_entropy": functional.binary_cross_entropy_with_logits(logits, target)}

    def consensus(self, features, noise):
        return self.network(features)[None]
'''
REFACTORED = BASE.replace("logits =", "scores =").replace("(logits,", "(scores,").replace(
    '        target = batch.masks.float().mean(1, keepdim=True)\n', "        target = self._target(batch)\n"
) + '''
    def _target(self, batch):
        return batch.masks.float().mean(1, keepdim=True)
'''  # fmt: skip
NUMERIC = BASE.replace("mean(1, keepdim=True)", "mean(1, keepdim=True) * 0.999")


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A list of one's own; gives what writes it."""

    def write(*chain: tuple[str, str]) -> Path:
        path = tmp_path / "equivalent.json"
        path.write_text(json.dumps({"pairs": [{"old": old, "new": new} for old, new in chain]}))
        monkeypatch.setattr(equivalence, "EQUIVALENT", path)
        pairs.cache_clear()
        return path

    yield write
    pairs.cache_clear()


def test_code_goes_by_the_oldest_that_computes_the_same(listed):
    listed((A, B), (B, C))
    assert [oldest(digest) for digest in (A, B, C, D, "")] == [A, A, A, D, ""]
    listed((A, B), (B, A))
    assert {oldest(A), oldest(B)} == {A, B}, "a circle ends"


@pytest.mark.parametrize("text", ["{", "[]", '{"pairs": [{"new": "x"}]}'])
def test_a_damaged_list_is_told_of(listed, text: str):
    listed().write_text(text)
    pairs.cache_clear()
    with pytest.raises(DataError, match="cannot read the list of equivalent code"):
        oldest(A)


def test_the_list_of_this_repository_can_be_read():
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for pair in pairs().items() for digest in pair)


def left(folder: Path, value: float) -> tool.Computed:
    """What a method left: a weight tensor, losses and draws."""
    (folder / "weights").mkdir(parents=True)
    torch.save({"w": torch.tensor([1.0, value])}, folder / "weights" / "network.pt")
    (folder / "curves.csv").write_text("stage,epoch,train/total,seconds\nmain,0,0.5,1.25\n")
    with h5py.File(folder / "predictions.h5", "w") as file:
        file["draws/bits"] = np.arange(4, dtype=np.uint8)
    return tool.Computed(folder, folder)


def test_one_bit_of_a_weight_or_a_draw_is_a_difference(tmp_path: Path):
    next_one = float(np.nextafter(np.float32(0.5), np.float32(1)))
    one, same, other = (left(tmp_path / str(n), value) for n, value in enumerate((0.5, 0.5, next_one)))
    assert list(tool.differences(one, same)) == []
    ((step, text),) = tool.differences(one, other)
    assert (step, text) == ("training", "1 of 1 weight tensors differ, by up to 5.96e-08 (network.w)")
    with h5py.File(same.folder / "predictions.h5", "a") as file:
        file["draws/bits"][2] = 0
    ((step, text),) = tool.differences(one, same)
    assert (step, text) == ("prediction", "1 of 1 arrays of draws and counts differ (draws/bits)")


def run_under(tmp_path: Path, version: str, source: str) -> dict[str, tool.Computed]:
    site = write_distribution(tmp_path / version, "lines", {"lines": PLUGIN.format(name="lines") + OPTIONS + source},
                              {"lines": "lines"})  # fmt: skip
    return tool.computed([site], ["line"], tmp_path / f"results-{version}", ["--data", str(tmp_path / "data")])


@pytest.mark.slow
def test_a_refactoring_keeps_rows_and_a_numeric_change_does_not(
    tmp_path: Path, listed, make_distribution: Callable[..., None], mrbench: Callable[..., Result]
):
    base, same, other = (
        run_under(tmp_path, *version) for version in (("base", BASE), ("refactored", REFACTORED), ("numeric", NUMERIC))
    )
    found, lines = tool.compare(base, other)
    assert found == []
    assert lines == ["lines:line: 12 of 12 epochs have other losses"], "Adam's steps are those of the unscaled loss"

    found, lines = tool.compare(base, same)
    assert lines == []
    assert [pair["step"] for pair in found] == ["training", "prediction"]

    make_distribution("lines", {"lines": PLUGIN.format(name="lines") + OPTIONS + REFACTORED}, {"lines": "lines"})
    words = ["run", "--method", "line", "--dataset", "phantom", *TINY, "--preset", "quick", "--fold", "0"]
    words += ["--samples", "4", "--out", str(tmp_path / "results-base"), "--dry-run"]
    assert "computed anew, for the cells there are of other code than this: lines.py" in mrbench(*words).stdout
    shown = ("show", "last", "--out", str(tmp_path / "results-base"))
    assert "other code than this: lines.py" in mrbench(*shown).stdout

    path = listed()
    assert tool.add(found, path) == 2
    assert tool.add(found, path) == 0
    pairs.cache_clear()
    plan = mrbench(*words).stdout
    assert "kept" in plan
    assert "anew" not in plan
    assert "other code" not in mrbench(*shown).stdout
