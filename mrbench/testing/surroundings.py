"""Checks that a plugin leaves everything else alone, global generators, files, its inputs and memory, on any device."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mrbench.errors import NotApplicableError
from mrbench.seeds import derive_noise
from mrbench.testing.check import CheckFailedError, expect_none, rule
from mrbench.testing.drawn import drawn, expect_equal
from mrbench.testing.predicting import SEED, FusionCandidate, MethodCandidate, Predicting
from mrbench.testing.scenes import SLICES
from mrbench.testing.watch import Growth, RandomState, seeded_globally, watch

if TYPE_CHECKING:
    import torch

HIDDEN = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}


@rule("method", "fusion")
def random_state_kept(candidate: Predicting) -> None:
    """It leaves the global generators of torch, NumPy and Python as they were."""
    case = SLICES.tested[0]
    candidate.draw(SLICES, case)
    changed = candidate.trained(SLICES).disturbed if isinstance(candidate, MethodCandidate) else []
    with seeded_globally(1):
        before = RandomState.now()
        candidate.draw(SLICES, case)
        moved = before.changed()
    changed = [*(f"{name}, in training" for name in changed), *(f"{name}, in prediction" for name in moved)]
    expect_none(changed, "it moves a global generator", "the state that it found")


@rule("method", "fusion")
def random_state_unused(candidate: Predicting) -> None:
    """No draw depends on the state of a global generator."""
    found = []
    for seed in (1, 2):
        with seeded_globally(seed):
            found.append(candidate.draw(SLICES, SLICES.tested[0]))
    expect_equal("draws depend on a global generator", *found)


@rule("method", "fusion")
def nothing_written(candidate: Predicting) -> None:
    """Neither training nor prediction writes, makes, moves or removes a file."""
    with watch() as written:
        candidate.draw(SLICES, SLICES.tested[0])
    trained = candidate.trained(SLICES).written if isinstance(candidate, MethodCandidate) else []
    expect_none([*trained, *written], "it writes to a file", "no file but in save()")


@rule("method", "fusion")
def input_kept(candidate: Predicting) -> None:
    """It changes no image, no mask and no batch that it is given."""
    case, given = SLICES.tested[0], SLICES.tested[0]
    if isinstance(candidate, MethodCandidate):
        expect_none(candidate.trained(SLICES).changed_batch, "a loss writes to its input", "the batch as it was")
        candidate.draw(SLICES, given)
    elif isinstance(candidate, FusionCandidate):
        candidate.fuse(given, derive_noise(SEED))
    arrays = {name: (getattr(case, name), getattr(given, name)) for name in ("image", "masks", "present")}
    changed = [name for name, (before, after) in arrays.items() if not np.array_equal(before, after)]
    expect_none(changed, "an answer writes to its input", "the arrays as they were")


@rule("method")
def masks_unseen(candidate: MethodCandidate) -> None:
    """Its draws do not depend on the masks of the case, by whatever way it might reach them."""
    case = SLICES.tested[0]
    candidate.draw(SLICES, case)
    other = replace(case, masks=np.where(case.masks > 0, 0, 1).astype(np.uint8))
    first, second = (candidate.predictor(SLICES).predict(one)[0].packed for one in (case, other))
    if not np.array_equal(first, second):
        raise CheckFailedError(
            "draws depend on the masks of the case", expected="the same draws for other masks", found="other draws"
        )


@rule("method", "fusion")
def memory_steady(candidate: Predicting) -> None:
    """Memory does not grow when predictions are repeated."""
    case = SLICES.tested[0]
    growth = Growth.measure(lambda seed: candidate.draw(SLICES, case, seed=seed))
    least = case.image.nbytes // 2
    if growth.bytes_per_round > least:
        raise CheckFailedError(
            "every prediction keeps memory",
            expected=f"less than {least} bytes, half an image, per prediction",
            found=f"{growth.bytes_per_round:.0f} bytes, {growth.tensors_per_round:.1f} tensors",
        )


def accelerator_device() -> "torch.device | None":
    """The accelerator of this machine, if it has one."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return next((torch.device(name) for name, available in there.items() if available), None)


@rule("method")
def cpu(candidate: MethodCandidate) -> None:
    """It trains and predicts where there is no accelerator; where there is one, in a process that it is hidden from."""
    candidate.draw(SLICES, SLICES.tested[0])
    if accelerator_device() is None:
        return  # that was one
    words = ["check", candidate.plugin.qualified, "--kind", "method", "--json"]
    words += ["--check", "learns-slices", "--check", "draws-slices"]
    words += [word for path in candidate.plugin_files for word in ("--plugin-file", str(path))]
    hidden = os.environ | HIDDEN | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "mrbench", *words], capture_output=True, text=True, check=False, env=hidden
    )
    if done.returncode:
        raise CheckFailedError(
            "it does not work where there is no accelerator", expected="the CPU to do", found=_told(done)
        )


def _told(done: "subprocess.CompletedProcess[str]") -> str:
    if done.stdout:
        return next(str(one["what"]) for one in json.loads(done.stdout)["checks"] if one["verdict"] == "failed")
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


@rule("method")
def accelerator(candidate: MethodCandidate) -> None:
    """It trains and predicts on an accelerator, where there is one."""
    device = accelerator_device()
    if device is None:
        raise NotApplicableError("there is no accelerator here")
    candidate.draw(SLICES, SLICES.tested[0])
    method = candidate.rehearse(SLICES, device=device).method.to(device)
    drawn(candidate.predictor_of(method, SLICES, device=device), SLICES.tested[0])
