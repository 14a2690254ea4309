"""Learning rates over the epochs of a stage; light, so that planning needs no torch."""

import math
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from mrbench.errors import PluginError

Schedule = Literal["cosine", "constant", "polynomial", "late-decay"]
"""cosine: half a wave down to 0; constant; polynomial: (1 - epoch / epochs)^0.9, as TAB is trained; late-decay: divided
by 1.1 after every epoch from number 41 on, counted from 0, as Pionono is."""

POWER = 0.9
LAST_FULL, DECAY = 41, 1.1

_SHARES: Mapping[str, Callable[[int, int], float]] = {
    "cosine": lambda epoch, epochs: 0.5 * (1 + math.cos(math.pi * epoch / epochs)),
    "constant": lambda _epoch, _epochs: 1.0,
    "polynomial": lambda epoch, epochs: float((1 - epoch / epochs) ** POWER),
    "late-decay": lambda epoch, _epochs: float(DECAY ** -max(0, epoch - LAST_FULL)),
}
assert set(_SHARES) == set(get_args(Schedule))


def share_of_rate(schedule: Schedule, epoch: int, epochs: int) -> float:
    """What every group's learning rate is multiplied by in an epoch, counted from 0.

    Raises:
        PluginError: there is no such schedule.
    """
    if schedule not in _SHARES:
        raise PluginError("a stage has an unknown schedule", expected=", ".join(_SHARES), found=repr(schedule))
    return _SHARES[schedule](epoch, epochs)
