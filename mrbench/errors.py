"""Errors that a user can act on: what failed, what was expected and found, and the next command to run."""

from collections.abc import Iterable, Sequence
from typing import Self

from mrbench.bounded import DETAILS, bounded
from mrbench.visible import visible


class MrbenchError(Exception):
    """A fault with a remedy. Owns its exit code and its wording.

    Args:
        what: what failed and where (plugin, case or file), one sentence without a full stop.
        expected: what would have been right.
        found: what was there instead.
        hint: the next command to run or the nearest correct name.
        place: file and line of the plugin's code that it is about, ``my_method.py:41``.
    """

    exit_code = 1

    def __init__(self, what: str, *, expected: str = "", found: str = "", hint: str = "", place: str = "") -> None:
        self.what, self.expected, self.found, self.hint = (
            bounded(str(part or ""), DETAILS) for part in (what, expected, found, hint)
        )
        self.place = place
        super().__init__(self.message)

    def at(self, place: str) -> Self:
        """The same error with its place, where it has none yet."""
        self.place = self.place or place
        self.args = (self.message,)
        return self

    @property
    def message(self) -> str:
        """All parts on lines of their own, as the command line prints them; further lines of a part are indented."""
        lines = [self.what + (f" ({self.place})" if self.place else "")]
        lines += [f"  expected: {self.expected}"] if self.expected else []
        lines += [f"  found:    {self.found}"] if self.found else []
        lines += [f"  next:     {self.hint}"] if self.hint else []
        return "\n".join(visible(line).replace("\n", "\n    ") for line in lines)

    @property
    def fault(self) -> str:
        """What failed and what was found, as a clause of a note."""
        right = f" in place of {self.expected}" if self.expected else ""
        return f"{self.what}: {self.found}{right}" if self.found else self.what


class UsageError(MrbenchError):
    """The command or a configuration asks for something that does not exist or does not fit."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that nothing answers to; names the nearest ones.

    Args:
        kind: what was looked for.
        name: as given.
        known: what there is.
        where: among what, e.g. ``of data set 'phantom'``.
        hint: the command that lists them.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "", hint: str = "") -> None:
        from difflib import get_close_matches

        known = sorted(known)
        near = get_close_matches(str(name).lower(), known, n=3, cutoff=0.5)
        remedies = [f"did you mean {' or '.join(repr(n) for n in near)}?"] if near else []
        remedies += ["repeat the option for several names"] if "," in str(name) else []
        remedies += [hint] if hint else []
        super().__init__(
            f"unknown {kind} {name!r}" + (f" {where}" if where else ""),
            expected=f"one of {', '.join(known)}" if 0 < len(known) <= LISTED and not near else "",
            hint=" or: ".join(remedies),
        )


LISTED = 16
"""Names that an error message lists at most."""


class DataError(MrbenchError):
    """A data set's content is not what its declaration says; names the case or file."""


class DataAbsentError(UsageError):
    """A data set has not been prepared; says where to get it and what prepares it."""


class PluginError(MrbenchError):
    """A plugin broke its contract; names the plugin and the rule."""


class DivergedError(MrbenchError):
    """A loss or an output became non-finite."""


class NotApplicableError(MrbenchError):
    """A method cannot work on this data set by declaration; a row says so, nothing has failed."""


class IncompatibleError(MrbenchError):
    """Stored results were written by a version that this one cannot read."""

    exit_code = 4


def together(what: str, errors: Sequence[MrbenchError]) -> MrbenchError:
    """One error that tells of several, of the kind of the first; one alone stays as it is.

    Args:
        what: the sentence before them.
    """
    if len(errors) == 1:
        return errors[0]
    return type(errors[0])("\n".join([f"{what}:", *(error.message for error in errors)]))
