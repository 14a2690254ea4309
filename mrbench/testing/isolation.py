"""Checks that a plugin leaves everything else alone: global generators, files, its inputs, and the memory."""

from dataclasses import replace

import numpy as np

from mrbench.data.case import Case
from mrbench.testing.candidate import Predicting
from mrbench.testing.check import CheckFailedError, rule
from mrbench.testing.compare import expect_equal
from mrbench.testing.memory import Growth
from mrbench.testing.method_candidate import MethodCandidate
from mrbench.testing.random_state import RandomState, seeded_globally
from mrbench.testing.scenes import SLICES
from mrbench.testing.watch import watch

SAMPLES = 4


@rule("method", "fusion")
def random_state_kept(candidate: Predicting) -> None:
    """It leaves the global generators of torch, NumPy and Python as they were."""
    draw = candidate.working_drawer(SLICES)
    changed = candidate.trained(SLICES).disturbed if isinstance(candidate, MethodCandidate) else []
    with seeded_globally(1):
        before = RandomState.now()
        draw(SLICES.tested[0], SAMPLES, 3)
        moved = before.changed()
    changed = [*(f"{name}, in training" for name in changed), *(f"{name}, in prediction" for name in moved)]
    if changed:
        raise CheckFailedError(
            "it moves a global generator", expected="the state that it found", found="; ".join(changed)
        )


@rule("method", "fusion")
def random_state_unused(candidate: Predicting) -> None:
    """No draw depends on the state of a global generator."""
    draw, case = candidate.working_drawer(SLICES), SLICES.tested[0]
    found = []
    for seed in (1, 2):
        with seeded_globally(seed):
            found.append(draw(case, SAMPLES, 3))
    expect_equal("draws depend on a global generator", *found)


@rule("method", "fusion")
def nothing_written(candidate: Predicting) -> None:
    """Neither training nor prediction writes, makes, moves or removes a file."""
    draw = candidate.working_drawer(SLICES)
    written = list(candidate.trained(SLICES).written) if isinstance(candidate, MethodCandidate) else []
    with watch() as paths:
        draw(SLICES.tested[0], SAMPLES, 3)
    written += paths
    if written:
        raise CheckFailedError("it writes to a file", expected="no file but in save()", found=written[0])


@rule("method", "fusion")
def input_kept(candidate: Predicting) -> None:
    """It changes no image, no mask and no batch that it is given, and needs none that it could write to."""
    changed = candidate.trained(SLICES).changed_batch if isinstance(candidate, MethodCandidate) else []
    if changed:
        raise CheckFailedError("a loss writes to its input", expected="the batch as it was", found=changed[0])
    if candidate.kind == "method":
        _image_kept(candidate)
    else:
        _masks_kept(candidate)


def _image_kept(candidate: Predicting) -> None:
    case, given = SLICES.tested[0], SLICES.tested[0]
    candidate.working_drawer(SLICES)(given, SAMPLES, 3)
    if not np.array_equal(case.image, given.image):
        raise CheckFailedError("predict writes to its image", expected="the image as it was", found="other values")


def _masks_kept(candidate: Predicting) -> None:
    case, given = SLICES.tested[0], SLICES.tested[0]
    candidate.working_drawer(SLICES)(given, SAMPLES, 3)
    for name in ("masks", "present"):
        if not np.array_equal(getattr(case, name), getattr(given, name)):
            raise CheckFailedError(f"fuse writes to {name}", expected="the array as it was", found="other values")
    for array in (given.masks, given.present):
        array.flags.writeable = False
    candidate.working_drawer(SLICES)(given, SAMPLES, 3)


@rule("method")
def masks_unseen(candidate: MethodCandidate) -> None:
    """Its draws do not depend on the masks of the case, by whatever way it might reach them."""
    candidate.working_drawer(SLICES)
    case = SLICES.tested[0]
    other = replace(case, masks=np.where(case.masks > 0, 0, 1).astype(np.uint8))
    first, second = (_through_the_harness(candidate, one) for one in (case, other))
    if not np.array_equal(first, second):
        raise CheckFailedError(
            "draws depend on the masks of the case", expected="the same draws for other masks", found="other draws"
        )


def _through_the_harness(candidate: MethodCandidate, case: Case) -> np.ndarray:
    # (draws, F, bytes): the bits that are scored
    from mrbench.engine.predict import Predictor

    method, context = candidate.trained(SLICES).method, candidate.context(3)
    record = candidate.plugin.card
    predictor = Predictor.of_method(record, SLICES.description, SAMPLES, method, context)
    return predictor.predict(case)[0].packed


@rule("method", "fusion")
def memory_steady(candidate: Predicting) -> None:
    """Memory does not grow when predictions are repeated."""
    draw, case = candidate.working_drawer(SLICES), SLICES.tested[0]
    growth = Growth.measure(lambda seed: draw(case, SAMPLES, seed))
    least = case.image.nbytes // 2
    if growth.bytes_per_round > least:
        raise CheckFailedError(
            "every prediction keeps memory",
            expected=f"less than {least} bytes, half an image, per prediction",
            found=f"{growth.bytes_per_round:.0f} bytes, {growth.tensors_per_round:.1f} tensors",
        )


CHECKS = (
    random_state_kept,
    random_state_unused,
    nothing_written,
    input_kept,
    masks_unseen,
    memory_steady,
)
