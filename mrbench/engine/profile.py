"""What a cell costs: wall time and peak memory per phase."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


class Profile:
    """Phases timed apart; a device is synchronised before a clock is read.

    Attributes:
        phases: seconds and peak host memory (MiB) of each phase, peak device memory (MiB) where there is one.
        facts: counts that a phase reports (parameters, milliseconds per image, ...).
    """

    def __init__(self) -> None:
        self.phases: dict[str, dict[str, float]] = {}
        self.facts: dict[str, Any] = {}

    @contextmanager
    def phase(self, name: str, device: Any = None) -> Iterator[None]:
        """Times one phase. ``device``: the torch device that it works on, if any."""
        reset_peak_memory()
        _reset_device(device)
        start = time.perf_counter()
        yield
        _synchronise(device)
        entry = {"seconds": time.perf_counter() - start, "peak_memory_mib": peak_memory() / 2**20}
        self.phases[name] = entry | _device_memory(device)

    def as_json(self) -> dict[str, Any]:
        """Phases and facts as JSON types."""
        return {"phases": self.phases, **self.facts}


def peak_memory() -> int:
    """Peak resident memory of this process in bytes, since the last reset where the system allows one."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def reset_peak_memory() -> None:
    """Forgets the peak so far, where the system allows it (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _cuda(device: Any) -> bool:
    return device is not None and device.type == "cuda"


def _synchronise(device: Any) -> None:
    if _cuda(device):
        import torch

        torch.cuda.synchronize(device)


def _reset_device(device: Any) -> None:
    if _cuda(device):
        import torch

        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)


def _device_memory(device: Any) -> dict[str, float]:
    if not _cuda(device):
        return {}
    import torch

    return {
        "device_peak_allocated_mib": torch.cuda.max_memory_allocated(device) / 2**20,
        "device_peak_reserved_mib": torch.cuda.max_memory_reserved(device) / 2**20,
    }


def milliseconds(work: Callable[[], Any], device: Any = None) -> float:
    """Wall milliseconds of one call."""
    _synchronise(device)
    start = time.perf_counter()
    work()
    _synchronise(device)
    return 1000 * (time.perf_counter() - start)
