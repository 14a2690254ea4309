"""Checks of the training: on every kind of data, with gradients that arrive and losses that fall."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mrbench.errors import NotApplicableError
from mrbench.testing.check import CheckFailedError, expect_none, rule
from mrbench.testing.drawn import differing_weights
from mrbench.testing.predicting import MethodCandidate
from mrbench.testing.scenes import MISSING, SCENES, SLICES, Scene

if TYPE_CHECKING:
    from torch import Tensor

LAST = 4
"""Steps whose mean loss must lie below that of the first ones."""


@rule("method", over=[scene for scene in SCENES if "method" in scene.kinds])
def learns(candidate: MethodCandidate, scene: Scene) -> None:
    """It trains with finite losses and gradients on {what}."""
    candidate.rehearsal(scene)


@rule("method")
def gradients(candidate: MethodCandidate) -> None:
    """Every parameter of a stage's groups gets a gradient other than zero in some step."""
    without = candidate.trained(SLICES).without_gradient
    expect_none(without, f"{len(without)} parameters never get a gradient", "one in some step each")


@rule("method")
def loss_falls(candidate: MethodCandidate) -> None:
    """Steps on one repeated batch lower the loss of every stage."""
    candidate.trained(SLICES)
    curve = candidate.rehearsal(SLICES, long=True).curve
    if not curve:
        raise NotApplicableError("it has no stages")
    losses: defaultdict[str, list[float]] = defaultdict(list)
    for row in curve:
        losses[row["stage"]].append(row["train/total"])
    for stage, values in losses.items():
        first, last = (sum(part) / LAST for part in (values[:LAST], values[-LAST:]))
        if not last < first:
            raise CheckFailedError(
                f"the loss of stage {stage!r} does not fall in {len(values)} steps on one batch",
                expected=f"below {first:.6g}, the mean of the first {LAST}",
                found=f"{last:.6g}, the mean of the last {LAST}",
            )


@rule("method")
def absent_unread(candidate: MethodCandidate) -> None:
    """What stands in the masks of absent raters changes no loss."""
    from mrbench.testing.rehearsal import losses_with_absent

    method = candidate.trained(MISSING).method
    zeros, marked = (losses_with_absent(method, MISSING, label) for label in (0, 1))
    _expect_equal(zeros, marked, "the masks of absent raters")


@rule("method")
def void_unread(candidate: MethodCandidate) -> None:
    """What stands in the masks where ``batch.valid`` does not hold changes no loss."""
    from mrbench.testing.rehearsal import losses_with_void

    method = candidate.trained(SLICES).method
    zeros, marked = (losses_with_void(method, SLICES, label) for label in (0, 1))
    hint = "losses of mrbench.nn take valid=batch.counted; networks see batch.judged in place of batch.masks"
    _expect_equal(zeros, marked, "labels of void pixels", hint)


def _expect_equal(zeros: Mapping[str, "Tensor"], marked: Mapping[str, "Tensor"], what: str, hint: str = "") -> None:
    import torch

    for name, value in zeros.items():
        if not torch.allclose(value, marked[name], rtol=1e-4, atol=1e-6):
            expected, found = f"{value.item():.6g} whatever they hold", f"{marked[name].item():.6g}"
            raise CheckFailedError(f"{name} reads {what}", expected=expected, found=found, hint=hint)


@rule("method")
def stages_repeat(candidate: MethodCandidate) -> None:
    """``stages()`` gives the same stages and parameters whenever it is called."""
    method = candidate.new(SLICES)
    first, second = (
        [(stage.name, [id(p) for group in stage.groups for p in group.parameters]) for stage in method.stages()]
        for _ in range(2)
    )
    if first != second:
        raise CheckFailedError(
            "stages() gives other stages when it is called again",
            expected=", ".join(name for name, _ in first) + ", with the same parameters",
            found=", ".join(name for name, _ in second) or "none",
        )


@rule("method")
def training_repeats(candidate: MethodCandidate) -> None:
    """The same training seed gives the same weights, whatever state the generators of NumPy and Python are in."""
    first = candidate.trained(SLICES).method
    changed = differing_weights(first, candidate.rehearse(SLICES, surroundings=2).method)
    expect_none(changed, "two trainings under one seed differ", "equal weights")


@rule("method")
def training_seed(candidate: MethodCandidate) -> None:
    """Another training seed gives other weights."""
    first = candidate.trained(SLICES)
    if not first.curve:
        raise NotApplicableError("it has no stages")
    if not differing_weights(first.method, candidate.rehearse(SLICES, seed=1).method):
        raise CheckFailedError(
            "the training seed changes nothing", expected="other weights under another seed", found="the same weights"
        )
