"""Executing a run: what is kept of what was computed before."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from stored_runs import StoredCell, cases, store_run

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.execute import is_kept
from mrbench.engine.record import write_record
from mrbench.errors import IncompatibleError


def stored(results: Path, **changes: object) -> CellSpec:
    ((spec, _),) = store_run(results, "r", StoredCell("proseg", cases("ged", [0.5]))).cells
    folder = spec.folder(results)
    write_record(folder, json.loads((folder / "record.json").read_text()) | changes)
    return spec


def kept(spec: CellSpec, results: Path) -> tuple[bool, list[Mapping[str, Any]]]:
    """Is a cell kept, and what is told of it?"""
    told: list[Mapping[str, Any]] = []
    return is_kept(spec, results, lambda _, event: told.append(event)), told


def test_a_finished_cell_is_kept(tmp_path: Path):
    spec = stored(tmp_path)
    assert kept(spec, tmp_path) == (True, [])
    assert (spec.folder(tmp_path) / "record.json").is_file()


def test_a_cell_that_is_not_there_is_not_kept(tmp_path: Path):
    assert kept(stored(tmp_path), tmp_path / "other") == (False, [])


@pytest.mark.parametrize("status", [status.value for status in Status if status is not Status.OK] + ["weird"])
def test_a_record_that_does_not_say_ok_is_moved_aside_for_the_cell_to_be_computed_anew(tmp_path: Path, status: str):
    spec = stored(tmp_path, status=status)
    found, (event,) = kept(spec, tmp_path)
    assert not found
    assert not spec.folder(tmp_path).exists()
    assert "status" in event["fault"]
    assert json.loads((Path(event["moved"]) / "record.json").read_text())["status"] == status


@pytest.mark.parametrize("name", ["record.json", "cases.csv.gz"])
def test_one_changed_bit_of_any_file_of_a_cell_is_noticed_and_nothing_is_deleted(tmp_path: Path, name: str):
    spec = stored(tmp_path)
    path = spec.folder(tmp_path) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found, (event,) = kept(spec, tmp_path)
    assert not found
    assert str(path) in event["fault"]
    assert "\n" not in event["fault"]
    moved = tmp_path / "damaged" / path.relative_to(tmp_path)
    assert moved.read_bytes() == content
    assert kept(spec, tmp_path) == (False, []), "now it is not there"


def test_a_cell_of_another_version_is_neither_kept_nor_removed(tmp_path: Path):
    spec = stored(tmp_path, format=1)
    with pytest.raises(IncompatibleError, match="another version"):
        kept(spec, tmp_path)
    assert (spec.folder(tmp_path) / "record.json").is_file()
