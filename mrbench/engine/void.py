"""Void pixels: who asks for them, and what a record says of them."""

from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any

from mrbench.data.caseset import CaseSet


def names_valid(function: Callable[..., Any]) -> bool:
    """Has it a parameter ``valid``, the pixels that count?"""
    return "valid" in signature(function).parameters


def void_fact(cases: CaseSet, test: Iterable[int]) -> dict[str, float]:
    """Of a record: the share of void pixels in the cases at ``test``, where there are any."""
    share = cases.void_share(test)
    return {"void": share} if share else {}
