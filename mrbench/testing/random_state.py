"""The states of the global generators, to see whether a plugin touches them."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class RandomState:
    """States by the name of the library; torch's only where torch is loaded."""

    states: dict[str, Any]

    @classmethod
    def now(cls) -> "RandomState":
        """The present states."""
        states: dict[str, Any] = {"random": random.getstate(), "numpy": np.random.get_state(legacy=False)}
        if "torch" in sys.modules:
            import torch

            states["torch"] = torch.get_rng_state()
        return cls(states)

    def changed(self) -> list[str]:
        """The libraries whose generator is no longer in this state."""
        now = RandomState.now().states
        return [name for name, state in self.states.items() if _bytes(state) != _bytes(now[name])]

    def restore(self) -> None:
        """Gives every generator back as it was."""
        random.setstate(self.states["random"])
        np.random.set_state(self.states["numpy"])
        if "torch" in self.states:
            import torch

            torch.set_rng_state(self.states["torch"])


def _bytes(state: Any) -> bytes:
    if isinstance(state, dict):  # NumPy's
        return repr([state["state"]["pos"], state["has_gauss"]]).encode() + state["state"]["key"].tobytes()
    return repr(state).encode() if isinstance(state, tuple) else bytes(state.numpy().tobytes())


@contextmanager
def seeded_globally(seed: int) -> Iterator[None]:
    """Every global generator under a seed of its own; all are given back as they were."""
    before = RandomState.now()
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        import torch

        torch.manual_seed(seed)
    try:
        yield
    finally:
        before.restore()
