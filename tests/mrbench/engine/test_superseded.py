"""Cells of other code beside those to be computed: found by all that they are a function of, but for the code."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stored_runs import StoredCell, registry, spec_of, store_run

from mrbench.engine.cell import CellSpec
from mrbench.engine.superseded import superseded

OLD, NEW = "a" * 64, "b" * 64


def stored(results: Path, method: str = "tab", **spec: object) -> CellSpec:
    """A finished cell of older code; its specification."""
    cell = StoredCell(method, spec={"training_code": OLD, "prediction_code": OLD, **spec})
    store_run(results, "run", cell)
    return spec_of(cell)


def recorded(spec: CellSpec, results: Path, **files: str) -> None:
    path = spec.folder(results) / "record.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"code": {"files": files}}))


def lines(spec: CellSpec, results: Path) -> list[str]:
    wanted = replace(spec, training_code=NEW, prediction_code=NEW)
    return list(superseded([wanted, replace(wanted, fold=1)], results, registry()))


def test_a_line_for_each_method_names_what_changed(tmp_path: Path):
    spec = stored(tmp_path)
    recorded(spec, tmp_path, **{"mrbench_tab/gone.py": "1"})
    (line,) = lines(spec, tmp_path)
    assert line.startswith("tab on phantom: computed anew, for the cells there are of other code than this: ")
    assert "__init__.py of mrbench_tab" in line, "the first of those that are new"


def test_code_that_was_not_recorded_is_other_code_too(tmp_path: Path):
    (line,) = lines(stored(tmp_path), tmp_path)
    assert line.endswith("other code than this: which was not recorded")


@pytest.mark.parametrize(
    "other", [{"samples": 4}, {"data_digest": "e" * 64}, {"training": {"epochs": 3}}, {"limit": 2}]
)
def test_cells_of_another_specification_are_nothing_to_tell(tmp_path: Path, other: dict[str, object]):
    spec = stored(tmp_path)
    assert lines(replace(spec, **other), tmp_path) == []


def test_a_damaged_record_is_passed_over(tmp_path: Path):
    spec = stored(tmp_path)
    (spec.folder(tmp_path) / "record.json").write_text("{")
    assert lines(spec, tmp_path) == []
    assert lines(spec, tmp_path / "nowhere") == []
