"""The machine: processor, memory and accelerators, as cells will find them."""

import os
import platform
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from mrbench.doctor.section import Section, gib
from mrbench.engine.devices import visible_gpus
from mrbench.engine.record import processor
from mrbench.engine.threads import LIBRARIES, cores, threads_per_cell

GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
MEMORY = Path("/proc/meminfo")


def machine() -> Section:
    """Processor, cores, threads of a cell, memory (bytes) and the devices that torch can use."""
    memory, (devices, attention, said) = _memory(), _devices()
    facts = {"machine": platform.machine(), "processor": processor(), "cores": cores(), "threads": threads_per_cell(1)}
    return Section(
        title="machine",
        rows=[
            ("processor", f"{facts['processor']} ({facts['machine']})"),
            ("cores", f"{facts['cores']} to use"),
            ("threads", f"{facts['threads']} per cell, " + _reason()),
            ("memory", ", ".join(f"{name} {gib(number)}" for name, number in memory.items()) or "unknown"),
            *((name, ", ".join(_device(one) for one in own) or "none") for name, own in devices.items()),
        ],
        facts=facts | {"memory": memory, "devices": devices},
        attention=attention,
        notes=[*said, *_unused(devices)],
    )


def _reason() -> str:
    return f"as {LIBRARIES[0]} says" if os.environ.get(LIBRARIES[0]) else "divided by --jobs"


def _device(facts: dict[str, Any]) -> str:
    return facts["name"] + (f" {gib(facts['memory'])}" if "memory" in facts else "")


def _memory() -> dict[str, int]:
    found = {}
    with suppress(OSError, ValueError, AttributeError):
        found["total"] = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError, StopIteration):
        lines = MEMORY.read_text().splitlines()
        found["available"] = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    with suppress(OSError, ValueError):  # no number: no limit
        found["limit"] = int(GROUP_LIMIT.read_text())
    return found


def _devices() -> tuple[dict[str, list[dict[str, Any]]], list[str], list[str]]:
    """Devices by kind, what fails, and what torch warns of."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            import torch

            cuda = [_cuda(torch, number) for number in range(torch.cuda.device_count())]
            mps = [{"name": "Apple GPU"}] if torch.backends.mps.is_available() else []
    except Exception as error:  # a broken torch is what a doctor is asked about
        return {}, [f"torch does not work here: {type(error).__name__}: {error}"], []
    said = dict.fromkeys(f"torch says: {str(one.message).splitlines()[0]}" for one in caught)
    return {"cuda": cuda, "mps": mps}, [], list(said)


def _cuda(torch: Any, number: int) -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(number)
    return {"name": properties.name, "memory": properties.total_memory}


def _unused(devices: dict[str, list[dict[str, Any]]]) -> list[str]:
    if devices.get("cuda") or not visible_gpus():
        return []
    return ["there is an NVIDIA GPU that torch cannot use: install a torch with CUDA that fits the driver"]
