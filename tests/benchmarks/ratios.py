"""Prints what scoring, surface distances and start-up cost against their targets: ratios of medians, in turns.

Run: python tests/benchmarks/ratios.py [--cases 10000]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from test_scoring import (
    METRICS,
    SIDE,
    STORED_CASES,
    VOLUME,
    ged_by_loops,
    pack,
    peak_bytes,
    scene,
    score_by_pixels,
    score_by_tables,
    score_stored,
    tabulate,
    with_raters,
    write_run,
)
from test_startup import COMMANDS
from test_surface import (
    GRIDS,
    RATERS,
    SAMPLES,
    balls,
    hd95_in_a_box,
    hd95_of_whole_images,
    matrix_by_loops,
    matrix_by_maps,
)

from mrbench.engine.profile import peak_memory
from mrbench.engine.score import applicable_metrics, score_cell
from mrbench.engine.threads import cores, thread_environment
from mrbench.metrics import STRICT, ged
from mrbench.registry import discover

Way = Callable[[], object]


def milliseconds(ways: dict[str, Way], rounds: int) -> dict[str, float]:
    """Median processor time of each way; the ways take turns, so that a busy machine slows all of them alike."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            way()
            found[name].append(1000 * (time.process_time() - start))
    return {name: median(values) for name, values in found.items()}


def several(way: Way, times: int) -> Way:
    """The same many times over: processor time has a grain."""

    def repeated() -> None:
        for _ in range(times):
            way()

    return repeated


def line(what: str, value: float, target: str, met: bool, note: str = "") -> None:
    print(f"{what:58} {value:10,.2f}  {target:>8}  {'met' if met else 'MISSED':6}  {note}")


def against_published() -> None:
    for samples, least in ((50, 1000), (10, 150)):
        case, times = scene(samples, SIDE, SIDE), 20
        own, published = both(
            several(partial(score_by_tables, case.raters, case.draws()), times),
            partial(score_by_pixels, case.raters, case.probabilities),
        )
        ratio = published * times / own
        note = f"{published:.0f} ms / {own / times:.3f} ms"
        line(f"published evaluation / tables, S = {samples}", ratio, f">= {least}", ratio >= least, note)


def against_loops() -> None:
    case, times = scene(50, SIDE, SIDE), 20
    own, loops = both(several(partial(ged, case.samples, case.raters), times), partial(ged_by_loops, case))
    ratio = loops * times / own
    note = f"GED of masks, {loops:.1f} ms / {own / times:.3f} ms"
    line("MedPy in loops / tables, S = 50", ratio, ">= 25", ratio >= 25, note)


def both(own: Way, other: Way) -> tuple[float, float]:
    found = milliseconds({"own": own, "other": other}, 7)
    return found["own"], found["other"]


def growth() -> None:
    def way(samples: int, side: int) -> Way:
        case = scene(samples, side, side)
        draws = case.draws()
        return several(lambda: score_by_tables(case.raters, draws), 10)

    found = milliseconds({"50": way(50, 128), "100": way(100, 128), "256": way(50, 256)}, 15)
    for what, name, most in (("S 50 -> 100", "100", 2.2), ("side 128 -> 256", "256", 4)):
        line(what, found[name] / found["50"], f"<= {most}", found[name] / found["50"] <= most)


def memory() -> None:
    for what, shape in (("slice", (SIDE, SIDE)), ("volume 22 x 128 x 128", VOLUME)):
        peak, masks = peak_bytes(scene(50, *shape))
        line(
            f"peak memory beside the draws / masks, {what}",
            peak / masks,
            "<= 1.5",
            peak <= 1.5 * masks,
            f"{peak / 2**20:.1f} MiB",
        )
    case = scene(50, *VOLUME)
    draws = case.draws()
    found = milliseconds({"volume": lambda: score_by_tables(case.raters, draws)}, 5)
    print(f"{'volume 22 x 128 x 128, S = 50, ms':58} {found['volume']:10,.2f}")


def rescoring() -> None:
    case = scene(50, SIDE, SIDE)
    draws = case.draws()
    packed = pack([tabulate(case.raters, draws)])
    tables, masks = both(
        several(partial(score_stored, packed), 20), several(partial(score_by_tables, case.raters, draws), 20)
    )
    line("from draws / from stored tables", masks / tables, ">= 3", masks / tables >= 3, f"{tables / 20:.3f} ms a case")


def every_metric() -> None:
    case = scene(50, SIDE, SIDE)
    draws = list(with_raters(case))
    found = milliseconds({"every": several(lambda: score_by_tables(case.raters, draws, tuple(METRICS)), 5)}, 9)
    print(f"{f'all {len(METRICS)} metrics of one case from its draws, ms':58} {found['every'] / 5:10,.2f}")


def stored_run(cases: int) -> None:
    """Each way in a process of its own, so that its peak is its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_run(Path(folder) / "predictions.h5", cases)
        print(f"\na stored run of {cases:,} cases of 64 x 64, S = 50, {path.stat().st_size / cases:,.0f} bytes a case")
        for shown, jobs in product((True, False), sorted({1, cores()})):
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                seconds, peak = alone.submit(score_run, path, shown, jobs).result()
            what = f"{'table metrics' if shown else 'every metric'}, {jobs} process{'es' if jobs > 1 else ''}: cases/s"
            print(f"{what:58} {cases / seconds:10,.0f}  peak {peak:.0f} MiB of the first process, wall clock")


def score_run(path: Path, shown: bool, jobs: int) -> tuple[float, float]:
    """Seconds, and the MiB that the process took at most."""
    chosen = applicable_metrics(discover(), "identified")
    metrics = {name: plugin for name, plugin in chosen.items() if plugin.card.table or not shown}
    start = time.perf_counter()
    score_cell(path, metrics, STRICT, jobs=jobs)
    return time.perf_counter() - start, peak_memory() / 2**20


def surfaces() -> None:
    for (grid, shape), least in zip(GRIDS.items(), (4, 10), strict=True):
        pair = balls(2, shape)
        own, whole = both(several(partial(hd95_in_a_box, *pair), 5), several(partial(hd95_of_whole_images, *pair), 5))
        line(f"HD95 of whole images / in a box, {grid}", whole / own, f">= {least}", whole / own >= least)
    masks = balls(SAMPLES + RATERS, GRIDS["128 x 128"])
    sides = masks[:SAMPLES], masks[SAMPLES:]
    own, loops = both(several(partial(matrix_by_maps, *sides), 5), partial(matrix_by_loops, *sides))
    line("HD95, 50 x 4: MedPy in loops / one map per mask", 5 * loops / own, ">= 15", 5 * loops / own >= 15)


def start_up() -> None:
    """Wall clock of fresh processes."""
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(15):
        for name, words in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(words, check=True, capture_output=True)
            found[name].append(time.perf_counter() - start)
    base, *commands = (median(values) for values in found.values())
    for name, seconds, most in zip(list(COMMANDS)[1:], commands, (2, 2.5), strict=True):
        note = f"{1000 * seconds:.0f} ms / {1000 * base:.0f} ms"
        line(f"{name} / import click", seconds / base, f"<= {most}", seconds / base <= most, note)


def as_a_cell() -> None:
    """Starts anew with one thread and with the memory of a cell's process, where that is not set yet."""
    settings = thread_environment(1)
    if any(os.environ.get(name) != value for name, value in settings.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **settings})


def main() -> None:
    as_a_cell()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=STORED_CASES, help="of the stored run")
    cases = parser.parse_args().cases
    print(f"{'':58} {'measured':>10}  {'target':>8}")
    for part in (against_published, against_loops, growth, memory, rescoring, every_metric, surfaces, start_up):
        part()
    stored_run(cases)


if __name__ == "__main__":
    main()
