"""The machine: processor, memory and accelerators, as cells will find them."""

import platform
import warnings
from typing import Any

from mrbench.doctor.section import Section, gib
from mrbench.engine.conditions import AS_USUAL
from mrbench.engine.devices import visible_gpus
from mrbench.engine.record import processor
from mrbench.engine.threads import cores, memory


def machine() -> Section:
    """Processor, cores, threads of a cell, memory (bytes) and the devices that torch can use."""
    found, (devices, attention, said) = memory(), _devices()
    facts = {"machine": platform.machine(), "processor": processor(), "cores": cores(), "threads": AS_USUAL.threads}
    return Section(
        title="machine",
        rows=[
            ("processor", f"{facts['processor']} ({facts['machine']})"),
            ("cores", f"{facts['cores']} to use"),
            ("threads", f"{AS_USUAL.threads} per cell unless --threads says otherwise"),
            ("memory", ", ".join(f"{name} {gib(number)}" for name, number in found.items()) or "unknown"),
            *((name, ", ".join(_device(one) for one in own) or "none") for name, own in devices.items()),
        ],
        facts=facts | {"memory": found, "devices": devices},
        attention=attention,
        notes=[*said, *_unused(devices)],
    )


def _device(facts: dict[str, Any]) -> str:
    return facts["name"] + (f" {gib(facts['memory'])}" if "memory" in facts else "")


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
