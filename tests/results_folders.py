"""Results folders with a thing of each kind, and what their runs show."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import Result
from stored_runs import StoredCell, cases, spec_of, store_run

from mrbench.engine.build import TRAINED
from mrbench.engine.cell import CellSpec
from mrbench.engine.manifest import FILES, files_of, write_sealed

Call = Callable[..., Result]
SQUARE = np.pad(np.ones((2, 2), np.float32), 1)
DRAWN = {"s, 0": (SQUARE[None], [SQUARE], {})}


def stored_cell(method: str = "proseg-prior", fold: int = 0, value: float = 0.5, **more: Any) -> StoredCell:
    """A cell with one value of one metric."""
    return StoredCell(method, cases("ged", [value]), fold=fold, **more)


def store_training(results: Path, cell: StoredCell, weights: bytes = b"weights of the body") -> Path:
    """Writes the training that a cell needs; returns its folder."""
    folder = spec_of(cell).training_folder(results)
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "body.pt").write_bytes(weights)
    write_sealed(folder / TRAINED, {"facts": {}, "fit": {}, FILES: files_of(folder, TRAINED)})
    return folder


def store_cell_of_no_run(results: Path, cell: StoredCell) -> CellSpec:
    """Writes a cell and removes the run that it was written for."""
    run = store_run(results, "gone", cell)
    (run.folder / "run.json").unlink()
    run.folder.rmdir()
    return run.cells[0][0]


def store_attempt(final: Path, *files: str) -> Path:
    """An attempt at a cell or training whose owner is gone, with files of ten bytes."""
    folder = final.with_name(f"{final.name}.attempt-0123456789ab")
    for name in ("lease.json", *files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x" * 10)
    return folder


def bytes_below(folder: Path) -> int:
    """The sum of the sizes of all regular files, links aside."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def shown(mrbench: Call, out: Path, run: str) -> dict[str, Any]:
    """The numbers of a run's tables and where its cells stand."""
    content = json.loads(mrbench("show", run, "--out", str(out), "--json").stdout)
    rows = [(row["method"], row["metrics"], row["cells"]) for table in content["tables"] for row in table["rows"]]
    return {"rows": rows, "cells": [(cell["cell"], cell["status"]) for cell in content["cells"]]}


def snapshot(folder: Path) -> dict[Path, tuple[bytes, int]]:
    """Content and time of every file."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
