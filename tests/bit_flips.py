"""Single bits flipped in every kind of stored file: each is told of, harmless, computed again, or another number.

Run: python tests/bit_flips.py [FLIPS], which prints the counts by kind.
"""

import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from full_disk import plan_of
from stored_runs import lines_of

from mrbench.engine import worker
from mrbench.engine.build import load_weights, method_of, read_training
from mrbench.engine.checkpoints import load_checkpoints
from mrbench.engine.initial import untrained
from mrbench.engine.run import Run, open_run, run_of
from mrbench.engine.score import applicable_metrics
from mrbench.engine.store import CHECKPOINT
from mrbench.errors import MrbenchError
from mrbench.leaderboard.add import add
from mrbench.leaderboard.pack import candidates, pack
from mrbench.leaderboard.store import read_entry
from mrbench.metrics.protocol import PUBLISHED, STRICT
from mrbench.registry import Registry, discover
from mrbench.results.curves import read_curves

TOLD, HARMLESS, AGAIN, SILENT = "told", "harmless", "computed again", "another number"


@dataclass(frozen=True)
class Kind:
    """Stored files of one kind.

    Attributes:
        files: to flip bits in.
        read: everything that is taken from them for a number; None where it would be computed again.
        named: what messages call a file. Of a run it is the folder; whoever lists entries says which one it is.
    """

    files: list[Path]
    read: Callable[[], Any]
    named: Callable[[Path], str] = str


def of_folder(path: Path) -> str:
    """Its folder."""
    return str(path.parent)


def outcome(kind: Kind, path: Path, right: Any) -> str:
    """What comes of a file as it stands, whose right content is known."""
    try:
        found = kind.read()
    except MrbenchError as error:
        if kind.named(path) not in error.message:
            raise AssertionError(f"{path} is not named: {error.message}") from error
        return TOLD
    if found is None:
        return AGAIN
    return HARMLESS if found == right else SILENT


def flipped(kind: Kind, count: int, noise: random.Random) -> Counter[str]:
    """Outcomes of so many single flips, each undone before the next."""
    right, counts = kind.read(), Counter[str]()
    for _ in range(count):
        path = noise.choice(kind.files)
        content = path.read_bytes()
        wrong = bytearray(content)
        wrong[noise.randrange(len(wrong))] ^= 1 << noise.randrange(8)
        path.write_bytes(wrong)
        counts[outcome(kind, path, right)] += 1
        path.write_bytes(content)
    assert kind.read() == right, "the flips were undone"
    return counts


def kinds(root: Path) -> dict[str, Kind]:
    """Every kind of stored file, of one cell that is computed in ``root``."""
    run, registry = computed(root)
    ((spec, _),) = run.cells
    cell, training = spec.folder(run.results), spec.training_folder(run.results)
    (result,) = run.cell_results()
    metrics = applicable_metrics(registry, "identified", ("ged", "dice_max"))
    entry = entry_of(run, registry, root / "board")
    checkpoints = checkpoints_of(training, root)
    return {
        "record": Kind([cell / "record.json"], lambda: record_of(run)),
        "cases": Kind([cell / "cases.csv.gz"], lambda: lines_of(result.scores(metrics, STRICT).cases)),
        "predictions": Kind([cell / "predictions.h5"], lambda: lines_of(result.scores(metrics, PUBLISHED).cases)),
        "curves": Kind([cell / "curves.csv"], lambda: read_curves(result.file("curves.csv") or Path())),
        "training": Kind([training / "training.json"], lambda: read_training(training)),
        "weights": Kind(sorted((training / "weights").iterdir()), lambda: weights_of(run, registry)),
        "checkpoint": Kind(sorted(checkpoints.iterdir()), lambda: checkpoint_of(checkpoints)),
        "run": Kind([run.folder / "run.json"], lambda: vars(open_run(run.id, run.results)), of_folder),
        "entry": Kind(sorted(entry.iterdir()), lambda: content_of(entry), lambda _: ""),
    }


def computed(root: Path) -> tuple[Run, Registry]:
    """A finished run of one cell; its last checkpoint is kept in ``root / "checkpoint"``."""
    plugin = root / "bulky.py"
    plan = plan_of(plugin, root)
    registry = discover(files=(plugin,))
    run = run_of(plan, root / "results", root, "mrbench run")
    order = worker.Order(plan.cells[0].spec, run.results, root, "cpu", (plugin,))
    os.environ["MRBENCH_CHECKPOINT_SECONDS"] = "0"
    worker.CellLife(order, lambda event: keep_checkpoint(event, run.results, root)).live()
    run.write()
    return run, registry


def keep_checkpoint(event: Mapping[str, Any], results: Path, root: Path) -> None:
    """Copies the checkpoint that is there when the third epoch has ended."""
    if event["event"] == "epoch" and event["epoch"] == 2:
        (found,) = results.glob(f"trainings/*/*/*/*/{CHECKPOINT}")
        shutil.copytree(found, root / CHECKPOINT)


def checkpoints_of(training: Path, root: Path) -> Path:
    """The folder with the checkpoint, which the finished training has no more."""
    assert not (training / CHECKPOINT).exists()
    return root / CHECKPOINT


def entry_of(run: Run, registry: Registry, board: Path) -> Path:
    """The run as an entry of a leaderboard."""
    (candidate,) = candidates([run])
    return add(pack(candidate, registry), board).folder


def record_of(run: Run) -> Any:
    """A record as tables read it."""
    (result,) = run.cell_results()
    if not result.finished:
        raise MrbenchError(result.reason)
    return result.record


def weights_of(run: Run, registry: Registry) -> dict[str, list[float]]:
    """All weights of the trained method."""
    ((spec, _),) = run.cells
    method = untrained(spec, method_of(spec, registry), description_of(run))
    load_weights(method, spec.training_folder(run.results), torch.device("cpu"))
    return {name: value.flatten().tolist() for name, value in method.state_dict().items()}


def description_of(run: Run) -> Any:
    """What the data set declares."""
    from mrbench.data.description import Description

    return Description.from_json(dict(run.descriptions["phantom"]))


def checkpoint_of(folder: Path) -> Any:
    """What a training would continue from; the damaged one, which it removes, stays for the next flip."""
    files = {path: path.read_bytes() for path in folder.iterdir()}
    found = [saved for _, saved in load_checkpoints(folder, torch.device("cpu"))]
    for path, content in files.items():
        path.write_bytes(content)
    return plain(found[0]) if found else None


def plain(value: Any) -> Any:
    """Tensors as lists, so that they compare."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def content_of(folder: Path) -> Any:
    """An entry with all its files."""
    stored = read_entry(folder)
    return stored.entry, {name: stored.read(name) for name in stored.entry.files}


def main() -> None:
    flips = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as root:
        every = kinds(Path(root))
        each = -(-flips // len(every))
        print(f"{'':12} {'flips':>6}  " + "  ".join(f"{name:>14}" for name in (TOLD, HARMLESS, AGAIN, SILENT)))
        for name, kind in every.items():
            counts = flipped(kind, each, random.Random(name))
            shown = "  ".join(f"{counts[what]:14}" for what in (TOLD, HARMLESS, AGAIN, SILENT))
            print(f"{name:12} {each:6}  {shown}", flush=True)


if __name__ == "__main__":
    main()
