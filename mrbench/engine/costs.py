"""What the trainings that a cell needs cost, whichever cell made them."""

from collections.abc import Mapping, Sequence
from typing import Any


def cost_of(trainings: Sequence[Mapping[str, Any]]) -> tuple[dict[str, float], dict[str, Any]]:
    """The phase ``fit`` and the facts of trainings together: one alone as it says.

    Args:
        trainings: at least one, as in ``training.json``: seconds, parameters and epochs are summed; of memory and
            slices, which they use one after another, the most.
    """
    fits, facts = [one["fit"] for one in trainings], [one["facts"] for one in trainings]
    seconds, epochs = sum(fit["seconds"] for fit in fits), sum(fact["epochs"] for fact in facts)
    most = {name: max(fit[name] for fit in fits) for name in fits[0] if name != "seconds"}
    return {"seconds": seconds} | most, {
        "parameters": sum(fact["parameters"] for fact in facts),
        "epochs": epochs,
        "seconds_per_epoch": seconds / max(1, epochs),
        "training_slices": max(fact["training_slices"] for fact in facts),
        "resumed": any(fact["resumed"] for fact in facts),
        "trained_on_shared_device": any(fact["trained_on_shared_device"] for fact in facts),
    }
