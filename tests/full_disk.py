"""A cell's life on a disk that fills up at a chosen moment, again and again; prints how each went as a line of JSON.

Run: python tests/full_disk.py FOLDER [BYTES ...], where FOLDER is a small file system of its own. At the start of each
phase all but so many bytes are taken; then they are freed, and the same order is lived again.
"""

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mrbench.engine import phases, worker
from mrbench.engine.cell import CellSpec
from mrbench.engine.plan import Plan, Request, make_plan
from mrbench.engine.predictions import read_draws
from mrbench.interfaces.method import Method
from mrbench.registry import discover

MOMENTS = ("prepare", "fit", "checkpoint", "weights", "training", "predict", "score", "record")
SIZES = (0, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 196_608, 262_144, 524_288)
EPOCHS = 4

PLUGIN = '''
import torch
from torch import nn
from torch.nn import functional

import mrbench
from mrbench import Method, TrainingOptions


MRBENCH_API = "2"


class Options(TrainingOptions):
    epochs: int = 4


class Bulky(Method):
    """A logistic regression whose weights are large enough to be cut short anywhere."""

    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Conv2d(1, 1, 1)
        self.register_buffer("ballast", torch.arange(40_000).sin())

    def loss(self, batch):
        noise = 0.1 * torch.randn_like(batch.image)
        logits = self.network(batch.image + noise)
        return {"ce": functional.binary_cross_entropy_with_logits(logits, batch.masks.float().mean(1, keepdim=True))}

    def features(self, x):
        return self.network(x)

    def sample(self, features, noise):
        return features + noise.normal("pixels", *features.shape[1:])


@mrbench.hookimpl
def mrbench_methods():
    return [mrbench.MethodCard(name="bulky", code=f"{__name__}:Bulky", config=f"{__name__}:Options",
                               summary="large weights", gives="samples")]
'''


def plan_of(plugin: Path, data: Path) -> Plan:
    """The plan of one cell of a method, whose plugin file is written."""
    plugin.write_text(PLUGIN)
    request = Request(
        methods=["bulky"], datasets=["phantom"], data=data, folds=(0,), samples=16,
        settings={"phantom.subjects": 9, "phantom.size": 48},
    )  # fmt: skip
    return make_plan(request, discover(files=(plugin,)))


def order_on(disk: Path, elsewhere: Path) -> worker.Order:
    """The order of the one cell."""
    plugin = elsewhere / "bulky.py"
    (cell,) = plan_of(plugin, elsewhere).cells
    return worker.Order(cell.spec, disk / "results", elsewhere, "cpu", (plugin,))


class Filler:
    """Takes all room of the disk but so many bytes, once, when its moment has come."""

    def __init__(self, disk: Path, moment: str, left: int) -> None:
        self.path, self.moment, self.left = disk / "filler", moment, left

    def at(self, moment: str) -> None:
        """Something begins."""
        if moment != self.moment or self.path.exists():
            return
        with self.path.open("wb") as file:
            free = os.statvfs(self.path).f_bavail * os.statvfs(self.path).f_frsize
            if free > self.left:
                os.posix_fallocate(file.fileno(), 0, free - self.left)

    @contextmanager
    def watching(self) -> Iterator[Callable[[dict[str, Any]], None]]:
        """Told of events; what has none is told where it is called."""
        before = {"weights": (Method, "save"), "training": (worker, "write_sealed"), "record": (worker, "write_record")}
        whole = {moment: getattr(owner, name) for moment, (owner, name) in before.items()}
        for moment, (owner, name) in before.items():
            setattr(owner, name, self._first(moment, whole[moment]))
        try:
            yield self._event
        finally:
            for moment, (owner, name) in before.items():
                setattr(owner, name, whole[moment])

    def _first(self, moment: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **more: Any) -> Any:
            self.at(moment)
            return function(*arguments, **more)

        return called

    def _event(self, event: dict[str, Any]) -> None:
        if event["event"] == "phase":
            self.at(event["phase"])
        if event["event"] == "epoch" and event["epoch"] == 1:
            self.at("checkpoint")


def live(order: worker.Order, filler: Filler) -> dict[str, Any]:
    """One life in a process of its own, as a worker lives it: how it ended, and the epochs that it trained."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        told = _life(order, filler)
        os.write(write, json.dumps(told).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        content = answer.read()
    _, status = os.waitpid(child, 0)
    return json.loads(content) if content else {"status": f"ended by {status}", "reason": "", "epochs": []}


def _life(order: worker.Order, filler: Filler) -> dict[str, Any]:
    epochs: list[int] = []
    try:
        with filler.watching() as watch:

            def emit(event: dict[str, Any]) -> None:
                epochs.extend([event["epoch"]] if event["event"] == "epoch" else [])
                watch(event)

            worker.CellLife(order, emit).live()
    except BaseException as error:
        status, reason = worker.classify(error)
        return {"status": status.value, "reason": reason, "epochs": epochs, "details": traceback.format_exc()[-1500:]}
    return {"status": "ok", "reason": "", "epochs": epochs}


def left_by(spec: CellSpec, results: Path) -> dict[str, Any]:
    """Everything that a cell computed: digests of weights and draws, and the values of its metrics."""
    weights = sorted((spec.training_folder(results) / "weights").iterdir())
    folder, state = spec.folder(results), sha256()
    for case, draws in read_draws(folder / "predictions.h5"):
        state.update(case.encode() + np.concatenate([draw.bits.ravel() for draw in draws]).tobytes())
    record = json.loads((folder / "record.json").read_text())
    digests = {path.name: sha256(path.read_bytes()).hexdigest() for path in weights}
    return {"weights": digests, "draws": state.hexdigest(), "metrics": record["metrics"]}


def tried(order: worker.Order, disk: Path, moment: str, left: int) -> dict[str, Any]:
    """A life on a disk with so much room from a moment on, and the next one when there is room again."""
    filler = Filler(disk, moment, left)
    first = live(order, filler)
    filler.path.unlink(missing_ok=True)
    second = live(order, Filler(disk, "never", 0))
    found = left_by(order.spec, order.results) if second["status"] == "ok" else {}
    remains = [str(path.relative_to(disk)) for path in disk.rglob("*.attempt-*")]
    shutil.rmtree(order.results)
    return {"moment": moment, "left": left, "first": first, "second": second, "found": found, "remains": remains}


def main() -> None:
    torch.set_num_threads(1)
    os.environ["MRBENCH_CHECKPOINT_SECONDS"] = "0"
    disk, sizes = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]] or SIZES
    order = order_on(disk, disk.parent)
    phases.prepare(order.spec, discover(files=order.plugin_files), order.data)  # imports what the children share
    print(json.dumps(tried(order, disk, "never", 0)), flush=True)
    for moment in MOMENTS:
        for left in sizes:
            print(json.dumps(tried(order, disk, moment, left)), flush=True)


if __name__ == "__main__":
    main()
