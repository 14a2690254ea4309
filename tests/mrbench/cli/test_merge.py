"""``mrbench merge``: everything of all folders, each cell once, and nothing that is not what was written."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from results_folders import DRAWN, shown, snapshot, store_training, stored_cell
from stored_runs import StoredCell, store_run

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.run import open_run
from mrbench.engine.store import attempt

Call = Callable[..., Result]
A, B, C = Path("a"), Path("b"), Path("c")
MERGE = ("merge", "a", "b", "--out", "c")


def content(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): found for path, (found, _) in snapshot(folder).items()}


def fill() -> dict[str, CellSpec]:
    """Two folders that share a cell and a training, each with one more; B with a failure."""
    shared, first, second = (stored_cell(fold=fold, value=value) for fold, value in ((0, 0.5), (1, 0.25), (2, 0.75)))
    failed = stored_cell("proseg", status=Status.FAILED)
    store_run(A, "of a", shared, first)
    store_run(B, "of b", shared, second, failed)
    for results, cell in ((A, shared), (A, first), (B, shared), (B, second)):
        store_training(results, cell)
    names = ("shared", "first", "second", "failed")
    specs = [*open_run("of a", A).cells, *open_run("of b", B).cells[1:]]
    return dict(zip(names, (spec for spec, _ in specs), strict=True))


def refused(result: Result) -> list[str]:
    """The lines of what was refused."""
    assert result.exit_code == 1
    return [line for line in result.stderr.splitlines() if line.startswith("refused: ")]


def test_the_merged_folder_shows_what_each_folder_shows(mrbench: Call):
    fill()
    before = snapshot(A), snapshot(B)
    numbers = shown(mrbench, A, "of a"), shown(mrbench, B, "of b")
    result = mrbench(*MERGE)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "trainings: 3 copied, 1 kept, 0 refused",
        "cells: 3 copied, 1 kept, 0 refused",
        "failed cells: 1 copied, 0 kept, 0 refused",
        "runs: 2 copied, 0 kept, 0 refused",
    ]
    assert (shown(mrbench, C, "of a"), shown(mrbench, C, "of b")) == numbers
    assert content(C) == content(B) | content(A)
    assert (snapshot(A), snapshot(B)) == before, "the sources are only read"


def test_merging_twice_is_merging_once(mrbench: Call):
    fill()
    mrbench(*MERGE)
    before = snapshot(C)
    result = mrbench(*MERGE)
    assert result.exit_code == 0
    assert " 0 copied" in result.stdout
    assert snapshot(C) == before


def test_a_folder_that_is_there_takes_what_it_lacks(mrbench: Call):
    fill()
    mrbench(*MERGE)
    before = snapshot(A)
    assert mrbench("merge", "b", "--out", "a").exit_code == 0
    assert content(A) == content(C)
    assert {path: found for path, found in snapshot(A).items() if path in before} == before


def test_the_last_run_is_the_newest_of_both(mrbench: Call):
    fill()
    os.utime(A / "runs/of a/run.json", (2_000_000_000, 2_000_000_000))
    mrbench(*MERGE)
    assert open_run("last", C).id == "of a"


@pytest.mark.parametrize("after", range(7))
def test_an_interruption_between_any_two_things_loses_nothing(
    mrbench: Call, monkeypatch: pytest.MonkeyPatch, after: int
):
    fill()
    mrbench(*MERGE)
    whole = content(C)
    shutil.rmtree(C)
    from mrbench.engine.store import Attempt

    complete, done = Attempt.complete, []

    def interrupted(self: Attempt) -> None:
        if len(done) == after:
            raise RuntimeError("the machine ends")
        done.append(self.final)
        complete(self)

    with monkeypatch.context() as patched:
        patched.setattr(Attempt, "complete", interrupted)
        with pytest.raises(RuntimeError, match="the machine ends"):
            mrbench(*MERGE)
    assert content(C).items() <= whole.items(), "what is there is whole"
    assert len(done) == after
    assert mrbench(*MERGE).exit_code == 0
    assert content(C) == whole


def test_a_copy_that_was_killed_in_the_middle_is_made_anew(mrbench: Call):
    spec = fill()["first"]
    mrbench(*MERGE)
    whole = content(C)
    final = spec.folder(C)
    half = final.rename(final.with_name(f"{final.name}.attempt-0123456789ab"))
    (half / "lease.json").write_text(json.dumps({"host": "h", "process": 1, "started": "1", "expiry": 0}))
    (half / "cases.csv.gz").write_bytes(b"half")
    (half / "record.json").unlink()
    assert mrbench(*MERGE).exit_code == 0
    assert content(C) == whole


def test_other_content_under_one_digest_is_refused_and_the_rest_goes_on(mrbench: Call):
    fill()
    spec = store_run(B, "other", stored_cell(fold=1, value=0.9)).cells[0][0]
    numbers = shown(mrbench, A, "of a")
    (line,) = refused(mrbench(*MERGE))
    assert f"{spec.folder(B)} and {spec.folder(C)} are one by their digest and differ in cases.csv.gz" in line
    assert content(spec.folder(C)) == content(spec.folder(A))
    assert shown(mrbench, C, "of a") == numbers
    assert (C / "runs/of b/run.json").is_file()


def test_other_weights_under_one_digest_are_refused(mrbench: Call):
    fill()
    cell = stored_cell(fold=2)
    folder = store_training(A, cell, b"other weights")
    (line,) = refused(mrbench(*MERGE))
    assert "differ in weights/body.pt" in line
    assert (C / folder.relative_to(A) / "weights/body.pt").read_bytes() == b"other weights"


def test_curves_hold_seconds_and_make_no_cell_another(mrbench: Call):
    from mrbench.engine.build import TRAINED
    from mrbench.engine.manifest import FILES, files_of, write_sealed

    fill()
    for results in (A, B):
        (folder,) = results.glob("trainings/*/*/*/fold0-*")
        (folder / "curves.csv").write_text(f"seconds\n{results}\n")
        write_sealed(folder / TRAINED, {"facts": {}, "fit": {}, FILES: files_of(folder, TRAINED)})
    assert mrbench(*MERGE).exit_code == 0
    (kept,) = C.glob("trainings/*/*/*/fold0-*/curves.csv")
    assert kept.read_text() == "seconds\na\n"


def flip(path: Path) -> None:
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 1
    path.write_bytes(found)


@pytest.mark.parametrize("name", ["record.json", "cases.csv.gz"])
def test_a_damaged_cell_is_refused_and_the_rest_goes_on(mrbench: Call, name: str):
    spec = fill()["second"]
    flip(spec.folder(B) / name)
    (line,) = refused(mrbench(*MERGE))
    assert str(spec.folder(B)) in line
    assert not spec.folder(C).exists()
    assert not list(C.rglob("*.attempt-*"))
    assert len(list(C.glob("cells/*/*/*/*/record.json"))) == 3


@pytest.mark.parametrize("number", [5, 13], ids=["a broken disk", "no permission"])
def test_a_file_that_cannot_be_read_is_refused_and_the_rest_goes_on(
    mrbench: Call, monkeypatch: pytest.MonkeyPatch, number: int
):
    table = fill()["second"].folder(B) / "cases.csv.gz"
    opened = Path.open

    def refusing(self: Path, *args: str, **more: str) -> object:
        if self == table:
            raise OSError(number, os.strerror(number), str(self))
        return opened(self, *args, **more)

    monkeypatch.setattr(Path, "open", refusing)
    (line,) = refused(mrbench(*MERGE))
    assert line == f"refused: cannot read {table}: {os.strerror(number)}"
    assert len(list(C.glob("cells/*/*/*/*/record.json"))) == 3
    assert not list(C.rglob("*.attempt-*"))


def test_damaged_weights_are_refused(mrbench: Call):
    spec = fill()["second"]
    flip(spec.training_folder(B) / "weights/body.pt")
    (line,) = refused(mrbench(*MERGE))
    assert str(spec.training_folder(B)) in line
    assert not spec.training_folder(C).exists()


def test_a_damaged_run_is_refused_and_its_cells_are_there(mrbench: Call):
    specs = fill()
    flip(B / "runs/of b/run.json")
    (line,) = refused(mrbench(*MERGE))
    assert "b/runs/of b" in line
    assert [path.name for path in (C / "runs").iterdir()] == ["of a"]
    assert specs["second"].folder(C).is_dir()


def test_a_finished_cell_stands_for_a_failed_one(mrbench: Call):
    store_run(A, "one", stored_cell(status=Status.FAILED))
    spec = store_run(B, "one", stored_cell()).cells[0][0]
    for first, second, out in (("a", "b", "c"), ("b", "a", "d")):
        assert mrbench("merge", first, second, "--out", out).exit_code == 0
        assert [path.name for path in spec.folder(Path(out)).parent.iterdir()] == ["fold0-seed0"]


def test_cells_of_runs_of_one_id_are_put_together(mrbench: Call):
    store_run(A, "one", stored_cell(fold=0), stored_cell(fold=1))
    store_run(B, "one", stored_cell(fold=1), stored_cell(fold=2))
    assert mrbench(*MERGE).exit_code == 0
    assert [spec.fold for spec, _ in open_run("one", C).cells] == [0, 1, 2]
    before = snapshot(C)
    assert mrbench(*MERGE).exit_code == 0
    assert snapshot(C) == before
    assert [status for _, status in shown(mrbench, C, "one")["cells"]] == ["ok"] * 3


def with_description(results: Path, **change: str) -> None:
    run = open_run("one", results)
    replace(run, descriptions={"phantom": {**run.descriptions["phantom"], **change}}).write()


def test_runs_of_one_id_that_describe_their_data_differently_are_refused(mrbench: Call):
    store_run(A, "one", stored_cell(fold=0))
    store_run(B, "one", stored_cell(fold=1))
    with_description(B, version="2")
    (line,) = refused(mrbench(*MERGE))
    root = Path.cwd()
    assert f"{root / 'b/runs/one'} and {root / 'c/runs/one'} are runs of one id" in line
    assert [spec.fold for spec, _ in open_run("one", C).cells] == [0]


def test_what_another_process_is_at_is_left_to_it(mrbench: Call):
    spec = fill()["first"]
    with attempt(spec.folder(C), "record.json") as work:
        (line,) = refused(mrbench(*MERGE))
        work.discard()
        assert "another process is computing fold1-seed0" in line
    assert mrbench(*MERGE).exit_code == 0
    assert spec.folder(C).is_dir()


def seal(folder: Path, files: Mapping[str, Mapping[str, object]]) -> None:
    """Writes the record of a cell anew, with files of somebody's choice."""
    from mrbench.engine.manifest import SEAL, write_sealed

    record = json.loads((folder / "record.json").read_text())
    del record[SEAL]
    write_sealed(folder / "record.json", {**record, "files": files})


def test_a_record_that_names_files_outside_its_folder_writes_none(mrbench: Call):
    from mrbench.engine.manifest import facts_of

    spec = fill()["second"]
    Path("secret").write_text("secret")
    for name in ("../../../../../../secret", str(Path("secret").resolve())):
        seal(spec.folder(B), {name: facts_of(Path("secret"))})
        (line,) = refused(mrbench(*MERGE))
        assert f"a file of {spec.folder(B)} lies outside: {name}" in line
    assert not spec.folder(C).exists()


def test_links_to_outside_are_refused(mrbench: Call):
    specs = fill()
    outside = Path("outside").resolve()
    outside.mkdir()
    table = specs["second"].folder(B) / "cases.csv.gz"
    table.rename(outside / "table")
    table.symlink_to(outside / "table")
    whole = specs["first"].folder(A)
    whole.rename(outside / "cell")
    whole.symlink_to(outside / "cell")
    lines = refused(mrbench(*MERGE))
    assert [f"{whole} is a link: not followed" in lines[0], f"{table} is no plain file" in lines[1]] == [True, True]
    assert not [path for path in C.rglob("*") if path.is_symlink()]
    assert {path.name for path in C.glob("cells/*/proseg-prior/*/*")} == {"fold0-seed0"}


def test_a_cell_that_was_moved_elsewhere_is_refused(mrbench: Call):
    spec = fill()["second"]
    other = spec.folder(B).with_name("fold5-seed0")
    spec.folder(B).rename(other)
    (line,) = refused(mrbench(*MERGE))
    assert f"the cell {other} is not where it was computed" in line


def test_files_where_folders_should_be_are_refused(mrbench: Call):
    specs = fill()
    (B / "cells/note.txt").write_text("of nobody")
    table = specs["second"].folder(B) / "cases.csv.gz"
    table.unlink()
    table.mkdir()
    C.mkdir()
    (C / "trainings").write_text("a file")
    lines = refused(mrbench(*MERGE))
    assert len([line for line in lines if "cannot copy" in line and "trainings" in line]) == 4
    assert [line for line in lines if f"{table} is no plain file" in line]
    assert len(list(C.glob("cells/*/*/*/*/record.json"))) == 3


def test_a_full_disk_ends_it_and_the_same_command_goes_on(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    fill()

    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    with monkeypatch.context() as patched:
        patched.setattr("mrbench.engine.merge.shutil.copyfile", full)
        result = mrbench(*MERGE)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert "make room and run the same command again" in result.stderr
    for lease in C.rglob("lease.json"):
        lease.write_text("{}")  # its process has ended
    assert mrbench(*MERGE).exit_code == 0
    assert content(C) == content(B) | content(A)


@pytest.mark.parametrize(("words", "said"), [
    (("merge", "a", "--out", "a"), "cannot merge a into a"),
    (("merge", "a", "--out", "a/inner"), "cannot merge a into a/inner"),
    (("merge", "a", "nothing", "--out", "c"), "there are no results in nothing"),
    (("merge", "a"), "Missing option '--out'"),
])  # fmt: skip
def test_folders_that_cannot_be_merged_are_refused_before_anything_is_written(
    mrbench: Call, words: tuple[str, ...], said: str
):
    fill()
    before = snapshot(A)
    result = mrbench(*words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert snapshot(A) == before
    assert not C.exists()


def test_predictions_come_along(mrbench: Call):
    spec = store_run(A, "one", StoredCell("proseg-prior", drawn=DRAWN)).cells[0][0]
    assert mrbench("merge", "a", "--out", "c").exit_code == 0
    assert (spec.folder(C) / "predictions.h5").read_bytes() == (spec.folder(A) / "predictions.h5").read_bytes()
    assert mrbench("repair", "one", "--out", "c").exit_code == 0
