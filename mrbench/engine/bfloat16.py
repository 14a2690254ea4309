"""Does the hardware compute in bfloat16? Light: a command asks before torch is there."""

from pathlib import Path
from typing import TYPE_CHECKING

from mrbench.engine.devices import visible_gpus
from mrbench.errors import MrbenchError

if TYPE_CHECKING:
    import torch

INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Names of bfloat16 products among a processor's features, on x86 and Arm."""

CPUINFO = Path("/proc/cpuinfo")


def bf16_warning(device: str) -> str:
    """What speaks against training in bf16 on ``auto``, ``cpu``, ``cuda`` or ``mps``; empty where nothing seems to."""
    if device in ("auto", "cuda") and visible_gpus():
        return ""  # the cell looks at its GPU
    if _instructions():
        return ""
    return "this processor does not say that it has bfloat16 instructions: bf16 may train more slowly than float32"


def check_bf16(device: "torch.device") -> None:
    """Refuses a device that cannot.

    Raises:
        MrbenchError: a GPU without bfloat16, or a device that is neither CPU nor CUDA.
    """
    import torch

    if device.type == "cpu" or (device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)):
        return
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    raise MrbenchError(
        f"cannot train in bf16 on {name}",
        expected="a CPU, or an NVIDIA GPU with bfloat16 (Ampere or later)",
        hint="--precision float32, or --device cpu",
    )


def _instructions() -> frozenset[str]:
    try:
        return INSTRUCTIONS.intersection(CPUINFO.read_text(encoding="utf-8").split())
    except OSError:
        return frozenset()
