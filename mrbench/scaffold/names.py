"""The name of a new plugin, checked, and the names that follow from it."""

import importlib.util
import keyword
import re
from dataclasses import dataclass
from typing import Literal

from mrbench.errors import UsageError
from mrbench.naming import BUILT_IN
from mrbench.registry import KINDS, Registry

Made = Literal["method", "fusion", "dataset", "metric"]
"""What ``mrbench new`` makes."""

NAME = re.compile(r"(?=.{1,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Names:
    """What a new plugin is called in each place.

    Attributes:
        kind: of the plugin.
        name: on the command line, lower-case words joined by hyphens.
        single: one file instead of a package.
    """

    kind: Made
    name: str
    single: bool = False

    @property
    def distribution(self) -> str:
        """What pip calls the package; also its folder."""
        return f"mrbench-{self.name}"

    @property
    def stem(self) -> str:
        """The name as a part of Python's names."""
        return self.name.replace("-", "_")

    @property
    def module(self) -> str:
        """What Python imports."""
        return self.stem if self.single else f"mrbench_{self.stem}"

    @property
    def prefix(self) -> str:
        """What the names of the classes begin with; what follows keeps them apart from all that they import."""
        return "".join(word.capitalize() for word in self.name.split("-"))

    def check(self, registry: Registry) -> None:
        """Refuses a name that would not work, with one that would.

        Raises:
            UsageError: not lower-case words joined by hyphens; a word of Python's; a name that a plugin of mrbench's
                own or an importable module has.
        """
        if not NAME.fullmatch(self.name):
            expected = "lower-case words joined by hyphens, beginning with a letter, 40 characters at most"
            raise self._refused("is no name for a plugin", expected, _as_name(self.name))
        if keyword.iskeyword(self.stem):
            raise self._refused("is a word of Python's", "another name", f"my-{self.name}")
        for kind in KINDS:
            if any(p.distribution == BUILT_IN and p.name == self.name for p in registry.plugins[kind]):
                raise self._refused(f"is the name of a built-in {kind}", "another name", f"my-{self.name}")
        if importlib.util.find_spec(self.module) is not None:
            found = f"is taken: Python can already import {self.module!r}"
            raise self._refused(found, "another name", f"my-{self.name}")

    def _refused(self, fault: str, expected: str, better: str) -> UsageError:
        command = f"mrbench new {self.kind} {better}{' --file' if self.single else ''}"
        return UsageError(f"{self.name!r} {fault}", expected=expected, hint=command if NAME.fullmatch(better) else "")


def _as_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-").lstrip("0123456789-")
