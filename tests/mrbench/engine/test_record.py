"""Records read back: one that is damaged costs its own cell only."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from stored_runs import StoredCell, cases, store_run

from mrbench.engine.cell import Status
from mrbench.engine.execute import is_kept

WITHOUT_FORMAT = json.dumps({"status": "ok"})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "cannot read the record {path}: "),
        (lambda text: "", "cannot read the record {path}: "),
        (lambda text: "[]", "the record {path} is damaged: no format"),
        (lambda text: WITHOUT_FORMAT, "the record {path} is damaged: no format"),
        (lambda text: text.replace('"reason": ""', '"reason": 3'), "the record {path} is damaged: reason: "),
        (
            lambda text: text.replace('"value": 0.5', '"value": "0.5"'),
            "the record {path} is damaged: metrics.ged.value",
        ),
    ],
)
def test_a_damaged_record_costs_its_own_cell_only(tmp_path: Path, damage: Callable[[str], str], said: str):
    methods = ("proseg", "unet-majority", "prob-unet")
    run = store_run(tmp_path, "r", *(StoredCell(method, cases("ged", [0.5])) for method in methods))
    path = run.cells[1][0].folder(tmp_path) / "record.json"
    path.write_text(damage(path.read_text()))
    first, broken, last = run.cell_results()
    assert (first.finished, last.finished) == (True, True)
    assert (broken.status, broken.record, broken.files, broken.folder) == (Status.DAMAGED, None, None, None)
    assert broken.reason.startswith(said.format(path=path))
    assert broken.reason.endswith(
        "; mrbench repair RUN moves it aside; the same mrbench run then computes it anew and keeps the others"
    )
    assert [is_kept(spec, tmp_path, lambda *_: None) for spec, _ in run.cells] == [True, False, True]
    assert not path.parent.exists(), "nothing of it is taken for a finished cell"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_bytes_of_a_record_are_wrong_the_other_cells_are_read(tmp_path: Path, seed: int):
    run = store_run(tmp_path, "r", *(StoredCell(method, cases("ged", [0.5])) for method in ("proseg", "prob-unet")))
    path = run.cells[0][0].folder(tmp_path) / "record.json"
    right, random, found = path.read_bytes(), np.random.default_rng(seed), set()
    for _ in range(100):
        data = bytearray(right[: int(random.integers(len(right)))] if random.random() < 0.3 else right)
        for at in random.integers(0, max(len(data), 1), random.integers(1, 4)).tolist():
            data[at : at + 1] = bytes([random.integers(256)])
        path.write_bytes(data)
        damaged, whole = run.cell_results()
        assert whole.finished
        found.add(damaged.status)
    assert found <= {Status.OK, Status.DAMAGED}
    assert Status.DAMAGED in found
