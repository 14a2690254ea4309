"""Void pixels, which nobody judged, on their way to the functions that ask for them."""

from collections.abc import Callable
from inspect import signature
from typing import Any


def names_valid(function: Callable[..., Any]) -> bool:
    """Has it a parameter ``valid``, the pixels that count?"""
    return "valid" in signature(function).parameters
