"""Where in a plugin's code something is: file and line, without the folders of the machine."""

import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from inspect import unwrap
from pathlib import Path
from types import CodeType, GeneratorType
from typing import Any

from mrbench.bounded import said
from mrbench.errors import MrbenchError, PluginError


def of_error(error: BaseException, modules: Collection[str]) -> str:
    """The innermost line of some modules that an exception passed through, ``my_method.py:41``; empty where none is.

    Args:
        modules: names of top-level modules and packages.
    """
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] in modules:
            found = _shown(frame.f_code.co_filename, line)
    return found


def of_function(function: Callable[..., Any]) -> str:
    """Where a function is defined, ``my_method.py:30``; empty where Python does not tell."""
    function = unwrap(function)
    while isinstance(function, partial):
        function = function.func
    plain = getattr(function, "__func__", function)
    code = getattr(plain, "__code__", None)
    return _shown(code.co_filename, code.co_firstlineno) if isinstance(code, CodeType) else ""


def of_generator(generator: Any) -> str:
    """The line at which a generator waits, its innermost one's; empty where it is none or has ended."""
    found = ""
    while isinstance(generator, GeneratorType) and generator.gi_frame is not None:
        found = _shown(generator.gi_code.co_filename, generator.gi_frame.f_lineno)
        generator = generator.gi_yieldfrom
    return found


@contextmanager
def placed(answers: Any, otherwise: str) -> Iterator[None]:
    """Names the line where an answer of a plugin was given in the errors of ours about it.

    Args:
        answers: what the plugin gave; the line that yielded is nearer to a fault than the function that it is in.
        otherwise: file and line of that function, where it is no generator.
    """
    try:
        yield
    except MrbenchError as error:
        raise error.at(of_generator(getattr(answers, "source", answers)) or otherwise) from None


def told(error: BaseException, modules: Collection[str]) -> str:
    """An exception with its place, its kind and first line: ``ValueError: no masks (my_method.py:41)``.

    Of an error of ours, all of its parts.
    """
    place = of_error(error, modules)
    if isinstance(error, MrbenchError):
        return error.at(place).message
    text = said(error).partition("\n")[0]
    return type(error).__name__ + (f": {text}" if text else "") + (f" ({place})" if place else "")


@contextmanager
def blamed(what: str, modules: Collection[str]) -> Iterator[None]:
    """Turns what a plugin raises into one error that names file and line.

    Raises:
        PluginError: ``what`` and the exception; errors of ours and want of memory pass as they are.
    """
    try:
        yield
    except (MrbenchError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"{what}: {told(error, modules)}") from error


def _shown(file: str, line: int) -> str:
    # From the outermost package on; a file that stands alone by its name.
    path = Path(file)
    top = path.parent
    while (top / "__init__.py").exists():
        top = top.parent
    within = path.relative_to(top) if top != path.parent else Path(path.name)
    return f"{within.as_posix()}:{line}"
