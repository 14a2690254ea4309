"""The options that say what values in masks mean, for every command that reads masks of other people."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from mrbench.data.mask_rules import MaskRules, read_rules

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = (
    click.option(
        "--labels",
        multiple=True,
        metavar="MAP",
        help="Class of a value or a colour: 127=liver, '#ff0000=2'; repeat, or commas between. 0, black: background.",
    ),
    click.option("--threshold", type=float, metavar="T", help="Values of at least T are foreground."),
    click.option("--invert", is_flag=True, help="0 is the foreground, and the other value is background."),
)


def mask_options(function: F) -> F:
    """Adds the options to a command; they reach it by name."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def pop_rules(options: dict[str, Any]) -> MaskRules:
    """Takes what they say out of a command's options.

    Raises:
        UsageError: no such map, or options that exclude each other.
    """
    return read_rules(options.pop("labels"), options.pop("threshold"), options.pop("invert"))
