"""Threads and memory of a cell: set in its environment before numerical libraries are imported.

Spinning OpenMP threads of cells that run side by side slow each other down several times over; passive waiting and
cores divided by parallel cells avoid it. The C library hands large blocks back to the system and takes them anew, page
by page, at every training step; letting it keep them saves nine of ten page faults.
"""

import os
import sys
from collections.abc import Mapping

KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**33)}
"""For glibc: blocks of any size are kept, up to 8 GiB; elsewhere without effect."""

PLAIN_TEXT = {"PYTHONIOENCODING": "utf-8:backslashreplace"}
"""Logs are UTF-8, whatever the terminal is: a plugin that prints a letter does not fail."""

LIBRARIES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_per_cell(jobs: int) -> int:
    """What ``OMP_NUM_THREADS`` says where it is set, else the cores divided by the cells that run side by side."""
    stated = os.environ.get(LIBRARIES[0], "")
    return int(stated) if stated.isdecimal() and int(stated) > 0 else max(1, cores() // jobs)


def thread_environment(threads: int) -> Mapping[str, str]:
    """The variables that give a fresh process its thread count and its way with memory."""
    return {name: str(threads) for name in LIBRARIES} | {"OMP_WAIT_POLICY": "PASSIVE"} | KEEP_MEMORY


def threads_in_use() -> int:
    """Threads of this process's numerical work: torch's where it is loaded, else what the environment says."""
    if "torch" in sys.modules:
        import torch

        return torch.get_num_threads()
    return int(os.environ.get(LIBRARIES[0], cores()))
