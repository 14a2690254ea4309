"""Threads and memory of a cell: set in its environment before numerical libraries are imported.

How many threads a cell has is one of its conditions, for sums are taken in another order with each number of them.
Spinning OpenMP threads of cells that run side by side slow each other down several times over; passive waiting avoids
it. The C library hands large blocks back to the system and takes them anew, page
by page, at every training step; letting it keep them saves nine of ten page faults.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**33)}
"""For glibc: blocks of any size are kept, up to 8 GiB; elsewhere without effect."""

GROUP_LIMIT, GROUP_USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
MEMORY = Path("/proc/meminfo")
PLAIN_TEXT = {"PYTHONIOENCODING": "utf-8:backslashreplace"}
"""Logs are UTF-8, whatever the terminal is: a plugin that prints a letter does not fail."""

LIBRARIES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> dict[str, int]:
    """Bytes: ``total``, ``available`` and the ``limit`` of the group of processes, as far as the system tells."""
    found = {}
    with suppress(OSError, ValueError, AttributeError):
        found["total"] = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError, StopIteration):
        lines = MEMORY.read_text().splitlines()
        found["available"] = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    with suppress(OSError, ValueError):  # no number: no limit
        found["limit"] = int(GROUP_LIMIT.read_text())
    return found


def free_memory() -> int | None:
    """Bytes that new processes can have; None where the system does not tell."""
    found = memory()
    free = [found["available"]] if "available" in found else []
    with suppress(OSError, ValueError, KeyError):
        free.append(max(0, found["limit"] - int(GROUP_USED.read_text())))
    return min(free, default=None)


def thread_environment(threads: int) -> Mapping[str, str]:
    """The variables that give a fresh process its thread count and its way with memory."""
    return {name: str(threads) for name in LIBRARIES} | {"OMP_WAIT_POLICY": "PASSIVE"} | KEEP_MEMORY


def threads_in_use() -> int:
    """Threads of this process's numerical work: torch's where it is loaded, else what the environment says."""
    if "torch" in sys.modules:
        import torch

        return torch.get_num_threads()
    return int(os.environ.get(LIBRARIES[0], cores()))
