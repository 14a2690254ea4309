"""``mrbench clean``: what no run refers to goes, and nothing else."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from results_folders import (
    bytes_below,
    shown,
    snapshot,
    store_attempt,
    store_cell_of_no_run,
    store_training,
    stored_cell,
)  # fmt: skip
from stored_runs import store_run

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.clean import removable, remove
from mrbench.engine.store import attempt, attempts
from mrbench.engine.unreferred import What
from mrbench.engine.writing_faults import bytes_text

Call = Callable[..., Result]
OUT = Path("out")


def keep() -> list[CellSpec]:
    """A run with a finished cell, its training, and a failed cell."""
    cells = [stored_cell(fold=0), stored_cell("proseg", fold=0, status=Status.FAILED)]
    store_training(OUT, cells[0])
    return [spec for spec, _ in store_run(OUT, "kept", *cells).cells]


def litter() -> list[Path]:
    """A thing of each kind that goes."""
    cell = stored_cell(fold=2)
    spec = store_cell_of_no_run(OUT, cell)
    failed = store_cell_of_no_run(OUT, stored_cell(fold=3, status=Status.FAILED))
    (OUT / "damaged/cells").mkdir(parents=True)
    (OUT / "damaged/cells/record.json").write_text("damaged")
    trash = spec.folder(OUT).with_name("fold0-seed0.trash-01234567")
    trash.mkdir()
    return [
        spec.folder(OUT), failed.folder(OUT).with_name("fold3-seed0.failed"), store_training(OUT, cell),
        store_training(OUT, stored_cell(fold=4)), store_attempt(spec.folder(OUT), "half.h5"), OUT / "damaged/cells",
        trash,
    ]  # fmt: skip


def test_what_no_run_refers_to_goes_and_the_run_stays_as_it_is(mrbench: Call):
    keep()
    before, numbers = snapshot(OUT), shown(mrbench, OUT, "kept")
    gone = litter()
    freed = bytes_below(OUT) - sum(len(content) for content, _ in before.values())
    result = mrbench("clean", "--out", "out", "--yes")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == f"removed {bytes_text(freed)}"
    assert not [path for path in gone if path.exists()]
    assert snapshot(OUT) == before
    assert shown(mrbench, OUT, "kept") == numbers
    assert mrbench("clean", "--out", "out").stdout == "nothing in out may go\n"


def test_where_nobody_can_be_asked_it_lists_and_removes_nothing(mrbench: Call):
    keep()
    gone = litter()
    before = snapshot(OUT)
    result = mrbench("clean", "--out", "out")
    assert result.exit_code == 1
    assert snapshot(OUT) == before
    for path in gone:
        assert f"  {path.relative_to(OUT)}\n" in result.stdout
    assert result.stdout.endswith("nothing was removed; this removes it:\n  mrbench clean --out out --yes\n")


@pytest.mark.parametrize(("answer", "removed"), [("y", True), ("n", False)])
def test_a_person_is_asked(mrbench: Call, monkeypatch: pytest.MonkeyPatch, answer: str, removed: bool):
    keep()
    gone = litter()
    monkeypatch.setattr("mrbench.cli.clean._can_be_asked", lambda: True)
    monkeypatch.setattr("click.confirm", lambda _: answer == "y")
    assert mrbench("clean", "--out", "out").exit_code == int(not removed)
    assert gone[0].exists() is not removed


def test_what_only_looks_like_a_results_folder_keeps_what_is_not_ours(mrbench: Call):
    for name in ("runs/tensorboard/events", "damaged/photo.jpg", "old.trash-01234567/a", "cells/phantom/note.trash"):
        (OUT / name).parent.mkdir(parents=True, exist_ok=True)
        (OUT / name).write_text("of somebody else")
    before = snapshot(OUT)
    assert mrbench("clean", *(one.value for one in What), "--out", "out").stdout == "nothing in out may go\n"
    assert snapshot(OUT) == before


def test_only_what_is_named_goes(mrbench: Call):
    keep()
    gone = litter()
    assert mrbench("clean", "attempts", "--out", "out", "--yes").exit_code == 0
    assert [path.exists() for path in gone] == [True, True, True, True, False, True, False]


def test_a_training_that_a_cell_needs_goes_with_it_only(mrbench: Call):
    gone = litter()
    assert mrbench("clean", "trainings", "--out", "out", "--yes").exit_code == 0
    assert [path.exists() for path in gone[:4]] == [True, True, True, False]


def test_an_attempt_that_a_run_continues_from_goes_only_where_it_is_named(mrbench: Call):
    _, failed = keep()
    spec = store_run(OUT, "more", stored_cell(fold=7)).cells[0][0]
    folder = store_attempt(spec.training_folder(OUT), "checkpoint/a")
    empty = store_attempt(failed.folder(OUT), "half.h5")
    assert mrbench("clean", "--out", "out", "--yes").exit_code == 0
    assert (folder.exists(), empty.exists()) == (True, False)
    assert mrbench("clean", "checkpoints", "--out", "out", "--yes").exit_code == 0
    assert not folder.exists()


def test_what_a_live_process_is_at_stays(mrbench: Call):
    keep()
    cell = stored_cell(fold=2)
    spec = store_cell_of_no_run(OUT, cell)
    training = store_training(OUT, cell)
    with attempt(spec.folder(OUT), "record.json") as work:
        assert mrbench("clean", "--out", "out", "--yes").exit_code == 0
        assert spec.folder(OUT).is_dir()
        assert work.folder.is_dir()
        assert training.is_dir(), "the cell that is computed may need it"


def test_a_process_that_comes_after_the_list_was_made_is_left_alone(mrbench: Call):
    keep()
    spec = store_cell_of_no_run(OUT, stored_cell(fold=2))
    (one,) = removable(OUT)
    with attempt(spec.folder(OUT), "record.json"):
        assert remove(OUT, one.item).endswith("is at it")
    assert spec.folder(OUT).is_dir()


def test_a_run_that_comes_while_somebody_thinks_keeps_its_cells(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    keep()
    cell = stored_cell(fold=2)
    spec = store_cell_of_no_run(OUT, cell)
    aside = spec.folder(Path("aside"))
    shutil.copytree(spec.folder(OUT), aside)

    def thinking(_: str) -> bool:
        shutil.rmtree(spec.folder(OUT))
        store_run(OUT, "new", cell)
        return True

    monkeypatch.setattr("mrbench.cli.clean._can_be_asked", lambda: True)
    monkeypatch.setattr("click.confirm", thinking)
    result = mrbench("clean", "--out", "out")
    assert result.exit_code == 1
    assert "stays: it is in use by now" in result.stderr
    assert spec.folder(OUT).is_dir()


def test_a_run_that_cannot_be_read_stops_it_before_anything_goes(mrbench: Call):
    keep()
    litter()
    (OUT / "runs/kept/run.json").write_text("{}")
    before = snapshot(OUT)
    result = mrbench("clean", "--out", "out", "--yes")
    assert result.exit_code == 1
    assert "cannot tell what no run refers to: cannot read the run " in result.stderr
    assert "mrbench clean attempts damaged" in result.stderr
    assert snapshot(OUT) == before
    assert mrbench("clean", "attempts", "damaged", "--out", "out", "--yes").exit_code == 0
    assert not (OUT / "damaged").exists()


def test_no_link_leads_out_of_the_folder(mrbench: Call):
    keep()
    outside = Path("outside").resolve()
    spec = store_cell_of_no_run(outside, stored_cell(fold=2))
    before = snapshot(outside)
    here = spec.folder(OUT)
    shutil.rmtree(here, ignore_errors=True)
    here.parent.mkdir(parents=True, exist_ok=True)
    here.symlink_to(spec.folder(outside))
    (OUT / "cells/other").symlink_to(outside / "cells/phantom")
    (OUT / "damaged").symlink_to(outside)
    inner = store_cell_of_no_run(OUT, stored_cell(fold=3)).folder(OUT)
    (inner / "link").symlink_to(outside)
    assert mrbench("clean", "--out", "out", "--yes").exit_code == 0
    assert not inner.exists()
    assert snapshot(outside) == before
    assert here.is_symlink()


def test_a_link_that_takes_the_place_of_a_folder_is_not_followed(mrbench: Call):
    keep()
    spec = store_cell_of_no_run(OUT, stored_cell("staple"))
    (one,) = removable(OUT)
    moved = Path("outside").resolve()
    (OUT / "cells/phantom/staple").rename(moved)
    (OUT / "cells/phantom/staple").symlink_to(moved)
    assert remove(OUT, one.item) == "a link stands in its path"
    assert spec.folder(OUT).is_dir()


def test_a_removal_that_is_interrupted_leaves_nothing_half(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    keep()
    before, numbers = snapshot(OUT), shown(mrbench, OUT, "kept")
    litter()
    unlink, calls = os.unlink, []

    def interrupted(*args: object, **more: object) -> None:
        calls.append(args)
        if len(calls) > 2:
            raise KeyboardInterrupt
        unlink(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr("os.unlink", interrupted)
        assert "Aborted!" in mrbench("clean", "cells", "--out", "out", "--yes").stderr
    halves = [path.parent for path in OUT.glob("cells/*/*/*/*/record.json") if ".trash-" not in path.parent.name]
    assert all(is_whole(path) for path in halves)
    assert not attempts(OUT / "cells")
    assert shown(mrbench, OUT, "kept") == numbers
    assert mrbench("clean", "--out", "out", "--yes").exit_code == 0
    assert snapshot(OUT) == before


def is_whole(folder: Path) -> bool:
    from mrbench.engine.damage import fault_of_cell

    return folder.name.endswith(".failed") or fault_of_cell(folder) is None


def test_what_cannot_be_removed_is_named(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    keep()
    spec = store_cell_of_no_run(OUT, stored_cell(fold=2))

    def refusing(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(self))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refusing)
        result = mrbench("clean", "--out", "out", "--yes")
    assert result.exit_code == 1
    assert "stays: it cannot be removed: Permission denied" in result.stderr
    assert spec.folder(OUT).is_dir()


def test_runs_of_other_code_go_where_they_are_named_and_shared_cells_stay(
    mrbench: Call, monkeypatch: pytest.MonkeyPatch
):
    old, new = (stored_cell(fold=0, spec={"training_code": letter * 64}) for letter in "ab")
    fusion = stored_cell("staple")
    first = store_run(OUT, "old", old, fusion)
    (first.folder / "logs").mkdir()
    (first.folder / "logs" / "a").write_text("said")
    from mrbench.engine.run import Run

    second = store_run(OUT, "new", new)
    Run("new", OUT, [*second.cells, first.cells[1]], first.descriptions, "mrbench run").write()
    training = store_training(OUT, old)
    numbers = shown(mrbench, OUT, "new")
    monkeypatch.setattr(
        "mrbench.engine.other_code.other_code", lambda spec, _: "a.py" if spec.training_code == "a" * 64 else ""
    )
    assert mrbench("clean", "--out", "out").stdout == "nothing in out may go\n"
    assert mrbench("clean", "other-code", "--out", "out", "--yes").exit_code == 0
    assert [path.name for path in (OUT / "runs").iterdir()] == ["new"]
    assert not first.cells[0][0].folder(OUT).exists()
    assert not training.exists()
    assert shown(mrbench, OUT, "new") == numbers


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> CellSpec:
    """A run whose one cell is of other code."""
    monkeypatch.setattr("mrbench.engine.other_code.other_code", lambda *_: "a.py")
    return store_run(OUT, "old", stored_cell()).cells[0][0]


def test_a_run_that_a_process_is_at_is_not_of_other_code(mrbench: Call, old: CellSpec):
    with attempt(old.training_folder(OUT), "training.json"):
        assert mrbench("clean", "other-code", "--out", "out").stdout == "nothing in out may go\n"


def test_where_a_run_cannot_go_its_cells_stay_too(mrbench: Call, old: CellSpec, monkeypatch: pytest.MonkeyPatch):
    unlink = Path.unlink

    def refusing(self: Path, missing_ok: bool = False) -> None:
        if self.name == "run.json":
            raise PermissionError(13, "Permission denied", str(self))
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refusing)
    result = mrbench("clean", "other-code", "--out", "out", "--yes")
    assert result.exit_code == 1
    assert "runs/old stays: it cannot be removed: Permission denied" in result.stderr
    assert "stays: a run that refers to it stays" in result.stderr
    assert old.folder(OUT).is_dir()


def test_a_training_of_other_code_that_a_cell_of_no_run_needs_stays(mrbench: Call, old: CellSpec):
    training = store_training(OUT, stored_cell())
    other = store_cell_of_no_run(OUT, stored_cell("proseg")).folder(OUT)
    assert mrbench("clean", "other-code", "--out", "out", "--yes").exit_code == 0
    assert (old.folder(OUT).exists(), training.exists(), other.exists()) == (False, True, True)
    assert mrbench("clean", "--out", "out", "--yes").exit_code == 0
    assert (training.exists(), other.exists()) == (False, False)


def test_a_run_with_a_cell_of_this_code_that_no_other_run_shows_stays(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    old = stored_cell(fold=0, spec={"training_code": "a" * 64})
    store_run(OUT, "mixed", old, stored_cell("staple"))
    monkeypatch.setattr("mrbench.engine.other_code.other_code", lambda spec, _: "a.py" if spec.training_code else "")
    assert mrbench("clean", "other-code", "--out", "out").stdout == "nothing in out may go\n"
