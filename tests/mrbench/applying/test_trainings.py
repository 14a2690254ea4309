"""A name means one training, or it lists those that it means."""

from pathlib import Path

import pytest
from stored_runs import StoredCell, cases, store_run

from mrbench.applying.trainings import find_trainings
from mrbench.engine.cell import Status
from mrbench.errors import UnknownNameError, UsageError

SCORED = cases("ged", [0.5])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two folds, one with two seeds; one method once; one that failed; a fusion."""
    places = ((0, 0), (0, 1), (1, 0))
    cells = [StoredCell("proseg", SCORED, fold=fold, seed=seed) for fold, seed in places]
    cells += [StoredCell("unet-majority", SCORED, fold=2), StoredCell("staple", SCORED)]
    store_run(tmp_path, "r", *cells, StoredCell("tab", SCORED, status=Status.FAILED))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("r:phantom:proseg:0:1", ("proseg", 0, 1)),
        ("r:proseg:0:1", ("proseg", 0, 1)),
        ("r:proseg:1", ("proseg", 1, 0)),
        ("r:phantom:proseg:1", ("proseg", 1, 0)),
        ("last:unet-majority", ("unet-majority", 2, 0)),
    ],
)
def test_as_much_of_a_name_as_tells_it_apart_is_enough(out: Path, name: str, place: tuple[str, int, int]):
    chosen = find_trainings(name, out)
    (result,) = chosen.results
    assert (result.spec.method, result.spec.fold, result.spec.seed) == place
    (exact,) = chosen.names
    assert find_trainings(exact, out).names == [exact]


def test_a_run_is_found_by_its_folder_too(out: Path):
    assert find_trainings(f"{out}/runs/r:proseg:1", out).names == ["r:phantom:proseg:1:0"]


def test_several_are_listed_by_their_exact_names_with_exit_code_2(out: Path):
    with pytest.raises(UsageError, match="'r:proseg' means 3 trainings") as caught:
        find_trainings("r:proseg", out)
    names = ["r:phantom:proseg:0:0", "r:phantom:proseg:0:1", "r:phantom:proseg:1:0"]
    assert [line.strip() for line in caught.value.message.splitlines()[2:5]] == names
    assert "--ensemble" in caught.value.hint
    assert caught.value.exit_code == 2
    assert find_trainings("r:proseg", out, ensemble=True).names == names
    assert find_trainings("r:proseg:0", out, ensemble=True).names == names[:2]


def test_an_ensemble_is_of_one_method(out: Path):
    with pytest.raises(UsageError, match="'r' means 4 trainings") as caught:
        find_trainings("r", out, ensemble=True)
    assert "--ensemble" not in caught.value.hint


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("q:proseg:0", UnknownNameError, "unknown run 'q'"),
        ("r:prosegg:1", UnknownNameError, r"unknown training 'prosegg:1' of run r(.|\n)*phantom:proseg:1:0"),
        ("r:proseg:7", UnknownNameError, "unknown training 'proseg:7'"),
        ("r:proseg:0:1:2", UnknownNameError, "unknown training"),
        ("r:staple:0", UsageError, r"has no model(.|\n)*fusion"),
        ("r:tab", UsageError, r"no training that 'r:tab' means has finished(.|\n)*what went wrong"),
    ],
)
def test_what_there_is_not_says_what_there_is(out: Path, name: str, error: type[UsageError], message: str):
    with pytest.raises(error, match=message):
        find_trainings(name, out)
