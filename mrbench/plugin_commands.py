"""Commands that other distributions provide: entry points of the group ``mrbench.commands``, each a click command.

Nothing of a distribution is imported before its command is called.
"""

import os
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrbench.bounded import said
from mrbench.errors import PluginError
from mrbench.naming import qualified

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "mrbench.commands"


@dataclass(frozen=True)
class PluginCommand:
    """A command of another distribution, not imported yet.

    Attributes:
        name, distribution: ``distribution:name`` always calls it; the bare name, while it is unique.
        entry: where its click command is.
    """

    name: str
    distribution: str
    entry: "EntryPoint"

    def load(self) -> click.Command:
        """The click command.

        Raises:
            PluginError: it cannot be imported, or is none; says what to do.
        """
        try:
            found = self.entry.load()
        except (Exception, SystemExit) as error:
            raise self._broken(f"{type(error).__name__}: {said(error)}") from error
        if not isinstance(found, click.Command):
            raise self._broken(f"{self.entry.value!r} is of type {type(found).__name__!r}")
        return found

    def _broken(self, found: str) -> PluginError:
        return PluginError(
            f"command {self.name!r} of {self.distribution!r} cannot be loaded",
            expected="a click command that can be imported",
            found=found,
            hint=f"pip install --upgrade {self.distribution}, or pip uninstall {self.distribution}",
        )


def plugin_commands() -> Sequence[PluginCommand]:
    """All that are installed, by name."""
    if not any(map(_announced, sys.path)):
        return ()
    from importlib.metadata import entry_points

    found = [
        PluginCommand(entry.name, getattr(entry.dist, "name", None) or "unknown", entry)
        for entry in entry_points(group=GROUP)
    ]
    return sorted(found, key=lambda one: (one.name, one.distribution))


def _announced(folder: str) -> bool:
    # importlib.metadata takes as long to import as the rest of `mrbench --help`, and few environments have a command.
    try:
        with os.scandir(folder or ".") as entries:
            found = [Path(entry.path) / "entry_points.txt" for entry in entries if entry.name.lower().endswith("-info")]
        return any(GROUP.encode() in path.read_bytes() for path in found if path.is_file())
    except NotADirectoryError:
        return True  # an archive, which it can look into
    except OSError:
        return False


def callable_names(commands: Sequence[PluginCommand], taken: Collection[str]) -> Mapping[str, PluginCommand]:
    """Each command by the shortest name that calls it; ``taken`` are the names of the built-in ones."""
    times = Counter(one.name for one in commands)
    return {one.name if times[one.name] == 1 and one.name not in taken else qualified(one): one for one in commands}
