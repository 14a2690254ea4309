"""``mrbench repair``: every byte is looked at; what is damaged is moved aside, that and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from stored_runs import StoredCell, cases, store_run

from mrbench.engine.build import TRAINED
from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.manifest import FILES, files_of, write_sealed

Call = Callable[..., Result]
SQUARE = np.pad(np.ones((2, 2), np.float32), 1)
DRAWN = {"s, 0": (SQUARE[None], [SQUARE], {})}
FUSIONS = (
    "run", "--method", "majority-vote", "--method", "staple", "--dataset", "phantom", "--set", "phantom.subjects=9",
    "--set", "phantom.size=32", "--fold", "0", "--out", "out",
)  # fmt: skip


def flip(path: Path) -> bytes:
    """Changes one bit in the middle of a file; returns its content."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return bytes(content)


def snapshot(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def stored(out: Path) -> list[CellSpec]:
    """Two finished cells that share a training's folder with nobody, and one that failed."""
    cells = [StoredCell("proseg-prior", drawn=DRAWN, fold=fold) for fold in (0, 1)]
    failed = StoredCell("proseg", cases("ged", [0.5]), status=Status.FAILED)
    specs = [spec for spec, _ in store_run(out, "r", *cells, failed).cells]
    for spec in specs[:2]:
        folder = spec.training_folder(out)
        (folder / "weights").mkdir(parents=True)
        (folder / "weights" / "body.pt").write_bytes(b"weights of the body")
        write_sealed(folder / TRAINED, {"facts": {}, "fit": {}, FILES: files_of(folder, TRAINED)})
    return specs


def test_a_whole_run_is_left_as_it_is(mrbench: Call):
    stored(Path("out"))
    before = snapshot(Path("out"))
    result = mrbench("repair", "r", "--out", "out")
    assert (result.exit_code, result.stdout) == (0, "run r: every file of its 3 cells is what was written\n")
    assert snapshot(Path("out")) == before


@pytest.mark.parametrize("name", ["record.json", "predictions.h5", "cases.csv.gz"])
def test_a_damaged_cell_is_moved_aside_and_nothing_else(mrbench: Call, name: str):
    spec, *_ = stored(Path("out"))
    path = spec.folder(Path("out")) / name
    content = flip(path)
    before = snapshot(Path("out"))
    result = mrbench("repair", "r", "--out", "out")
    assert result.exit_code == 1
    line, *rest = result.stdout.splitlines()
    moved = Path("out/damaged") / path.relative_to("out")
    assert str(path) in line
    assert f"the cell was moved to {moved.parent}" in line
    assert rest == ["computed anew by:", "  mrbench run"]
    assert moved.read_bytes() == content
    others = {path: content for path, content in before.items() if path.parent != spec.folder(Path("out"))}
    after = snapshot(Path("out"))
    assert {path: content for path, content in after.items() if "damaged" not in path.parts} == others
    assert len(after) == len(before), "nothing is deleted"
    assert mrbench("repair", "r", "--out", "out").exit_code == 0


@pytest.mark.parametrize("name", [TRAINED, "weights/body.pt"])
def test_a_damaged_training_is_moved_aside_and_its_whole_cell_stays(mrbench: Call, name: str):
    spec, *_ = stored(Path("out"))
    flip(spec.training_folder(Path("out")) / name)
    result = mrbench("repair", "r", "--out", "out")
    assert result.exit_code == 1
    line, _, command = result.stdout.splitlines()
    assert str(spec.training_folder(Path("out")) / name) in line
    assert "the training was moved to out/damaged/trainings/phantom/" in line
    assert command.startswith("  mrbench run --method proseg-prior --seed 0 ")
    assert command.endswith("--out out --force")
    assert (spec.folder(Path("out")) / "record.json").is_file()
    assert not spec.training_folder(Path("out")).exists()


def test_a_damaged_record_of_a_failure_is_moved_aside_too(mrbench: Call):
    *_, spec = stored(Path("out"))
    failed = spec.folder(Path("out")).with_name("fold0-seed0.failed")
    flip(failed / "record.json")
    assert "damaged: " in mrbench("show", "r", "--out", "out").stdout
    assert mrbench("repair", "r", "--out", "out").exit_code == 1
    assert not failed.exists()


def test_what_is_damaged_again_lies_beside_what_was_damaged_before(mrbench: Call):
    import shutil

    spec, *_ = stored(Path("out"))
    folder = spec.folder(Path("out"))
    shutil.copytree(folder, "whole")
    for _ in range(2):
        flip(folder / "cases.csv.gz")
        assert mrbench("repair", "r", "--out", "out").exit_code == 1
        shutil.copytree("whole", folder)
    assert len(list(Path("out/damaged").glob("cells/*/*/*/fold0-seed0*"))) == 2


def test_a_cell_that_another_process_is_computing_is_left_alone(mrbench: Call):
    from mrbench.engine.store import attempt

    spec, *_ = stored(Path("out"))
    flip(spec.folder(Path("out")) / "cases.csv.gz")
    with attempt(spec.folder(Path("out")), "record.json"):
        assert mrbench("repair", "r", "--out", "out").exit_code == 0
    assert (spec.folder(Path("out")) / "cases.csv.gz").is_file()


@pytest.mark.parametrize("name", ["predictions.h5", "cases.csv.gz", "record.json"])
def test_the_same_run_notices_damage_computes_that_cell_again_and_keeps_the_others(mrbench: Call, name: str):
    assert mrbench(*FUSIONS).exit_code == 0
    right = json.loads(mrbench("show", "--out", "out", "--json").stdout)["tables"]
    (folder,) = Path("out").glob("cells/phantom/staple/*/fold0-seed0")
    content = flip(folder / name)
    again = mrbench(*FUSIONS)
    assert again.exit_code == 0
    assert again.stderr.count("finished before, kept") == 1
    (line,) = (line for line in again.stderr.splitlines() if "moved to" in line)
    assert str(folder / name) in line
    assert (Path("out/damaged") / folder.relative_to("out") / name).read_bytes() == content
    found = json.loads(mrbench("show", "--out", "out", "--json").stdout)["tables"]
    assert [[row["metrics"] for row in table["rows"]] for table in found] == [
        [row["metrics"] for row in table["rows"]] for table in right
    ]
    assert mrbench("repair", "--out", "out").exit_code == 0
