"""Rows whose content is elsewhere: wrappers, other data than trained on, predictions made elsewhere. Each is bound."""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from stored_runs import StoredCell, cases, registry, store_run
from synthetic_board import put

from mrbench.cards import Capability
from mrbench.engine.cell import ALL_CASES, CONTENT, CellSpec, DataChoice
from mrbench.engine.plan import Plan, Request, make_plan
from mrbench.engine.run import Run
from mrbench.external.cell import External
from mrbench.external.cell import _spec as external_spec
from mrbench.external.form import Form
from mrbench.leaderboard.add import add
from mrbench.leaderboard.command import command_of
from mrbench.leaderboard.pack import candidates, pack
from mrbench.leaderboard.register import register
from mrbench.leaderboard.registered import read_registered
from mrbench.leaderboard.store import Stored, Why, board_of, read_entry
from mrbench.leaderboard.verify import Fault, Verifier

Call = Callable[..., Result]
SMALL = {"phantom.subjects": 9, "phantom.size": 32}


def plan_of(method: str, settings: Mapping[str, Any]) -> Plan:
    request = Request(
        methods=[method], datasets=["phantom"], folds=(0,), settings=SMALL | settings, presets={"": "quick"},
        samples=4, data=Path("data"),
    )  # fmt: skip
    return make_plan(request, registry())


def stored(folder: Path, spec: CellSpec, descriptions: Mapping[str, Any]) -> Stored:
    """The entry of a cell of a specification, on a board where its data are registered."""
    own = {field.name: getattr(spec, field.name) for field in fields(spec)}
    like = "staple" if spec.kind == "external" else spec.method
    run = store_run(folder / "out", "r", StoredCell(like, cases("ged", [0.5, 0.4], [0.3]), spec=own))
    (method_run,) = candidates([Run(run.id, run.results, run.cells, descriptions, run.command)])
    return read_entry(add(pack(method_run, registry()), folder / "board").folder)


def faults(entry: Stored) -> list[Fault]:
    register(entry)
    board = board_of(entry.folder)
    return list(Verifier(registry(), read_registered(board)).entry(entry).faults)


def tampered(entry: Stored, **changes: Any) -> list[Fault]:
    """Of an entry that was changed and packed again, on the board of the honest one."""
    register(entry)
    other = replace(entry.entry, **changes)
    put(board_of(entry.folder), other, {name: entry.read(name) for name in entry.entry.files}, known=False)
    board = board_of(entry.folder)
    (folder,) = {path.parent for path in board.glob("**/entry.json")} - {entry.folder}
    return list(Verifier(registry(), read_registered(board)).entry(read_entry(folder)).faults)


@pytest.mark.parametrize("method", ["ensemble", "tta"])
@pytest.mark.parametrize("settings", [{}, {"unet-majority.epochs": 3}])
def test_a_wrapper_verifies_and_its_command_plans_the_same_cell(
    tmp_path: Path, mrbench: Call, method: str, settings: Mapping[str, Any]
):
    plan = plan_of(method, {f"{method}.of": "unet-majority", **settings})
    (cell,) = plan.cells
    entry = stored(tmp_path, cell.spec, plan.descriptions)
    assert faults(entry) == []
    again = json.loads(mrbench(*shlex.split(command_of(entry.entry))[1:], "--dry-run", "--json").stdout)
    assert [one["digest"] for one in again["cells"]] == [cell.spec.digest]
    (line,) = read_registered(board_of(entry.folder)).data
    assert line.key == ("phantom", cell.spec.data_digest, "strict", cell.spec.split_digest)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"capabilities": (Capability.CONSENSUS, Capability.DIVERSE)}, "capabilities"),
        ({"gives": "samples"}, "gives"),
        ({"preset": "nobody"}, "preset"),
        ({"changed": {"of": "unet-majority", "unet-majority.nothing": "1"}}, "options"),
        ({"changed": {"of": "unet-rater"}}, "changed.of"),
        ({"data_digest": "e" * 64}, "dataset phantom"),
    ],
)
def test_a_wrapper_that_says_what_its_member_does_not_is_refused(tmp_path: Path, changes: dict[str, Any], field: str):
    plan = plan_of("tta", {"tta.of": "unet-majority"})
    entry = stored(tmp_path, plan.cells[0].spec, plan.descriptions)
    assert field in [fault.field for fault in tampered(entry, **changes)]


def crossed(folder: Path) -> Stored:
    """The entry of a row that was trained on the phantom and tested on all cases of other data."""
    plan = plan_of("unet-majority", {})
    other = DataChoice(
        dataset="elsewhere", dataset_options={}, dataset_changed={}, data_digest="a" * 64, split=ALL_CASES,
        split_digest="b" * 64,
    )  # fmt: skip
    spec = replace(plan.cells[0].spec, test_on=other)
    return stored(folder, spec, {**plan.descriptions, spec.domain: plan.descriptions["phantom"]})


def test_a_row_tested_on_other_data_is_bound_to_those(tmp_path: Path):
    entry = crossed(tmp_path)
    assert faults(entry) == []
    (line,) = read_registered(board_of(entry.folder)).data
    assert line.key == ("elsewhere", "a" * 64, ALL_CASES, "b" * 64)


@pytest.mark.parametrize("changes", [{"split_digest": "e" * 64}, {"data_digest": "e" * 64}, {"split": "other"}, None])
def test_a_row_tested_on_unregistered_data_or_said_to_be_of_its_own_is_refused(
    tmp_path: Path, changes: dict[str, str] | None
):
    entry = crossed(tmp_path)
    assert entry.entry.test_on
    other = replace(entry.entry.test_on, **changes) if changes else None
    (fault,) = tampered(entry, test_on=other)
    assert (fault.field, fault.why) == (f"dataset {'elsewhere' if other else 'phantom'}", Why.DATA)


def external(content: str = "c" * 64) -> CellSpec:
    """Of predictions made elsewhere, on data as a plan knows them."""
    on = plan_of("unet-majority", {}).cells[0].spec
    asked = External(predictions=Path("mine.h5"), name="mine", dataset="phantom", patterns=("*",), data=Path("data"))
    names = ["dataset", "dataset_options", "dataset_changed", "data_digest", "split", "split_digest", "fold"]
    return external_spec(asked, Form(4, (), consensus=False), content, {}, {name: getattr(on, name) for name in names})


def test_predictions_made_elsewhere_are_bound_to_their_content(tmp_path: Path):
    entry = stored(tmp_path, external(), plan_of("unet-majority", {}).descriptions)
    assert entry.entry.options[CONTENT] == "c" * 64, "it stands on the page of the entry"
    assert faults(entry) == []
    said = entry.entry.options
    found = tampered(entry, options={**said, CONTENT: "d" * 64})
    assert [fault.field for fault in found] == ["training_digest", "prediction_digest"]


def test_predictions_made_elsewhere_that_do_not_say_their_content_are_refused(tmp_path: Path):
    entry = stored(tmp_path, external(), plan_of("unet-majority", {}).descriptions)
    without = {name: value for name, value in entry.entry.options.items() if name != CONTENT}
    assert f"options.{CONTENT}" in [fault.field for fault in tampered(entry, options=without)]
