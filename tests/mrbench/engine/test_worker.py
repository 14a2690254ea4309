"""How a cell ended, in one word and one line."""

import pytest

from mrbench.engine.cell import Status
from mrbench.engine.worker import classify, tail
from mrbench.errors import DivergedError, NotApplicableError, PluginError


class OutOfMemoryError(RuntimeError):
    """Named as torch names it."""


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ValueError("first line\nsecond line"), Status.FAILED, "ValueError: first line"),
        (PluginError("what", expected="this"), Status.FAILED, "what\n  expected: this"),
        (DivergedError("loss"), Status.DIVERGED, "loss"),
        (NotApplicableError("no volumes"), Status.NOT_APPLICABLE, "no volumes"),
        (MemoryError(), Status.OUT_OF_MEMORY, "MemoryError"),
        (OutOfMemoryError("CUDA out of memory"), Status.OUT_OF_MEMORY, "CUDA out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), Status.OUT_OF_MEMORY, "allocate"),
        (KeyboardInterrupt(), Status.INTERRUPTED, "interrupted"),
        (SystemExit(1), Status.INTERRUPTED, "interrupted"),
    ],
)
def test_an_exception_means_a_status_and_a_reason(error: BaseException, status: Status, words: str):
    found, reason = classify(error)
    assert found is status
    assert words in reason


def test_the_end_of_a_long_log_is_kept(tmp_path):
    (tmp_path / "log").write_bytes(b"a" * 100 + b"the end")
    assert tail(tmp_path / "log", 7) == b"the end"
    assert len(tail(tmp_path / "log", 1000)) == 107
