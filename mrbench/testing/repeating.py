"""Checks of repeating: the same seed gives the same, another seed something else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mrbench.cards import Capability
from mrbench.errors import NotApplicableError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.fusion import Trial
from mrbench.testing.candidate import Predicting
from mrbench.testing.check import CheckFailedError, rule
from mrbench.testing.compare import TOLERANCE, apart, expect_equal, identical
from mrbench.testing.method_candidate import MethodCandidate
from mrbench.testing.scenes import SLICES

if TYPE_CHECKING:
    from mrbench.interfaces.method import Method

SAMPLES = 6


@rule("method")
def training_repeats(candidate: MethodCandidate) -> None:
    """The same training seed gives the same weights, whatever state the generators of NumPy and Python are in."""
    candidate.trained(SLICES)
    changed = _differing(candidate, candidate.rehearse(SLICES, surroundings=2).method)
    if changed:
        raise CheckFailedError("two trainings under one seed differ", expected="equal weights", found=changed)


@rule("method")
def training_seed(candidate: MethodCandidate) -> None:
    """Another training seed gives other weights."""
    if not candidate.trained(SLICES).curve:
        raise NotApplicableError("it has no stages")
    if not _differing(candidate, candidate.rehearse(SLICES, seed=1).method):
        raise CheckFailedError(
            "the training seed changes nothing", expected="other weights under another seed", found="the same weights"
        )


def _differing(candidate: MethodCandidate, other: "Method[Any]") -> str:
    # The first tensor of the methods' states that differs, by name; empty where none does.
    first, second = (method.state_dict() for method in (candidate.trained(SLICES).method, other))
    if first.keys() != second.keys():
        return "other tensors"
    return next((name for name, value in first.items() if not value.equal(second[name])), "")


@rule("method", "fusion")
def predictions_repeat(candidate: Predicting) -> None:
    """The same prediction seed gives the same draws."""
    draw = candidate.working_drawer(SLICES)
    for case in SLICES.tested:
        expect_equal("two predictions under one seed differ", draw(case, SAMPLES, 3), draw(case, SAMPLES, 3))


@rule("method", "fusion")
def prediction_seed(candidate: Predicting) -> None:
    """Another prediction seed gives other draws, or the method declares that it is deterministic."""
    if all(identical(first, second) for first, second in _under_two_seeds(candidate)):
        raise CheckFailedError(
            "the prediction seed changes nothing",
            expected="other draws under another seed, or the capability deterministic",
            found="the same draws",
        )


def _under_two_seeds(candidate: Predicting) -> list[tuple[Sequence[Trial], Sequence[Trial]]]:
    draw = candidate.working_drawer(SLICES)
    return [(draw(case, SAMPLES, 3), draw(case, SAMPLES, 4)) for case in SLICES.tested]


@rule("method")
def samples_asked(candidate: Predicting) -> None:
    """The first draws stay the same when more samples are asked for."""
    draw = candidate.working_drawer(SLICES)
    for case in SLICES.tested:
        few, many = draw(case, 2, 3), draw(case, SAMPLES, 3)
        expect_equal("asking for more samples changes the first ones", few, _first(many, 2))


def _first(trials: Sequence[Trial], n: int) -> list[Trial]:
    # Trials with their first n samples; rater predictions and a consensus stay.
    return [Trial(trial.truth, _without_later_samples(trial.draws, n)) for trial in trials]


def _without_later_samples(draws: list[Draw], n: int) -> list[Draw]:
    later = [draw for draw in draws if draw.kind is DrawKind.SAMPLE][n:]
    return [draw for draw in draws if not any(draw is one for one in later)]


@rule("method", "fusion")
def case_order(candidate: Predicting) -> None:
    """The order of the cases changes no draw."""
    draw, (one, other) = candidate.working_drawer(SLICES), SLICES.tested
    draw(SLICES.case(0), SAMPLES, 3)
    forwards = [draw(one, SAMPLES, 3), draw(other, SAMPLES, 3)]
    backwards = [draw(other, SAMPLES, 3), draw(one, SAMPLES, 3)][::-1]
    for first, second in zip(forwards, backwards, strict=True):
        expect_equal("draws depend on the cases that were predicted before", first, second)


@rule("method")
def interleaved(candidate: MethodCandidate) -> None:
    """Draws for two images may be taken in turn, and are the same as one image after the other."""
    from mrbench.testing.rehearsal import draw_in_turn

    draw, cases = candidate.working_drawer(SLICES), SLICES.tested
    taken = draw_in_turn(candidate.trained(SLICES).method, cases, SAMPLES, candidate.context(3))
    for case, draws in zip(cases, taken, strict=True):
        mixed = [Trial(case.present, draws)]
        expect_equal("draws of two images that are taken in turn differ", draw(case, SAMPLES, 3), mixed)


@rule("method")
def case_noise(candidate: Predicting) -> None:
    """The same image under another name gets other draws, because noise is seeded by the case."""
    draw, case = candidate.working_drawer(SLICES), SLICES.tested[0]
    if identical(draw(case, SAMPLES, 3), draw(replace(case, id="another-name"), SAMPLES, 3)):
        raise CheckFailedError(
            "two cases share their noise", expected="noise from context.noise(image, draw)", found="the same draws"
        )


@rule("method", needs={Capability.DIVERSE})
def samples_differ(candidate: Predicting) -> None:
    """The samples of an image are not all the same."""
    draw = candidate.working_drawer(SLICES)
    trial = draw(SLICES.tested[0], SAMPLES, 3)[0]
    first, *others = [made for made in trial.draws if made.kind is DrawKind.SAMPLE]
    if all(apart(first, other) <= TOLERANCE / 100 for other in others):
        raise CheckFailedError(
            f"all {SAMPLES} samples of an image are the same", expected="diverse samples", found="copies"
        )


CHECKS = (
    training_repeats,
    training_seed,
    predictions_repeat,
    prediction_seed,
    samples_asked,
    case_order,
    interleaved,
    case_noise,
    samples_differ,
)
