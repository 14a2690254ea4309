"""Method runs: which cells are one, of one run or of several, and what they say of themselves."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from rows_by_hand import result_of, run_of
from stored_runs import StoredCell, cases, store_run

from mrbench.engine.cell import Status
from mrbench.engine.run import Run
from mrbench.errors import IncompatibleError
from mrbench.results.method_run import MethodRun, merged_runs, runs_of

GED = cases("ged", [0.1], [0.2])


def places(run: MethodRun) -> list[tuple[int, int, str]]:
    return [(result.spec.fold, result.spec.seed, result.status.value) for result in run.results]


def test_the_cells_of_a_run_are_put_together_by_data_set_and_method(tmp_path: Path):
    folds = [StoredCell(m, GED, fold=f) for f in (0, 1) for m in ("proseg", "staple")]
    first = store_run(tmp_path, "a", *folds)
    second = store_run(tmp_path, "b", StoredCell("proseg", GED), dataset="lidc")
    both = Run("r", tmp_path, [*second.cells, *first.cells], {**first.descriptions, **second.descriptions}, "")
    assert [(run.dataset, run.method, places(run)) for run in runs_of(both)] == [
        ("phantom", "proseg", [(0, 0, "ok"), (1, 0, "ok")]),
        ("phantom", "staple", [(0, 0, "ok"), (1, 0, "ok")]),
        ("lidc", "proseg", [(0, 0, "ok")]),
    ], "data sets in the order of the command"
    assert [run.runs for run in runs_of(both)] == [("r",)] * 3
    read = both.cell_results()
    assert [run.results for run in runs_of(both, read)][-1] == (read[0],)


def test_cells_of_one_specification_are_one_method_run_whichever_run_they_come_from(tmp_path: Path):
    runs = [store_run(tmp_path, name, StoredCell("proseg", GED, fold=f)) for f, name in enumerate(("a", "b"))]
    other = store_run(tmp_path, "c", StoredCell("proseg", GED, spec={"samples": 4}))
    found = merged_runs([*runs, other])
    assert [(run.runs, run.samples, places(run)) for run in found] == [
        (("a", "b"), 50, [(0, 0, "ok"), (1, 0, "ok")]),
        (("c",), 4, [(0, 0, "ok")]),
    ]
    assert [run.origin for run in found] == ["runs a, b", "run c"]
    assert found[0].title == "'proseg' of runs a, b"


def test_a_cell_that_stands_in_several_runs_is_taken_once(tmp_path: Path):
    first = store_run(tmp_path, "a", StoredCell("proseg", GED), StoredCell("staple", GED))
    again = replace(first, id="b", cells=list(reversed(first.cells)))
    again.write()
    found = merged_runs([first, again])
    assert [(run.method, run.runs, places(run)) for run in found] == [
        ("proseg", ("a",), [(0, 0, "ok")]), ("staple", ("a",), [(0, 0, "ok")]),
    ]  # fmt: skip


def test_a_cell_that_finished_is_taken_over_one_that_failed(tmp_path: Path):
    failed = store_run(tmp_path / "one", "a", StoredCell("proseg", status=Status.FAILED), StoredCell("proseg", fold=1,
                       status=Status.FAILED))  # fmt: skip
    finished = store_run(tmp_path / "two", "b", StoredCell("proseg", GED))
    for order in ([failed, finished], [finished, failed]):
        (found,) = merged_runs(order)
        assert places(found) == [(0, 0, "ok"), (1, 0, "failed")]
        assert found.results[0].folder is not None
        assert set(found.runs) == {"a", "b"}


def test_cells_of_one_specification_with_other_versions_of_the_data_are_other_method_runs(tmp_path: Path):
    one = store_run(tmp_path, "a", StoredCell("proseg", GED))
    other = store_run(tmp_path, "b", StoredCell("proseg", GED, spec={"data_digest": "e" * 64}))
    assert [run.runs for run in merged_runs([one, other])] == [("a",), ("b",)]


def test_runs_that_describe_one_data_set_differently_are_not_put_together(tmp_path: Path):
    one = store_run(tmp_path, "a", StoredCell("proseg", GED))
    own = {"phantom": {**one.descriptions["phantom"], "unit": "volume"}}
    other = replace(store_run(tmp_path, "b", StoredCell("staple", GED)), descriptions=own)
    with pytest.raises(IncompatibleError, match="describe 'phantom' differently"):
        merged_runs([one, other])


def test_no_run_has_no_method_run():
    assert merged_runs([]) == []


def test_cells_that_finished_stand_by_fold_and_seed_and_the_others_are_told():
    cells = [result_of(fold=1), result_of(fold=0, seed=1), result_of(fold=2, status=Status.TIMEOUT), result_of()]
    run = run_of(*cells)
    assert [(cell.spec.fold, cell.spec.seed) for cell in run.done] == [(0, 0), (0, 1), (1, 0)]
    assert (run.cells, run.folds, run.ranked) == ((3, 4), (0, 1, 2), False)
    assert run.failures == ("fold2-seed0 timeout: what went wrong; in detail",)
    assert run.shown() == [cells[3], cells[0]], "the first seed of each fold"
    assert run.shown(1) == [cells[0]]
    assert run.shown(2) == []


def test_methods_that_see_the_test_masks_are_human_references_and_never_ranked():
    people, method = run_of(result_of("level-sets")), run_of()
    assert (people.human, people.ranked) == (True, False)
    assert (method.human, method.ranked) == (False, True)


@pytest.mark.parametrize(("method", "samples"), [("proseg", 50), ("unet-majority", 1), ("unet-rater", None)])
def test_s_is_that_of_the_sample_set(method: str, samples: int | None):
    assert run_of(result_of(method)).samples == samples


def test_a_method_that_cannot_be_applies_nowhere():
    idle = result_of(status=Status.NOT_APPLICABLE)
    assert not run_of(idle).applies
    assert run_of(idle, result_of(fold=1)).applies


def test_method_runs_of_the_same_cells_are_the_same(tmp_path: Path):
    run = store_run(tmp_path, "a", StoredCell("proseg", GED), StoredCell("staple", GED))
    again = replace(run, id="b")
    first, second = runs_of(run), runs_of(again)
    assert first[0].same_as(second[0])
    assert not first[0].same_as(first[1])


def test_what_was_packed_is_told_by_its_entry():
    packed = run_of(id="abcdef0123", packed_digest="p", more_caveats=("made up",))
    assert (packed.origin, packed.digest) == ("entry abcdef", "p")
    assert packed.caveats == ("preset quick", "made up")
    assert run_of().digest == result_of().spec.digest


def test_a_method_run_was_written_when_its_last_cell_was():
    cells = [result_of(fold=f, record={"written": day}) for f, day in enumerate(("2026-03", "2026-05", "2026-04"))]
    assert run_of(*cells).written == "2026-05"


def test_an_entry_or_a_run_that_is_read_twice_is_the_same(tmp_path: Path):
    first, again, other = (run_of(result_of(), id=name) for name in ("abc", "abc", "abd"))
    assert first.same_as(again)
    assert not first.same_as(other)
    (whole,) = runs_of(store_run(tmp_path, "a", *(StoredCell("proseg", GED, fold=fold) for fold in (0, 1))))
    shutil.rmtree(whole.results[1].folder)
    left = [
        merged_runs(
            [Run(name, tmp_path, [(one.spec, "") for one in whole.results], {"phantom": whole.description}, "")]
        )
        for name in "ab"
    ]
    assert left[0][0].same_as(left[1][0]), "a cell without a folder too"


def test_folds_of_unequal_numbers_of_seeds_are_told_of():
    seeds = [result_of(fold=fold, seed=seed) for fold, seed in ((0, 0), (0, 1), (1, 0))]
    assert run_of(*seeds).caveats == ("preset quick", "seeds by fold: 2, 1")
    assert run_of(*seeds[::2]).caveats == ("preset quick",)
