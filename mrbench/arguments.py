"""What a Python caller gives, checked: one value or several, whole numbers, paths.

A command line checks its words by itself; these give the same kind of errors to scripts and notebooks.
"""

from collections.abc import Callable, Iterable
from math import inf
from numbers import Real
from operator import index
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from mrbench.errors import UsageError

StrPath = str | PathLike[str]

T = TypeVar("T")


def text_of(name: str, value: Any) -> str:
    """A word.

    Raises:
        UsageError: anything else.
    """
    return value if isinstance(value, str) else _refuse(name, "text", value)


def path_of(name: str, value: Any) -> Path:
    """A path, from text or from what stands for a path.

    Raises:
        UsageError: anything else.
    """
    return Path(value) if isinstance(value, str | PathLike) else _refuse(name, "a path", value)


def whole_of(name: str, value: Any, least: int = 0) -> int:
    """A whole number, NumPy's too.

    Raises:
        UsageError: a lesser number, or no whole one.
    """
    expected = f"a whole number from {least}"
    try:
        number = _refuse(name, expected, value) if isinstance(value, bool) else index(value)
    except TypeError:
        _refuse(name, expected, value)
    return number if number >= least else _refuse(name, expected, value)


def seconds_of(name: str, value: Any) -> float:
    """A time above 0.

    Raises:
        UsageError: anything else.
    """
    seconds = float(value) if isinstance(value, Real) and not isinstance(value, bool) else 0
    return seconds if 0 < seconds < inf else _refuse(name, "seconds above 0", value)


def texts_of(name: str, values: str | Iterable[str]) -> tuple[str, ...]:
    """One word or several; text is one word, not its letters.

    Raises:
        UsageError: anything else, or anything else among them.
    """
    return _several(name, values, text_of, "text, or a list of texts")


def paths_of(name: str, values: StrPath | Iterable[StrPath]) -> tuple[Path, ...]:
    """One path or several.

    Raises:
        UsageError: anything else, or anything else among them.
    """
    return _several(name, values, path_of, "a path, or a list of paths")


def wholes_of(name: str, values: int | Iterable[int], least: int = 0) -> tuple[int, ...]:
    """One whole number or several.

    Raises:
        UsageError: a lesser number, or no whole one, alone or among them.
    """
    expected = f"a whole number from {least}, or a list of them"
    return _several(name, values, lambda name, value: whole_of(name, value, least), expected)


def _several(name: str, values: Any, one: Callable[[str, Any], T], expected: str) -> tuple[T, ...]:
    try:
        return (one(name, values),)
    except UsageError as error:
        if isinstance(values, str | PathLike) or not isinstance(values, Iterable):
            raise UsageError(error.what, expected=expected, found=error.found) from None
    return tuple(one(name, value) for value in values)


def _refuse(name: str, expected: str, value: Any) -> NoReturn:
    raise UsageError(f"{name} has a wrong value", expected=expected, found=repr(value)[:200])
