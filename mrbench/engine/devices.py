"""Leases of accelerators: one cell per GPU at a time, across the runs of this machine."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mrbench.errors import MrbenchError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Lease:
    """What a cell's environment says of its device."""

    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def lease_device(device: str) -> Iterator[Lease]:
    """A GPU of one's own where the machine has one and the device asked for admits it.

    Where every GPU is taken, the cell shares the first one and is flagged: its timing stays out of comparisons.
    """
    gpus = visible_gpus() if device in ("auto", "cuda") else []
    if not gpus:
        yield Lease()
        return
    for gpu in gpus:
        lock = _locked(gpu)
        if lock is not None:
            with lock:
                yield Lease({"CUDA_VISIBLE_DEVICES": gpu})
            return
    yield Lease({"CUDA_VISIBLE_DEVICES": gpus[0], "MRBENCH_SHARED_DEVICE": "1"})


def visible_gpus() -> list[str]:
    """The NVIDIA devices that this process may use, without importing torch."""
    stated = os.environ.get("CUDA_VISIBLE_DEVICES")
    if stated is not None:
        return [name for name in stated.split(",") if name and name != "-1"]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    found = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=30, check=False)
    return [str(n) for n, line in enumerate(found.stdout.splitlines()) if line.startswith("GPU ")]


def torch_device(name: str) -> "torch.device":
    """The device of that name: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``mps``.

    Raises:
        MrbenchError: it is not there.
    """
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    chosen = next(device for device, there in available.items() if there) if name == "auto" else name
    if not available.get(chosen):
        raise MrbenchError(f"device {name!r} is not available here", hint="--device auto")
    return torch.device(chosen)


def _locked(gpu: str) -> IO[str] | None:
    import fcntl

    path = Path(tempfile.gettempdir()) / f"mrbench-gpu-{gpu.replace('/', '-')}.lock"
    with suppress(FileExistsError):
        path.touch(mode=0o666, exist_ok=False)
    try:
        file = path.open(encoding="utf-8")  # another user's lock can be taken too: it need not be written to
    except PermissionError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
