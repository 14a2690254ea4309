"""Which methods are compared with which."""

from pathlib import Path

import pytest
from stored_runs import StoredCell, cases, store_run

from mrbench.comparison.pairs import Pairing, pair, pair_between, pair_within
from mrbench.comparison.selection import parse_operand
from mrbench.engine.cell import CellSpec
from mrbench.engine.run import Run
from mrbench.errors import IncompatibleError, UnknownNameError, UsageError

GED = cases("ged", [0.1], [0.2])


def run_of(results: Path, name: str, *methods: str, dataset: str = "phantom", **spec) -> None:
    own = {"samples": 50} | spec
    store_run(results, name, *(StoredCell(method, GED, spec=own) for method in methods), dataset=dataset)


def names(pairing: Pairing) -> list[tuple[str, str]]:
    return [(pair.a.method, pair.b.method) for pair in pairing.pairs]


def between(results: Path, a: str, b: str) -> Pairing:
    return pair_between(parse_operand(a, results), parse_operand(b, results))


def test_the_methods_of_a_run_are_compared_with_the_first_that_is_no_bound(tmp_path: Path):
    run_of(tmp_path, "r", "staple", "proseg", "unet-majority")
    found = pair_within(parse_operand("r", tmp_path))
    assert names(found) == [("proseg", "unet-majority"), ("proseg", "staple")]
    assert "--against" in found.how


def test_or_with_the_one_that_is_named(tmp_path: Path):
    run_of(tmp_path, "r", "staple", "proseg", "unet-majority")
    found = pair_within(parse_operand("r", tmp_path), "unet-majority")
    assert names(found) == [("unet-majority", "proseg"), ("unet-majority", "staple")]


def test_two_runs_pair_methods_of_equal_names(tmp_path: Path):
    run_of(tmp_path, "a", "proseg", "unet-majority")
    run_of(tmp_path, "b", "unet-majority", "proseg", "staple", samples=4)
    found = between(tmp_path, "a", "b")
    assert names(found) == [("proseg", "proseg"), ("unet-majority", "unet-majority")]
    assert found.how == "methods of equal names"


def test_two_runs_without_an_equal_name_are_asked_about(tmp_path: Path):
    run_of(tmp_path, "a", "proseg", "unet-majority")
    run_of(tmp_path, "b", "proseg-prior", "staple")
    with pytest.raises(UsageError, match="run a and run b have no method in common: which with which") as caught:
        between(tmp_path, "a", "b")
    assert caught.value.expected == "a: proseg, unet-majority; b: proseg-prior, staple"
    assert "mrbench compare a:proseg b:staple" in caught.value.hint
    assert "--against METHOD" in caught.value.hint


def test_the_one_method_of_a_run_is_compared_with_all_of_the_other(tmp_path: Path):
    run_of(tmp_path, "a", "proseg")
    run_of(tmp_path, "b", "proseg-prior", "staple")
    found = between(tmp_path, "a", "b")
    assert names(found) == [("proseg", "proseg-prior"), ("proseg", "staple")]
    assert found.how == "no equal names: the one method against all of the other run"


def test_three_runs_are_one_table_whose_first_row_is_compared_with_the_others(tmp_path: Path):
    run_of(tmp_path, "a", "proseg", "staple")
    run_of(tmp_path, "b", "unet-majority")
    run_of(tmp_path, "c", "proseg-prior")
    found = pair([parse_operand(run, tmp_path) for run in "abc"])
    assert names(found) == [("proseg", name) for name in ("staple", "unet-majority", "proseg-prior")]


def test_against_names_the_first_of_several_runs(tmp_path: Path):
    run_of(tmp_path, "a", "proseg", "unet-majority")
    run_of(tmp_path, "b", "proseg-prior")
    found = pair([parse_operand(run, tmp_path) for run in "ab"], "proseg-prior")
    assert names(found) == [("proseg-prior", "proseg"), ("proseg-prior", "unet-majority")]
    with pytest.raises(UnknownNameError, match="unknown method 'staple' in these runs"):
        pair([parse_operand(run, tmp_path) for run in "ab"], "staple")


def test_each_run_is_compared_within_itself(tmp_path: Path):
    run_of(tmp_path, "a", "proseg", "unet-majority")
    run_of(tmp_path, "b", "proseg", "unet-majority", samples=4)
    found = pair([parse_operand(run, tmp_path) for run in "ab"], "unet-majority", each=True)
    assert [(one.a.runs, one.a.method, one.b.runs, one.b.method) for one in found.pairs] == [
        (("a",), "unet-majority", ("a",), "proseg"),
        (("b",), "unet-majority", ("b",), "proseg"),
    ]


def test_named_methods_are_paired_whatever_their_names(tmp_path: Path):
    run_of(tmp_path, "a", "proseg", "unet-majority")
    run_of(tmp_path, "b", "proseg", "staple", samples=4)
    assert names(between(tmp_path, "a:proseg", "b:staple")) == [("proseg", "staple")]
    assert names(between(tmp_path, "a:proseg", "b")) == [("proseg", "proseg")]
    assert names(between(tmp_path, "a:unet-majority", "b")) == [
        ("unet-majority", "proseg"),
        ("unet-majority", "staple"),
    ]


def copy_of(run: Run, name: str) -> None:
    Run(name, run.results, run.cells, run.descriptions, run.command).write()


def test_cells_that_two_runs_share_are_not_compared_with_themselves(tmp_path: Path):
    copy_of(store_run(tmp_path, "a", StoredCell("proseg", GED), StoredCell("staple", GED)), "b")
    with pytest.raises(UsageError, match="have no method in common that differs: which with which"):
        between(tmp_path, "a", "b")
    found = between(tmp_path, "a", "b:staple")
    assert names(found) == [("proseg", "staple")]
    assert list(found.notes) == ["staple: the same cells in both"]
    with pytest.raises(UsageError, match="staple of run a and staple of run b are the same cells"):
        between(tmp_path, "a:staple", "b:staple")


def test_runs_without_a_data_set_in_common_are_incompatible(tmp_path: Path):
    run_of(tmp_path, "a", "proseg")
    run_of(tmp_path, "b", "proseg", dataset="lidc")
    with pytest.raises(IncompatibleError, match="run a and run b have no data set in common") as caught:
        between(tmp_path, "a", "b")
    assert (caught.value.expected, caught.value.found, caught.value.exit_code) == ("phantom", "lidc", 4)


@pytest.mark.parametrize(("field", "word"), [("data_digest", "data"), ("split_digest", "splits")])
def test_data_and_splits_are_never_mixed(tmp_path: Path, field: str, word: str):
    run_of(tmp_path, "a", "proseg")
    run_of(tmp_path, "b", "proseg", **{field: "e" * 64})
    (found,) = between(tmp_path, "a", "b").pairs
    with pytest.raises(IncompatibleError, match=f"were tested on different {word} of 'phantom'") as caught:
        found.check_same_data()
    assert "eeeeeeeeeeee" in caught.value.found
    assert "--allow-mixed" in caught.value.hint
    assert found.mixed[0].startswith(f"MIXED: tested on different {word}")


def test_what_cannot_be_is_left_out_and_said(tmp_path: Path):
    run = store_run(tmp_path, "a", *(StoredCell(method, GED) for method in ("proseg", "unet-majority", "staple")))

    def refused(spec: CellSpec) -> str:
        return "takes two classes" if spec.method == "staple" else ""

    Run("b", tmp_path, [(spec, refused(spec)) for spec, _ in run.cells], run.descriptions, "").write()
    found = pair_within(parse_operand("b", tmp_path))
    assert names(found) == [("proseg", "unet-majority")]
    assert list(found.notes) == ["staple on phantom: not applicable"]


def test_one_method_has_nothing_to_be_compared_with(tmp_path: Path):
    run_of(tmp_path, "r", "proseg", "staple")
    run_of(tmp_path, "single", "proseg-prior")
    with pytest.raises(UsageError, match="proseg of run r has nothing beside it") as caught:
        pair_within(parse_operand("r:proseg", tmp_path))
    assert "mrbench compare r --against proseg" in caught.value.hint
    with pytest.raises(UsageError, match="run single has one method only"):
        pair_within(parse_operand("single", tmp_path))
    with pytest.raises(UnknownNameError, match="unknown method 'stapel'"):
        pair_within(parse_operand("r", tmp_path), "stapel")
