"""Checks of the answers: of what they are on every kind of data, and that they depend on what they should alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from mrbench.cards import Capability
from mrbench.errors import NotApplicableError
from mrbench.interfaces.draw import DrawKind
from mrbench.testing.check import CheckFailedError, expect_none, rule
from mrbench.testing.drawn import TOLERANCE, apart, drawn, expect_equal
from mrbench.testing.predicting import FusionCandidate, MethodCandidate, Predicting
from mrbench.testing.scenes import CLASSES, MISSING, SCENES, SLICES, Scene

if TYPE_CHECKING:
    from torch import Tensor

    from mrbench.interfaces.method import Method
    from mrbench.testing.operations import Asked

NUMBERS = (1, 4)
"""Of samples that are asked for."""

COPY = 1e-6
"""Draws that differ by no more are copies."""

LEAST_CONDITIONING = 1e-4
"""Of a conditioning that acts: the spread of logits over raters as a share of that over pixels. TAB's released queries
have 2e-5, every other method here 1e-3 and more."""

RESEEDED = (4, 5, 6, 7)
"""Other seeds of a site's noise: what chooses among few may come out the same under one of them."""


@rule("method", "fusion", over=SCENES)
def draws(candidate: Predicting, scene: Scene) -> None:
    """Its draws are probabilities of the right shape, number and kind on {what}."""
    for n in NUMBERS:
        for case in scene.tested:
            drawn(candidate.predictor(scene, n, seed=0), case)


@rule("fusion")
def absent_ignored(candidate: FusionCandidate) -> None:
    """What stands in the masks of absent raters changes no trial."""
    for case in map(MISSING.case, range(MISSING.count)):
        rubbish = np.random.default_rng(0).integers(0, 2, case.masks.shape, np.uint8)
        absent = ~case.present.reshape(-1, *(1,) * (case.masks.ndim - 1))
        other = replace(case, masks=np.where(absent, rubbish, case.masks))
        expect_equal(
            "it reads the masks of absent raters", candidate.draw(MISSING, case), candidate.draw(MISSING, other)
        )


@rule("method")
def answer_shape(candidate: MethodCandidate) -> None:
    """Every answer is ``(S, N, L, H, W)``, where S is the number of draws, or 1 where nothing is drawn."""
    operations = candidate.operations()
    for question in operations.questions:
        operations.ask(question)


@rule("method")
def logits(candidate: MethodCandidate) -> None:
    """Its logits are no probabilities, which are answered as ``Probabilities``."""
    assert candidate.answering
    many = Capability.MULTI_CLASS in candidate.capabilities
    for operations in (candidate.operations(long=True), *([candidate.operations(CLASSES)] if many else [])):
        for question in operations.questions:
            asked = operations.ask(question)
            if asked.values is not asked.probabilities and _like_probabilities(asked.values):
                raise CheckFailedError(
                    f"{question} gives probabilities where logits are expected",
                    expected="logits, or mrbench.Probabilities(values)",
                    found="values in [0, 1]" + (" that sum to one" if asked.values.shape[2] > 1 else ""),
                    hint="return the values before sigmoid or softmax, or Probabilities",
                )


def _like_probabilities(values: "Tensor") -> bool:
    # With one channel that of a class alone; with K they are what softmax gives.
    inside = bool((values >= 0).all() and (values <= 1).all())
    return inside and (values.shape[2] == 1 or bool(((values.sum(dim=2) - 1).abs() < TOLERANCE).all()))


@rule("method")
def slices_apart(candidate: MethodCandidate) -> None:
    """The answer for a slice is the same alone and beside others: no operation mixes slices or cases."""
    operations = candidate.answering
    for question in operations.questions:
        together = operations.ask(question).probabilities
        for number in range(together.shape[1]):
            alone = operations.ask(question, slices=[number]).probabilities
            distance = apart(alone[:, 0].numpy(), together[:, number].numpy())
            if distance > TOLERANCE:
                raise CheckFailedError(
                    f"{question} for a slice depends on the slices beside it",
                    expected="features and answers of each slice alone, such as no BatchNorm over the N of a call",
                    found=f"slice {number} differs by up to {distance:.3g}",
                )


@rule("method")
def samples_asked(candidate: MethodCandidate) -> None:
    """A draw is the same whatever the number and the order of the draws that are made with it."""
    operations = candidate.answering
    for question in operations.questions:
        whole = operations.ask(question, draws=range(5)).probabilities
        if len(whole) > 1:
            for numbers in ((3,), (0, 1), (4, 2, 0)):
                part = operations.ask(question, draws=numbers).probabilities
                distance = apart(part.numpy(), whole[list(numbers)].numpy())
                if distance > TOLERANCE:
                    raise CheckFailedError(
                        f"draws of {question} depend on the draws made with them",
                        expected="rows of noise alone; noise.numbers for methods that take turns",
                        found=f"draws {list(numbers)} of five differ by up to {distance:.3g}",
                    )


@rule("method", needs={Capability.DIVERSE})
def samples_differ(candidate: Predicting) -> None:
    """The samples of an image are not all the same."""
    trial = candidate.draw(SLICES, SLICES.tested[0])[0]
    first, *others = [made.probability for made in trial.draws if made.kind is DrawKind.SAMPLE]
    if all(apart(first, other) <= COPY for other in others):
        raise CheckFailedError(
            f"all {1 + len(others)} samples of an image are the same", expected="diverse samples", found="copies"
        )


@rule("method", needs={Capability.PERSONAL})
def raters_differ(candidate: MethodCandidate) -> None:
    """After training on raters who differ, any two of them get different answers from the same noise."""
    assert candidate.answering
    operations = candidate.operations(long=True)
    asked = [question for question in operations.questions if question.kind is DrawKind.RATER]
    answers = [operations.ask(question, noise_of=0).values for question in asked]
    for one, other in combinations(range(len(asked)), 2):
        if answers[one].equal(answers[other]):
            raise CheckFailedError(
                f"{asked[one]} and {asked[other]} are the same",
                expected="answers that depend on the rater, who draws narrower or wider",
                found="copies",
            )


@rule("method", needs={Capability.PERSONAL})
def conditioning_acts(candidate: MethodCandidate) -> None:
    """After training on raters who differ, logits spread over the raters by a share of their spread over the pixels."""
    assert candidate.answering
    operations = candidate.operations(long=True)
    asked = [question for question in operations.questions if question.kind is DrawKind.RATER]
    answers = [operations.ask(question, noise_of=0) for question in asked]
    if all(answer.values.equal(answers[0].values) for answer in answers):
        raise NotApplicableError("its answers for all raters are the same: see raters-differ")
    over_raters, over_pixels = _spreads(answers)
    if over_raters < LEAST_CONDITIONING * over_pixels:
        raise CheckFailedError(
            "the rater hardly acts on the answers",
            expected=f"a spread of logits over raters of {LEAST_CONDITIONING:g} of that over pixels, or more",
            found=f"{over_raters / over_pixels:.2g}: {over_raters:.2g} and {over_pixels:.2g}",
            hint="compare the sizes of what carries the rater and of what it is added to or joined with",
        )


def _spreads(answers: "list[Asked]") -> tuple[float, float]:
    # Root mean squares of the logits of raters about their mean, and of that about its mean over the pixels
    import torch

    each = torch.stack([_logits(asked) for asked in answers])  # (R, S, N, L, H, W)
    mean = each.mean(dim=0)
    shares = (each - mean, mean - mean.mean(dim=(-2, -1), keepdim=True))
    over_raters, over_pixels = (share.square().mean().sqrt().item() for share in shares)
    return over_raters, over_pixels


def _logits(asked: "Asked") -> "Tensor":
    return asked.values.clamp_min(1e-6).log() if asked.values is asked.probabilities else asked.values


@rule("method")
def noise_acts(candidate: MethodCandidate) -> None:
    """Every noise that is drawn acts: an answer changes when one of its sites is drawn anew."""
    operations = candidate.answering
    acting: dict[tuple[str, str], bool] = {}
    for question in operations.questions:
        first = operations.ask(question)
        for site in sorted(first.sites):
            again = (operations.ask(question, seeds={site: seed}).values for seed in RESEEDED)
            at = question.kind, site
            acting[at] = acting.get(at, False) or not all(one.equal(first.values) for one in again)
    inert = [f"{site!r} in {kind} answers" for (kind, site), acts in acting.items() if not acts]
    if inert:
        raise CheckFailedError(
            f"the noise of site {inert[0]} changes nothing", expected="another answer for other noise", found="the same"
        )


@rule("method")
def noise_sites(candidate: MethodCandidate) -> None:
    """An answer draws from the same sites whatever the rater, the seed, and the number of draws and slices."""
    operations = candidate.answering
    seen: dict[str, frozenset[str]] = {}
    for question in operations.questions:
        for name, value in (("", None), ("draws", [0]), ("slices", [0]), ("seed", 4)):
            sites = operations.ask(question, **({name: value} if name else {})).sites  # type: ignore[arg-type]
            if sites != seen.setdefault(question.kind, sites):
                raise CheckFailedError(
                    f"{question} draws from other sites than before",
                    expected=_listed(seen[question.kind]),
                    found=f"{_listed(sites)} with " + (f"{name} = {value}" if name else "the first noise"),
                )


def _listed(sites: frozenset[str]) -> str:
    return ", ".join(sorted(sites)) or "none"


@rule("method")
def features_kept(candidate: MethodCandidate) -> None:
    """No answer writes to the features, which are computed once for all of them."""
    operations = candidate.answering
    shared = operations.features()
    for question in 2 * operations.questions:
        fresh, again = operations.ask(question), operations.ask(question, features=shared)
        if apart(fresh.probabilities.numpy(), again.probabilities.numpy()) > TOLERANCE:
            raise CheckFailedError(
                f"{question} depends on the answers before it",
                expected="features as features() gave them: no in-place operation on them or their views",
                found="another answer than from new features",
            )


@rule("method")
def evaluation_mode(candidate: MethodCandidate) -> None:
    """Its networks predict in evaluation mode and without gradients, which is how the harness calls them."""
    candidate.draw(SLICES, SLICES.tested[0])
    method = candidate.trained(SLICES).method.train()
    with _modes_seen(method) as wrong:
        candidate.draw(SLICES, SLICES.tested[0])
    wrong += [f"{name or 'the method'} left in training mode" for name, one in method.named_modules() if one.training]
    method.eval()
    expect_none(wrong[:1], "it changes the mode that predictions are made in", "evaluation mode, no gradients")


@contextmanager
def _modes_seen(method: "Method[Any]") -> Iterator[list[str]]:
    # What each submodule is called in that is not the harness's mode.
    import torch

    wrong: list[str] = []

    def note(module: torch.nn.Module, _: Any) -> None:
        wrong.extend([f"{names[module]} in training mode"] if module.training else [])
        wrong.extend([f"{names[module]} with gradients"] if torch.is_grad_enabled() else [])

    names = {module: name for name, module in method.named_modules()}
    hooks = [module.register_forward_pre_hook(note) for module in names]
    try:
        yield wrong
    finally:
        for hook in hooks:
            hook.remove()
