"""How much memory repeated calls keep: Python's and NumPy's by tracemalloc, torch's by the tensors that are alive."""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

ROUNDS = 8
"""Of each block of calls; the first block warms up, because caches fill in it."""

BLOCKS = 3


@dataclass(frozen=True)
class Growth:
    """What is kept per call."""

    bytes_per_round: float
    tensors_per_round: float

    @classmethod
    def measure(cls, call: Callable[[int], Any]) -> "Growth":
        """Calls a function again and again; its argument is the number of the call.

        What is kept grows in every block of calls; a cache that fills late grows in one.
        """
        with ExitStack() as stack:
            # What is there already is not looked at again, which in a large process takes seconds.
            gc.collect()
            gc.freeze()
            stack.callback(gc.unfreeze)
            if not tracemalloc.is_tracing():
                tracemalloc.start(1)
                stack.callback(tracemalloc.stop)
            kept = [_after(call, block) for block in range(BLOCKS)]
        grown = [(late[0] - early[0], late[1] - early[1]) for early, late in pairwise(kept)]
        least = min(grown)
        return cls(least[0] / ROUNDS, least[1] / ROUNDS)


def _after(call: Callable[[int], Any], block: int) -> tuple[int, int]:
    for number in range(ROUNDS):
        call(block * ROUNDS + number)
    return _kept()


def _kept() -> tuple[int, int]:
    # Bytes, and tensors among them.
    gc.collect()
    traced = tracemalloc.get_traced_memory()[0]
    if "torch" not in sys.modules:
        return traced, 0
    import torch

    tensors = [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor) and one.layout is torch.strided]
    storages = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}
    return traced + sum(storages.values()), len(tensors)
