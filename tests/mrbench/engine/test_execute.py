"""Executing a run: what is kept of what was computed before."""

import json
from pathlib import Path

import pytest
from stored_runs import StoredCell, cases, store_run

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.execute import is_kept
from mrbench.errors import IncompatibleError


def stored(results: Path, **changes: object) -> CellSpec:
    ((spec, _),) = store_run(results, "r", StoredCell("proseg", cases("ged", [0.5]))).cells
    path = spec.folder(results) / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return spec


def test_a_finished_cell_is_kept(tmp_path: Path):
    spec = stored(tmp_path)
    assert is_kept(spec, tmp_path)
    assert (spec.folder(tmp_path) / "record.json").is_file()


def test_a_cell_that_is_not_there_is_not_kept(tmp_path: Path):
    assert not is_kept(stored(tmp_path), tmp_path / "other")


@pytest.mark.parametrize("status", [status.value for status in Status if status is not Status.OK] + ["weird"])
def test_a_record_that_does_not_say_ok_is_removed_for_the_cell_to_be_computed_anew(tmp_path: Path, status: str):
    spec = stored(tmp_path, status=status)
    assert not is_kept(spec, tmp_path)
    assert not spec.folder(tmp_path).exists()


def test_a_cell_of_another_version_is_neither_kept_nor_removed(tmp_path: Path):
    spec = stored(tmp_path, format=1)
    with pytest.raises(IncompatibleError, match="another version"):
        is_kept(spec, tmp_path)
    assert (spec.folder(tmp_path) / "record.json").is_file()
