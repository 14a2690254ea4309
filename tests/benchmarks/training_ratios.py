"""Prints what training steps, and 50 samples of an image, cost beside the released ones.

Medians of processor time on one thread, in turns.

Run: python tests/benchmarks/training_ratios.py [METHOD ...] [--batch 12] [--rounds 3]

A released step runs in a plain process, ours in one with a cell's environment; each in a process of its own. The last
two columns are ours in bf16; samples are always drawn in float32.
"""

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import median
from typing import Any

from mrbench.engine.threads import KEEP_MEMORY, thread_environment

SIDE = 128
SAMPLES = 50
LEAST = {"step": 2.0, "proseg": 5.0}
"""How many times as long as ours a released step should take, and ProSeg's samples."""

PLAIN = {name: value for name, value in thread_environment(1).items() if name not in KEEP_MEMORY}
SETTINGS = {"released": PLAIN, "ours": thread_environment(1), "bf16": thread_environment(1)}


def prepare(name: str, side: str, batch: int) -> None:
    """In a process of its own: builds one side's step; without a batch, its samples."""
    from training_steps import PAIRS, both, both_sampled

    from mrbench.nn.convolutional import convolutions_in_bf16

    ours, theirs = both(PAIRS[name], batch, SIDE) if batch else both_sampled(name, SAMPLES, SIDE)
    STATE["step"] = {"released": theirs.step, "ours": ours.step, "bf16": convolutions_in_bf16()(ours.step)}[side]


def timed() -> float:
    """In the same process: seconds of processor time of one step."""
    start = time.process_time()
    STATE["step"]()
    return time.process_time() - start


STATE: dict[str, Any] = {}


@contextmanager
def process(environment: Mapping[str, str]) -> Iterator[ProcessPoolExecutor]:
    """A fresh process that starts with these variables."""
    before = dict(os.environ)
    for name in KEEP_MEMORY:
        os.environ.pop(name, None)
    os.environ.update(environment)
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        alone.submit(time.process_time).result()
        os.environ.clear()
        os.environ.update(before)
        yield alone


@dataclass
class Sides:
    """A process for each side, which take turns."""

    rounds: int
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Sides":
        self.processes = {side: self.stack.enter_context(process(values)) for side, values in SETTINGS.items()}
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def seconds(self, name: str, batch: int) -> dict[str, float]:
        """Median of each side's step, or its samples, after a first one that is not counted: memory is taken."""
        sides = list(self.processes) if batch else ["released", "ours"]
        found: dict[str, list[float]] = {side: [] for side in sides}
        for side in sides:
            self.processes[side].submit(prepare, name, side, batch).result()
        for _ in range(1 + self.rounds):
            for side in sides:
                found[side].append(self.processes[side].submit(timed).result())
        return {side: median(values[1:]) for side, values in found.items()}


def main() -> None:
    from training_steps import PAIRS, SAMPLED

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD", help="all by default")
    parser.add_argument("--batch", type=int, default=12, help="images in a step")
    parser.add_argument("--rounds", type=int, default=3, help="steps that are counted")
    given = parser.parse_args()
    unknown = sorted(set(given.methods) - set(PAIRS))
    if unknown:
        parser.error(f"no released step of {', '.join(unknown)}; there are: {', '.join(PAIRS)}")
    chosen = given.methods or list(PAIRS)
    with Sides(given.rounds) as sides:
        heading(f"seconds of a step, batch {given.batch}")
        for name in chosen:
            line(name, sides.seconds(name, given.batch), LEAST["step"])
        heading(f"seconds of {SAMPLES} samples")
        for name in filter(SAMPLED.__contains__, chosen):
            line(name, sides.seconds(name, 0), LEAST.get(name))


def heading(what: str) -> None:
    print(f"{what:28} {'released':>9} {'ours':>9} {'ratio':>6} {'bf16':>9} {'ratio':>6}")


def line(name: str, seconds: Mapping[str, float], least: float | None) -> None:
    released, *others = seconds.values()
    figures = "".join(f" {own:9.3f} {released / own:6.2f}" for own in others)
    target = "" if least is None else f">= {least:g}  {'met' if released / others[0] >= least else 'MISSED'}"
    print(f"{name:28} {released:9.3f}{figures:34}  {target}", flush=True)


if __name__ == "__main__":
    main()
