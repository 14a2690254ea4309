"""Code that was shown to compute the same: ``make equivalence`` writes pairs of digests, and cells stay what they are.

Weights and draws of both were equal bit by bit on the machine that compared them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mrbench.engine.cell import SHORT, CellSpec
from mrbench.engine.code import Code, code_of, differing, in_words
from mrbench.errors import DataError, PluginError
from mrbench.files import read_json
from mrbench.registry import Plugin

EQUIVALENT = Path(__file__).with_name("equivalent.json")
"""The pairs: ``old`` and ``new`` digests of one ``step`` of a ``method``."""


@dataclass(frozen=True)
class KnownCode:
    """The code of a method, by the digests that its cells go by.

    Attributes:
        files: those that it has here.
        training, prediction: of the oldest code that computes the same.
    """

    files: Code
    training: str
    prediction: str


def known_code(plugin: Plugin[Any]) -> KnownCode:
    """The code of a method or a fusion that is installed here.

    Raises:
        PluginError: it cannot be read.
    """
    return known(code_of(plugin.modules, trains=plugin.card.kind == "method"))


def known(code: Code) -> KnownCode:
    """Code by the digests that its cells go by."""
    return KnownCode(code, oldest(code.training), oldest(code.prediction))


def other_code(spec: CellSpec, recorded: Mapping[str, Any]) -> str:
    """The files that a cell's code differs in from what is installed here, in words.

    Blank where both compute the same, where the method is not installed here, and where no code was recorded.

    Args:
        recorded: the part ``code`` of the cell's record.
    """
    files, modules = recorded.get("files"), recorded.get("modules")
    if not files or not modules:
        return ""
    try:
        now = known(code_of(modules, trains=spec.kind == "method"))
    except PluginError:  # not here: there is nothing to compare with
        return ""
    if (oldest(spec.training_code), oldest(spec.prediction_code)) == (now.training, now.prediction):
        return ""
    return in_words(differing(files, now.files.drawn))


def code_as_planned(spec: CellSpec, plugin: Plugin[Any]) -> Code:
    """The code of a cell's method, which is still what it was planned with.

    Raises:
        PluginError: it changed since, or cannot be read.
    """
    now = known_code(plugin)
    for planned, found in ((spec.training_code, now.training), (spec.prediction_code, now.prediction)):
        if planned != found:
            raise PluginError(
                f"the code of method {plugin.key!r} changed since the run was planned",
                expected=f"code {planned[:SHORT] or 'that trains nothing'}",
                found=f"code {found[:SHORT] or 'that trains nothing'}",
                hint="run the command again",
            )
    return now.files


def oldest(digest: str) -> str:
    """The first digest of a chain of equivalent code; of code that is in no pair, its own."""
    older, seen = pairs(), {digest}
    while (before := older.get(digest, digest)) not in seen:
        seen.add(before)
        digest = before
    return digest


@cache
def pairs() -> Mapping[str, str]:
    """The digest of the code before, by that of equivalent code after it.

    Raises:
        DataError: the list is damaged.
    """
    try:
        return {str(pair["new"]): str(pair["old"]) for pair in read_json(EQUIVALENT)["pairs"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"cannot read the list of equivalent code {EQUIVALENT}", found=f"{error}"[:200]) from error
