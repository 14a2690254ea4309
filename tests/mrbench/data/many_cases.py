"""Writes a container of many small cases, in a process of its own: ``python many_cases.py FOLDER COUNT``."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mrbench import Case, CaseSet, Description, Raters
from mrbench.data.container import write_cases
from mrbench.data.splits import Fold, Split, split_by_subject

SIDE = 32
DESCRIPTION = Description(
    name="many", version="1", classes=("background", "disc"), channels=("grey",), raters=Raters.IDENTIFIED,
    rater_names=tuple("abcd"), normalisation="byte", augmentation=("flip",),
)  # fmt: skip

PLUGIN = """
from mrbench import DatasetCard, hookimpl
from mrbench.data.container import open_container

MRBENCH_API = "2"


@hookimpl
def mrbench_datasets():
    return [DatasetCard(name="many", code="many:load")]


def load(config, folder):
    return open_container(folder / "many.h5", "stream")
"""


def discs(count: int) -> Iterator[Case]:
    """A disc in noise, outlined by four raters with four radii; four cases a subject."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for index in range(count):
        y, x = rng.uniform(10, 22, 2)
        distance = np.hypot(rows - y, columns - x) + rng.normal(0, 0.7, (SIDE, SIDE))
        image = np.clip(255 - 16 * distance, 0, 255).astype(np.uint8)[None]
        masks = np.stack([distance < radius for radius in (4, 5, 6, 7)]).astype(np.uint8)
        yield Case(f"case-{index:06d}", f"subject-{index // 4:06d}", image, masks, np.ones(4, bool))


def splits(cases: CaseSet) -> dict[str, Split]:
    """``strict``, and ``tests-most``, whose one fold tests on all but a twentieth."""
    n = len(cases)
    few = n // 80 * 4  # whole subjects
    most = Fold(np.arange(few // 2 // 4 * 4), np.arange(few // 2 // 4 * 4, few), np.arange(few, n))
    strict = split_by_subject(cases.subjects, folds=4, seed=0)
    return {"strict": strict, "tests-most": Split("tests-most", (most,))}


if __name__ == "__main__":
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    (folder / "many.py").write_text(PLUGIN)
    write_cases(folder / "many.h5", DESCRIPTION, discs(count), splits=splits)
