"""Checks of devices: without an accelerator, and on one where there is one."""

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from mrbench.errors import NotApplicableError
from mrbench.testing.check import CheckFailedError, rule
from mrbench.testing.method_candidate import MethodCandidate
from mrbench.testing.scenes import SLICES

if TYPE_CHECKING:
    import torch

SAMPLES = 2

HIDDEN = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}


def accelerator_device() -> "torch.device | None":
    """The accelerator of this machine, if it has one."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return next((torch.device(name) for name, available in there.items() if available), None)


@rule("method")
def cpu(candidate: MethodCandidate) -> None:
    """It trains and predicts where there is no accelerator; where there is one, in a process that it is hidden from."""
    candidate.trained(SLICES)
    if accelerator_device() is None:
        return  # that training was one
    files = [str(path) for path in candidate.plugin_files]
    order = json.dumps({"path": sys.path, "method": candidate.plugin.qualified, "plugin_files": files})
    done = subprocess.run(
        [sys.executable, "-m", "mrbench.testing.alone", order],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | HIDDEN,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise CheckFailedError("it does not work where there is no accelerator", expected="the CPU to do", found=last)


@rule("method")
def accelerator(candidate: MethodCandidate) -> None:
    """It trains and predicts on an accelerator, where there is one."""
    device = accelerator_device()
    if device is None:
        raise NotApplicableError("there is no accelerator here")
    from mrbench.testing.rehearsal import draw

    candidate.trained(SLICES)
    rehearsal = candidate.rehearse(SLICES, device=device)
    rehearsal.method.to(device)
    draw(rehearsal.method, SLICES.tested[0], SAMPLES, candidate.context(3, device))


CHECKS = (cpu, accelerator)
