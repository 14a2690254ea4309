"""Checks of repeating: one seed gives the same draws, another seed or case others, and so do weights from disk."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from mrbench.data.case import Case
from mrbench.errors import NotApplicableError
from mrbench.testing.check import CheckFailedError, expect_none, rule
from mrbench.testing.drawn import Drawn, difference, drawn, expect_equal
from mrbench.testing.predicting import MethodCandidate, Predicting
from mrbench.testing.scenes import SLICES
from mrbench.testing.watch import watch, watch_pickles


@rule("method", "fusion")
def predictions_repeat(candidate: Predicting) -> None:
    """The same prediction seed gives the same draws."""
    for case in SLICES.tested:
        first, second = candidate.draw(SLICES, case), candidate.draw(SLICES, case)
        expect_equal("two predictions under one seed differ", first, second)


@rule("method", "fusion")
def prediction_seed(candidate: Predicting) -> None:
    """Another prediction seed gives other draws, where anything is drawn."""
    pairs = [(candidate.draw(SLICES, case), candidate.draw(SLICES, case, seed=4)) for case in SLICES.tested]
    _expect_noise(candidate)
    if not any(difference(first, second, tolerance=0) for first, second in pairs):
        raise CheckFailedError(
            "the prediction seed changes nothing", expected="other draws under another seed", found="the same draws"
        )


@rule("method")
def case_noise(candidate: MethodCandidate) -> None:
    """The same image under another name gets other draws, because noise is seeded by the case."""
    case = SLICES.tested[0]
    first, second = candidate.draw(SLICES, case), candidate.draw(SLICES, replace(case, id="another-name"))
    _expect_noise(candidate)
    if not difference(first, second, tolerance=0):
        raise CheckFailedError("two cases share their noise", expected="draws from noise alone", found="the same draws")


def _expect_noise(candidate: Predicting) -> None:
    if not candidate.is_random:
        raise NotApplicableError("it draws nothing from its noise")


@rule("method", "fusion")
def case_order(candidate: Predicting) -> None:
    """The order of the cases changes no draw."""
    one, other = SLICES.tested
    candidate.draw(SLICES, SLICES.case(0))
    forwards = [candidate.draw(SLICES, case) for case in (one, other)]
    backwards = [candidate.draw(SLICES, case) for case in (other, one)][::-1]
    for first, second in zip(forwards, backwards, strict=True):
        expect_equal("draws depend on the cases that were predicted before", first, second)


@rule("method")
def interleaved(candidate: MethodCandidate) -> None:
    """Draws for two images may be taken in turn, and are the same as one image after the other."""
    cases = SLICES.tested
    apart = [candidate.draw(SLICES, case) for case in cases]
    for first, mixed in zip(apart, _in_turn(candidate, cases), strict=True):
        expect_equal("draws of two images that are taken in turn differ", first, [mixed])


def _in_turn(candidate: MethodCandidate, cases: Sequence[Case]) -> list[Drawn]:
    trials = [trial for case in cases for trial in candidate.predictor(SLICES).draws(case)]
    rounds = list(zip_longest(*(draws for _, draws in trials)))
    columns = [[draw for draw in column if draw is not None] for column in zip(*rounds, strict=True)]
    return [Drawn(truth, column) for (truth, _), column in zip(trials, columns, strict=True)]


@rule("method")
def save_and_load(candidate: MethodCandidate) -> None:
    """A new method that loads what was saved gives the same draws, and saving writes to its folder alone."""
    first = [candidate.draw(SLICES, case) for case in SLICES.tested]
    with tempfile.TemporaryDirectory(prefix="mrbench-check-") as folder:
        with watch(Path(folder)) as written:
            candidate.trained(SLICES).method.save(Path(folder))
        other = candidate.new(SLICES, seed=99)
        other.load(Path(folder))
    expect_none(written, "save writes outside its folder", "files in its folder alone")
    predictor = candidate.predictor_of(other, SLICES)
    for one, case in zip(first, SLICES.tested, strict=True):
        expect_equal("a method that was saved and loaded gives other draws", one, drawn(predictor, case))


@rule("method")
def no_pickled_code(candidate: MethodCandidate) -> None:
    """Loading weights runs no pickled code."""
    with tempfile.TemporaryDirectory(prefix="mrbench-check-") as folder:
        candidate.trained(SLICES).method.save(Path(folder))
        other = candidate.new(SLICES, seed=99)
        with watch_pickles() as found:
            other.load(Path(folder))
    expect_none(found, "loading weights unpickles objects", "torch.load(..., weights_only=True)")
