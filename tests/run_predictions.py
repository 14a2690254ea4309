"""What a run stored of its predictions, against what a model predicts now."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

import mrbench
from mrbench.engine.model import Model
from mrbench.engine.predictions import read_draws
from mrbench.interfaces.draw import DrawKind


@contextmanager
def threads_of(cell: Path) -> Iterator[None]:
    # Other numbers of threads add up in another order.
    before = torch.get_num_threads()
    torch.set_num_threads(json.loads((cell / "record.json").read_text())["environment"]["threads"])
    yield
    torch.set_num_threads(before)


def assert_predicts_the_same(model: Model, cell: Path, data: mrbench.CaseSet, n: int) -> int:
    """Every draw of every case as the run stored it; returns how many masks were not empty."""
    marked = 0
    for case, draws in read_draws(cell / "predictions.h5"):
        image = data.pixels.image(data.ids.index(case))
        samples = [draw for draw in draws if draw.kind is not DrawKind.RATER]
        found = list(model.sample(image, n, case=case)) if samples else []
        assert len(found) == len(samples)
        firsts = {draw.rater: draw for draw in reversed(draws) if draw.rater is not None}
        found += [model.as_rater(image, rater, case=case) for rater in firsts]
        for labels, draw in zip(found, [*samples, *firsts.values()], strict=True):
            assert np.array_equal(np.packbits(labels.reshape(1, -1) == 1, axis=1), draw.bits)
            marked += bool(labels.any())
    return marked
