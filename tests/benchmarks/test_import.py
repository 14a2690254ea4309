"""Importing 1,000 cases of 128 x 128 with four raters, 5,000 PNG files: cases per second, and memory at its peak.

Run: pytest tests/benchmarks/test_import.py --benchmark-enable -s
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CASES, SIDE, RATERS = 1000, 128, ("ann", "bo", "cy", "di")

PEAK = """
import sys
from pathlib import Path
from mrbench.data.importing.request import Request
from mrbench.data.importing.understand import understand
from mrbench.data.importing.write import write_import
from mrbench.engine.profile import peak_memory
import PIL.Image, h5py
start = peak_memory()
write_import(understand(Request(folder=Path(sys.argv[1]), name="big")), Path(sys.argv[2]))
print(start / 2**20, peak_memory() / 2**20)
"""


def write_folder(folder: Path, cases: int) -> Path:
    from PIL import Image

    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for k in range(cases):
        distance = np.hypot(rows - rng.uniform(40, 88), columns - rng.uniform(40, 88))
        pictures = {"images": np.clip(200 - 3 * distance + rng.normal(0, 9, distance.shape), 0, 255)}
        pictures |= {f"masks/{name}": 255 * (distance < 16 + 4 * r) for r, name in enumerate(RATERS)}
        for place, values in pictures.items():
            (folder / place).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values.astype(np.uint8)).save(folder / place / f"case{k}.png")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    if not request.config.getoption("--benchmark-enable"):
        pytest.skip("writes 5,000 files: run with --benchmark-enable")
    return write_folder(tmp_path_factory.mktemp("import") / "big", CASES)


@pytest.mark.benchmark(group="import")
def test_importing_a_thousand_cases(benchmark: Any, folder: Path, tmp_path: Path):
    from mrbench.data.importing.request import Request
    from mrbench.data.importing.understand import understand
    from mrbench.data.importing.write import write_import

    def work() -> float:
        start = time.process_time()
        write_import(understand(Request(folder=folder, name="big")), tmp_path / "big.h5")
        return time.process_time() - start

    seconds = benchmark.pedantic(work, rounds=3)
    print(f"\n{CASES} cases, {len(RATERS)} raters, {SIDE} x {SIDE} PNG: {CASES / seconds:.0f} cases per CPU second")


def test_memory_does_not_grow_with_the_cases(folder: Path, tmp_path: Path):
    few = write_folder(tmp_path / "few", CASES // 10)
    grown = {}
    for source, n in ((few, CASES // 10), (folder, CASES)):
        command = [sys.executable, "-c", PEAK, str(source), str(tmp_path / "out.h5")]
        start, peak = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        grown[n] = peak - start
        print(f"\n{n} cases: {peak:.0f} MiB at the peak, {grown[n]:.1f} MiB of them for the import")
    pixels = CASES * SIDE * SIDE * (1 + len(RATERS)) / 2**20
    assert grown[CASES] - grown[CASES // 10] < pixels / 4
