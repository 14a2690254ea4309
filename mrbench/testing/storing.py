"""Checks of weights on disk: saved, loaded, the same again."""

import tempfile
from pathlib import Path

from mrbench.testing.check import CheckFailedError, rule
from mrbench.testing.compare import expect_equal
from mrbench.testing.method_candidate import MethodCandidate
from mrbench.testing.scenes import SLICES
from mrbench.testing.watch import watch, watch_pickles

SAMPLES = 4


@rule("method")
def save_and_load(candidate: MethodCandidate) -> None:
    """A new method that loads what was saved gives the same draws, and saving writes to its folder alone."""
    first = candidate.working_drawer(SLICES)
    with tempfile.TemporaryDirectory(prefix="mrbench-check-") as folder:
        with watch(Path(folder)) as written:
            candidate.trained(SLICES).method.save(Path(folder))
        other = candidate.new(SLICES, seed=99)
        other.load(Path(folder))
    if written:
        raise CheckFailedError("save writes outside its folder", expected="files in its folder alone", found=written[0])
    second = candidate.drawer_of(other)
    for case in SLICES.tested:
        expect_equal(
            "a method that was saved and loaded gives other draws", first(case, SAMPLES, 3), second(case, SAMPLES, 3)
        )


@rule("method")
def no_pickled_code(candidate: MethodCandidate) -> None:
    """Loading weights runs no pickled code."""
    candidate.trained(SLICES)
    with tempfile.TemporaryDirectory(prefix="mrbench-check-") as folder:
        candidate.trained(SLICES).method.save(Path(folder))
        other = candidate.new(SLICES, seed=99)
        with watch_pickles() as found:
            other.load(Path(folder))
    if found:
        raise CheckFailedError(
            "loading weights unpickles objects", expected="torch.load(..., weights_only=True)", found=found[0]
        )


CHECKS = (save_and_load, no_pickled_code)
