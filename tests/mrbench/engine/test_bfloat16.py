"""Does the hardware compute in bfloat16? What a user is told where it does not."""

from pathlib import Path

import pytest
import torch

from mrbench.engine.bfloat16 import bf16_warning, check_bf16
from mrbench.errors import MrbenchError

NONE = "does not say that it has bfloat16 instructions"


@pytest.fixture
def without_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrbench.engine.bfloat16.visible_gpus", list)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("flags\t\t: fpu avx512_bf16 sse", ""), ("flags : amx_tile amx_bf16", ""), ("Features : fp bf16 i8mm", ""),
        ("flags\t\t: fpu avx512f sse", NONE), ("model name : bf16x", NONE), ("", NONE),
    ],
)  # fmt: skip
def test_a_processor_is_asked_for_its_instructions(
    line: str, told: str, without_gpus: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\n{line}\n")
    monkeypatch.setattr("mrbench.engine.bfloat16.CPUINFO", tmp_path / "cpuinfo")
    for device in ("auto", "cpu"):
        warning = bf16_warning(device)
        assert told in warning if told else warning == ""


def test_a_system_that_says_nothing_is_warned_of(
    without_gpus: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mrbench.engine.bfloat16.CPUINFO", tmp_path / "absent")
    assert NONE in bf16_warning("cpu")


def test_a_gpu_is_looked_at_by_the_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrbench.engine.bfloat16.CPUINFO", tmp_path / "absent")
    monkeypatch.setattr("mrbench.engine.bfloat16.visible_gpus", lambda: ["0"])
    assert bf16_warning("auto") == ""
    assert NONE in bf16_warning("cpu")


def test_a_cpu_is_taken_and_another_device_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_bf16(torch.device("cpu"))
    with pytest.raises(MrbenchError, match="cannot train in bf16 on mps") as error:
        check_bf16(torch.device("mps"))
    assert "--precision float32" in str(error.value.hint)
    for supported in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda found=supported, **_: found)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "an old one")
        if supported:
            check_bf16(torch.device("cuda"))
        else:
            with pytest.raises(MrbenchError, match="cannot train in bf16 on an old one"):
                check_bf16(torch.device("cuda"))
