"""Columns: where their arrows point, and costs, which stand everywhere by one edit."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result as Printed
from rows_by_hand import PHASES, result_of, row_of, run_of
from stored_runs import DESCRIPTION, StoredCell, cases, registry, store_run

from mrbench.engine.cell import Status
from mrbench.engine.result import Result
from mrbench.results import columns
from mrbench.results.columns import Cost, costs_of, gain, header
from mrbench.results.table import Table


def test_arrows_point_to_where_better_values_are():
    records = {name: registry().get("metric", name).card for name in ("ged", "dice_max", "ged_pp")}
    assert [header(name, record) for name, record in records.items()] == ["ged ↓", "dice_max ↑", "ged_pp"]
    assert [gain(record) for record in records.values()] == [-1, 1, 0]


def cell(fit: float | None = None, predict: float = 1.0, *, shared: bool = False, **profile: Any) -> Result:
    phases = {"predict": {"seconds": predict, "peak_memory_mib": 10.0}}
    phases |= {} if fit is None else {"fit": {"seconds": fit, "peak_memory_mib": 40.0}}
    record = {"profile": {"phases": phases, **profile}, "environment": {"shared_device": shared}}
    return result_of(record=record)


def test_costs_are_means_over_the_cells_and_what_is_not_known_is_left_out():
    cells = [cell(10.0, 1.0, parameters=5, milliseconds_per_image=2.5), cell(20.0, 3.0, parameters=7)]
    assert costs_of(cells) == {
        "train s": 15, "predict s": 2, "ms/image": 2.5, "peak MiB": 40, "parameters": 6,
    }  # fmt: skip
    assert costs_of([cell()]) == {"predict s": 1, "peak MiB": 10}
    assert costs_of([]) == {}


def test_costs_of_shared_devices_and_of_what_was_made_elsewhere_are_no_costs():
    external = result_of(kind="external", record={"profile": {"phases": PHASES}})
    failed = result_of(status=Status.FAILED)
    assert costs_of([cell(10.0), cell(99.0, 99.0, shared=True), external, failed]) == costs_of([cell(10.0)])
    assert costs_of([cell(shared=True), external, failed]) == {}


def test_a_training_on_a_shared_device_leaves_the_cost_of_predictions():
    assert costs_of([cell(10.0, trained_on_shared_device=True)]) == {"predict s": 1, "peak MiB": 40}


@pytest.fixture
def one_more(monkeypatch: pytest.MonkeyPatch) -> str:
    """A cost is added: the seconds of a prediction, doubled."""
    old, name = columns.COSTS, "double s"
    added = (*old, Cost(name, "twice the seconds", lambda cell: 2 * (cell.seconds("predict") or 0.0)))
    for module in list(sys.modules.values()):
        if getattr(module, "COSTS", None) is old:
            monkeypatch.setattr(module, "COSTS", added)
    return name


def test_a_cost_that_is_added_stands_in_rows_frames_and_the_terminal(
    mrbench: Callable[..., Printed], tmp_path: Path, one_more: str
):
    run = run_of(cell(predict=1.5))
    assert run.costs[one_more] == 3
    frame = Table("phantom", DESCRIPTION, {}, "strict", {}, [row_of(run)]).to_pandas()
    assert frame["cost", one_more]["proseg"] == 3
    store_run(tmp_path / "results", "r", StoredCell("proseg", cases("ged", [0.1])))
    lines = mrbench("show", "r").stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if one_more in line)
    assert lines[at + 1].split()[-1] == "2"
