"""What a page shows is what the tables of its runs show."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_results import method, write_results

from mrbench.engine.record import write_record
from mrbench.engine.run import Run, open_run
from mrbench.errors import IncompatibleError, UnknownNameError
from mrbench.metrics.protocol import PUBLISHED, STRICT
from mrbench.registry import Registry
from mrbench.report.choices import Choices
from mrbench.report.gather import gather
from mrbench.results.method_run import runs_of
from mrbench.results.tabulate import tabulate

SETTINGS = {"subjects": 9, "size": 32, "slices": 2}


def test_rows_are_those_of_the_table_with_human_references_last(run: Run, registry: Registry):
    (part,) = gather([run], registry, Choices()).datasets
    (table,) = tabulate(runs_of(run), registry, STRICT)
    assert [row.label for row in part.table.rows] == ["alpha", "beta", "external:mine", "vote"]
    own = {row.label: row for row in table.rows}
    for row in part.table.rows:
        assert row.caveats == own[row.label].caveats
        for name in table.columns:
            value, expected = row.values.get(name), own[row.label].values.get(name)
            # Only marks beside another reader ask for intervals.
            assert (value and replace(value, interval=None, no_interval="")) == expected
    assert list(part.table.columns) == list(table.columns)


def test_the_values_of_the_folds_make_the_value_of_the_row(run: Run, registry: Registry):
    (part,) = gather([run], registry, Choices(protocol=PUBLISHED)).datasets
    value = part.table.rows[0].values["ged"]
    assert value.folds.keys() == {0, 1}
    assert sum(value.folds.values()) / 2 == pytest.approx(value.mean)


def test_only_methods_that_learn_have_curves(run: Run, registry: Registry):
    (part,) = gather([run], registry, Choices()).datasets
    assert [label for label, stages in part.curves.items() if stages] == ["alpha", "beta"]
    assert list(part.curves["alpha"]) == ["first", "second"]
    assert list(part.curves["alpha"]["first"]) == ["fold0-seed0", "fold1-seed0"]


def test_a_metric_that_is_no_column_becomes_one_when_it_is_chosen(run: Run, registry: Registry):
    (part,) = gather([run], registry, Choices(metric="ged_pa")).datasets
    assert next(iter(part.table.columns)) == "ged_pa"
    assert part.gallery.index["metric"] == "ged_pa"


def test_an_unknown_metric_offers_the_nearest(run: Run, registry: Registry):
    with pytest.raises(UnknownNameError, match="did you mean 'ged'"):
        gather([run], registry, Choices(metric="gde"))


def test_runs_stand_side_by_side_and_are_ranked_together(run: Run, registry: Registry, tmp_path: Path):
    methods = [method("gamma"), method("beta", samples=3, raters=False)]
    other = replace(write_results(tmp_path / "r", methods, SETTINGS, registry=registry), id="other")
    (part,) = gather([run, other], registry, Choices()).datasets
    rows = part.table.rows
    labels = ["alpha", "beta, S 4", "gamma", "beta, S 3", "external:mine", "vote"]
    assert [row.label for row in rows] == labels
    equal_s = [row.values["ged"] for row in rows if row.samples == 4]
    assert [value.mean for value in equal_s if value.best] == [min(value.mean for value in equal_s)]
    assert [fact.lines for fact in part.facts if fact.term == "Run"] == [(run.id, "other")]


def test_a_method_whose_folds_lie_in_several_runs_is_one_row(run: Run, registry: Registry, tmp_path: Path):
    more = [method("beta", raters=False)]
    other = write_results(tmp_path / "r", more, SETTINGS, folds=(1, 2), registry=registry)
    (part,) = gather([run, other], registry, Choices()).datasets
    cells = {row.label: row.cells for row in part.table.rows}
    assert cells == {"alpha": (2, 2), "beta": (3, 3), "external:mine": (2, 2), "vote": (2, 2)}
    assert part.table.rows[1].values["ged"].folds.keys() == {0, 1, 2}
    assert part.gallery.index["entries"] == [{"label": label} for label in cells]


def test_a_run_given_twice_and_cells_that_another_run_has_stand_there_once(run: Run, registry: Registry):
    part_of_it = replace(run, id="part", cells=run.cells[:2])
    for runs, named in (([run, run, part_of_it], (run.id,)), ([part_of_it, run], ("part", run.id))):
        (part,) = gather(runs, registry, Choices()).datasets
        assert [row.cells for row in part.table.rows] == [(2, 2)] * 4, "a row is whole"
        assert [fact.lines for fact in part.facts if fact.term == "Run"] == [named]


def test_runs_on_other_data_are_not_mixed(run: Run, registry: Registry, tmp_path: Path):
    other = write_results(tmp_path / "r", [method("gamma")], SETTINGS | {"seed": 1}, registry=registry)
    with pytest.raises(IncompatibleError, match="cells of 'phantom' come from 2 different data or splits") as error:
        gather([run, other], registry, Choices())
    assert error.value.exit_code == 4
    assert other.id in error.value.found


def test_a_failed_cell_is_a_row_with_its_reason_and_no_case(run: Run, registry: Registry, tmp_path: Path):
    copy = shutil.copytree(run.results, tmp_path / "r")
    for record in list(copy.glob("cells/phantom/alpha/**/record.json")):
        values = json.loads(record.read_text()) | {"status": "failed", "reason": "ValueError: <b>no</b>"}
        failed = record.parent.with_name(record.parent.name + ".failed")
        failed.mkdir()
        write_record(failed, values)
        shutil.rmtree(record.parent)
    (part,) = gather([open_run("last", copy)], registry, Choices()).datasets
    assert part.table.rows[0].failures[0] == "fold0-seed0 failed: ValueError: <b>no</b>"
    assert [entry["label"] for entry in part.gallery.index["entries"]] == ["beta", "external:mine", "vote"]
    assert part.gallery.index["of"] == "beta"


def test_data_that_are_gone_leave_the_page_without_cases(make_odd, registry: Registry, monkeypatch: pytest.MonkeyPatch):
    run = make_odd()

    def absent(*_: object) -> None:
        raise KeyError("no such\nfile")

    monkeypatch.setattr(sys.modules["odd_data"], "load", absent)
    (part,) = gather([run], registry, Choices()).datasets
    name = repr(run.cells[0][0].dataset)
    assert part.gallery.absent == (
        f"The images of {name} are not available: data set {name} cannot be loaded: KeyError: 'no such\\nfile'."
    )
    assert not part.gallery.blocks
    assert len(part.table.rows[0].values["ged"].folds) == 2


def test_data_that_have_changed_leave_the_page_without_cases(
    make_odd, registry: Registry, monkeypatch: pytest.MonkeyPatch
):
    run, module = make_odd(), sys.modules["odd_data"]
    load = module.load
    monkeypatch.setattr(module, "load", lambda *given: replace(load(*given), subjects=tuple("abcdef")))
    (part,) = gather([run], registry, Choices()).datasets
    assert "is not the one that the run was computed on" in part.gallery.absent


def test_a_data_set_that_is_not_installed_leaves_the_page_without_cases(make_odd):
    from mrbench.registry import discover

    (part,) = gather([make_odd()], discover(), Choices()).datasets
    assert "unknown data set" in part.gallery.absent
    assert len(part.table.rows[0].values["ged"].folds) == 2


def test_predictions_that_cannot_be_read_leave_the_page_without_cases(run: Run, registry: Registry, tmp_path: Path):
    copy = shutil.copytree(run.results, tmp_path / "r")
    next(copy.glob("cells/phantom/alpha/**/predictions.h5")).write_bytes(b"not HDF5")
    (part,) = gather([open_run("last", copy)], registry, Choices()).datasets
    assert part.gallery.absent.startswith("The cases cannot be shown: ")
    assert "predictions.h5" in part.gallery.absent


def test_one_fold_and_a_few_cases_can_be_chosen(run: Run, registry: Registry):
    (part,) = gather([run], registry, Choices(fold=1, cases=3)).datasets
    assert [case["fold"] for case in part.gallery.index["cases"]] == [1, 1, 1]
    assert part.gallery.notes[0].startswith("3 of ")
    (part,) = gather([run], registry, Choices(fold=2)).datasets
    assert part.gallery.absent == "No cell of this data set has finished in fold 2."
