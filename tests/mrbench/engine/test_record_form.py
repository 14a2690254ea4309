"""Records from strangers: what commands rely on is there, or one line says what is not."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from stored_runs import StoredCell, cases, store_run

from mrbench.engine.record import read_record
from mrbench.engine.record_form import fault_of
from mrbench.errors import DataError
from mrbench.files import write_json

RECORD = {
    "status": "ok",
    "reason": "",
    "environment": {"shared_device": False, "cores": 2},
    "profile": {"phases": {"predict": {"seconds": 1, "peak_memory_mib": 2.5, "more": 1}}, "parameters": 3},
    "metrics": {"ged": {"value": 0.5, "by_class": {"1": 0.5}, "by_rater": {}, "cases": 3, "of": 4}},
    "scoring": {"ged": "d"},
    "metric_faults": {},
    "versions": {"mrbench": "1"},
    "written": "today",
}


def changed(path: str, value: Any) -> Mapping[str, Any]:
    record: Any = deepcopy(RECORD)
    *heads, name = path.split(".")
    inner = record
    for head in heads:
        inner = inner[head]
    inner[name] = value
    return record


def test_what_a_cell_leaves_is_right():
    assert fault_of(RECORD) == ""
    assert fault_of({"status": "failed", "reason": "why"}) == "", "a cell that failed has no scores"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status", "weird"),
        ("status", ["ok"]),
        ("reason", None),
        ("environment", {}),
        ("environment.shared_device", "no"),
        ("profile", []),
        ("profile.phases", {}),
        ("profile.phases.predict", {"seconds": 1}),
        ("profile.phases.predict.seconds", "1"),
        ("profile.parameters", "many"),
        ("metrics", [1]),
        ("metrics.ged", 1),
        ("metrics.ged.value", "0.5"),
        ("metrics.ged.value", None),
        ("metrics.ged.value", 10**400),
        ("metrics.ged.value", 1e101),
        ("metrics.ged.value", float("nan")),
        ("metrics.ged.by_class", {"1": "0.5"}),
        ("metrics.ged.by_class", {"1.0": 0.5}),
        ("metrics.ged.by_class", {" 1": 0.5}),
        ("metrics.ged.by_class", {"01": 0.5}),
        ("metrics.ged.by_class", {"0": 0.5}),
        ("metrics.ged.by_class", {"1\n": 0.5}),
        ("metrics.ged.by_class", {"\u0661": 0.5}),
        ("metrics.ged.by_rater", {"-1": 0.5}),
        ("metrics.ged.by_rater", {"1e0": 0.5}),
        ("metrics.ged.cases", -1),
        ("metrics.ged.of", -3),
        ("profile.parameters", 10**400),
        ("profile.parameters", -1),
        ("profile.epochs", "x"),
        ("profile.milliseconds_per_image", -5.0),
        ("profile.phases.predict.seconds", -1.0),
        ("profile.phases.fit", None),
        ("written", 5),
        ("versions.mrbench", None),
        ("metrics.ged.by_rater.first", 0.5),
        ("metrics.ged.cases", "3"),
        ("metrics.ged.of", None),
        ("scoring", None),
        ("scoring.ged", 1),
        ("versions", None),
        ("metric_faults", [1]),
        ("metric_faults.ged", {}),
    ],
)
def test_the_first_wrong_field_is_named(path: str, value: Any):
    assert fault_of(changed(path, value)).startswith(path)


def test_raters_are_counted_from_zero_and_classes_from_one():
    for path, names in (("by_class", ("1", "12")), ("by_rater", ("0", "12"))):
        assert fault_of(changed(f"metrics.ged.{path}", dict.fromkeys(names, 0.5))) == ""


@pytest.mark.parametrize("path", ["cases", "of"])
def test_a_value_covers_no_more_cases_than_it_should(path: str):
    more = {"cases": 5, "of": 2}[path]
    assert fault_of(changed(f"metrics.ged.{path}", more)).startswith("metrics.ged: Value error, ")


@pytest.mark.parametrize("counts", [{}, {"cases": 3}, {"cases": 0, "of": 0}, {"cases": 4, "of": 4}])
def test_a_value_may_cover_everything_and_need_not_say_so(counts: dict[str, int]):
    assert fault_of(changed("metrics.ged", {"value": 0.5, **counts})) == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("profile", {"phases": {"fit": None}}),
        ("profile", {"phases": {"fit": {"seconds": "1", "peak_memory_mib": 1}}}),
        ("profile", {"epochs": 1.5}),
        ("environment", {"shared_device": "no"}),
        ("metric_faults", [1]),
        ("written", None),
    ],
)
def test_what_a_failed_cell_says_of_its_costs_must_be_right_too(field: str, value: Any):
    failed = {"status": "failed", "reason": "why", "profile": {"phases": {"fit": {"seconds": 1, "peak_memory_mib": 1}}}}
    assert fault_of(failed) == ""
    assert fault_of(failed | {field: value}).startswith(field)


def test_a_failed_cell_says_what_it_ran_on_or_nothing():
    assert fault_of({"status": "failed", "reason": "why", "environment": {"device": "cpu"}}) == ""
    assert fault_of({"status": "failed", "reason": "why", "environment": None}).startswith("environment")


@pytest.mark.parametrize("name", ["environment", "profile", "metrics"])
def test_a_finished_cell_lacks_nothing(name: str):
    assert fault_of({key: value for key, value in RECORD.items() if key != name}).startswith(f"{name}: Field required")


def test_reading_a_damaged_record_names_it(tmp_path):
    run = store_run(tmp_path, "r", StoredCell("proseg", cases("ged", [0.5])))
    ((spec, _),) = run.cells
    folder = spec.folder(tmp_path)
    record = read_record(folder)
    assert record is not None
    write_json(folder / "record.json", record | {"metrics": {"ged": {"value": "\x1b[2J"}}})
    with pytest.raises(DataError, match=r"the record .*record\.json is damaged") as caught:
        read_record(folder)
    assert caught.value.found.startswith("metrics.ged.value: ")
    (folder / "record.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match="cannot read the record"):
        read_record(folder)
