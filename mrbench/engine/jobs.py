"""How many cells are computed side by side where nobody says: none of it changes a number."""

from dataclasses import dataclass
from typing import Literal

from mrbench.engine.devices import visible_gpus
from mrbench.engine.threads import cores, free_memory

Jobs = int | Literal["auto"]

CELL_BYTES = 3 * 2**29
"""Memory that a cell is expected to take: the methods of this repository take up to 1 GiB."""


@dataclass(frozen=True)
class SideBySide:
    """So many cells at a time.

    Attributes:
        jobs: how many.
        reason: why so many, in words; blank where somebody said it.
    """

    jobs: int
    reason: str = ""

    @property
    def told(self) -> str:
        """The number of cells at a time with its reason, as a phrase."""
        many = "one at a time" if self.jobs == 1 else f"up to {self.jobs} at a time"
        return f"{many} ({self.reason})" if self.reason else many


def side_by_side(jobs: Jobs, device: str, threads: int) -> SideBySide:
    """How many cells at a time.

    Args:
        jobs: what was asked for; ``auto``: one for each GPU where there are some and the device admits them, else as
            many as cores and free memory allow.
        threads: of a cell.
    """
    if jobs != "auto":
        return SideBySide(jobs)
    gpus = visible_gpus() if device in ("auto", "cuda") else []
    if gpus:
        return SideBySide(len(gpus), f"{_counted(len(gpus), 'GPU')}; --jobs says otherwise")
    free, own = free_memory(), cores()
    by_cores = max(1, own // threads)
    by_memory = by_cores if free is None else max(1, free // CELL_BYTES)
    limit = f"{_counted(own, 'core')}, {_counted(threads, 'thread')} each"
    if by_memory < by_cores:
        limit = f"{(free or 0) / 2**30:.1f} GiB free, {CELL_BYTES / 2**30:g} GiB expected of each"
    return SideBySide(min(by_cores, by_memory), f"{limit}; --jobs says otherwise")


def idle_cores(waiting: int, threads: int, device: str) -> str:
    """One line that names ``--threads`` where fewer cells train than there are cores for them; blank elsewhere."""
    own = cores()
    if not waiting or waiting * threads >= own or (device in ("auto", "cuda") and visible_gpus()):
        return ""
    cells = "1 cell waits" if waiting == 1 else f"{waiting} cells wait"
    return (
        f"{cells} and there are {own} cores: --threads {own // waiting} may train faster; threads are a condition "
        "that numbers depend on"
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
