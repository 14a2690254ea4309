"""What a method's answer must be: logits or probabilities of every draw and slice, and no more."""

from typing import Any

from torch import Tensor

from mrbench.errors import PluginError
from mrbench.interfaces.method import Probabilities
from mrbench.interfaces.noise import Noise
from mrbench.nn.losses import logit_channels


def check_answer(answer: Any, noise: Noise, shape: tuple[int, int, int, int], where: str) -> None:
    """Refuses what is not ``(S, N, L, H, W)`` logits, or ``(S, N, K, H, W)`` probabilities.

    Args:
        noise: that the answer was made with; S is its number of draws, or 1 where nothing was drawn.
        shape: ``(N, K, H, W)``.
        where: method, case and what was asked, for the error.

    Raises:
        PluginError: another type, number type or shape.
    """
    slices, classes, height, width = shape
    probabilities = isinstance(answer, Probabilities)
    values = answer.values if probabilities else answer
    channels = classes if probabilities else logit_channels(classes)
    draws = noise.draws if noise.sites else 1
    expected = f"{(draws, slices, channels, height, width)} float {'probabilities' if probabilities else 'logits'}"
    if not isinstance(values, Tensor):
        raise PluginError(f"{where} gives no tensor", expected=expected, found=_kind(values))
    if not values.is_floating_point():
        raise PluginError(f"{where} gives no floats", expected=expected, found=str(values.dtype))
    wanted = (slices, channels, height, width)
    if values.dim() != 5 or tuple(values.shape[1:]) != wanted or len(values) not in {draws, noise.draws}:
        drawn = f"drawn from {', '.join(sorted(noise.sites))}" if noise.sites else "nothing was drawn from noise"
        found = f"{tuple(values.shape)}; {drawn}"
        raise PluginError(f"{where} has a wrong shape (S, N, L, H, W)", expected=expected, found=found)


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"
