"""The order of arguments that all functions of masks share: the raters, then what is scored against them."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar, cast

import numpy as np

from mrbench.metrics.arrays import is_floating, type_name

F = TypeVar("F", bound=Callable[..., Any])


def raters_first(function: F) -> F:
    """Refuses floats in the raters' place, and says how to call: probabilities are floats, masks of raters never are.

    Two sets of masks cannot be told apart: nothing is said of their order.
    """
    raters, scored = list(signature(function).parameters)[:2]

    @wraps(function)
    def checked(*args: Any, **named: Any) -> Any:
        refuse_floats(
            args[0] if args else named.get(raters),
            f"{raters} must be boolean, e.g. labels == 1",
            f"{function.__name__}({raters}, {scored})",
        )
        return function(*args, **named)

    return cast("F", checked)


def refuse_floats(raters: Any, expected: str, call: str) -> None:
    """Refuses floats as the raters.

    Raises:
        ValueError: with what was expected, what was found, and the call.
    """
    if is_floating(raters):
        raise ValueError(
            f"{expected}; got {type_name(raters)} of shape {tuple(np.shape(raters))}; the raters come first: {call}"
        )
