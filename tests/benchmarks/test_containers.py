"""Containers: batches streamed against batches from memory, and how reading a case grows with their number.

Run: pytest tests/benchmarks/test_containers.py --benchmark-enable -s
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mrbench import Case, Description, Raters
from mrbench.data.container import open_container, write_cases
from mrbench.engine.slices import training_slices

CPU = torch.device("cpu")
SIDE, COUNT, BATCHES, BATCH_SIZE = 128, 2000, 100, 12


def noise(count: int, side: int) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    masks = np.zeros((4, side, side), np.uint8)
    masks[:, side // 4 : side // 2, side // 4 : side // 2] = 1
    for index in range(count):
        image = rng.integers(0, 256, (1, side, side)).astype(np.uint8)
        yield Case(f"case-{index}", f"subject-{index}", image, masks, np.ones(4, bool))


def describe() -> Description:
    return Description(
        name="noise", version="1", classes=("background", "box"), channels=("grey",), raters=Raters.IDENTIFIED,
        rater_names=tuple("abcd"), normalisation="byte",
    )  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    if not request.config.getoption("--benchmark-enable"):
        pytest.skip("writes 2,000 cases: run with --benchmark-enable")
    path = tmp_path_factory.mktemp("container") / "noise.h5"
    write_cases(path, describe(), noise(COUNT, SIDE))
    return path


@pytest.mark.parametrize("way", ["in memory", "streamed"])
@pytest.mark.benchmark(group=f"{BATCHES} batches of {BATCH_SIZE} slices, 4 raters, {SIDE} x {SIDE}")
def test_batches(benchmark: Any, path: Path, way: str):
    slices = training_slices(open_container(path, "stream"), np.arange(COUNT), memory=0 if way == "streamed" else None)
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(0)).split(BATCH_SIZE)[:BATCHES]
    benchmark.pedantic(lambda: [slices.batch(indices, CPU) for indices in order], rounds=5, warmup_rounds=1)
    print(f"\n{way}: {BATCHES / benchmark.stats.stats.median:.0f} batches per second")


@pytest.mark.parametrize("count", [1000, 10000])
@pytest.mark.benchmark(group="reading 500 cases of 16 x 16 at random, out of so many")
def test_a_case_is_found_as_fast_among_many(benchmark: Any, request: pytest.FixtureRequest, tmp_path: Path, count: int):
    if not request.config.getoption("--benchmark-enable"):
        pytest.skip("writes 10,000 cases: run with --benchmark-enable")
    write_cases(tmp_path / "noise.h5", describe(), noise(count, 16))
    pixels = open_container(tmp_path / "noise.h5", "stream").pixels
    chosen = np.random.default_rng(0).integers(0, count, 500).tolist()
    benchmark.pedantic(lambda: [pixels.masks(index) for index in chosen], rounds=5, warmup_rounds=1)
