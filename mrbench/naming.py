"""How a plugin is called: ``distribution:name`` always, a bare name while it is unique; built-ins keep theirs."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from mrbench.errors import UnknownNameError, UsageError

BUILT_IN = "mrbench"
"""The distribution whose plugins keep their bare names."""


class Named(Protocol):
    """Something that a distribution provides under a name."""

    @property
    def name(self) -> str: ...
    @property
    def distribution(self) -> str: ...


N = TypeVar("N", bound=Named)


def qualified(one: Named) -> str:
    """``distribution:name``, which always works."""
    return f"{one.distribution}:{one.name}"


def key(one: Named) -> str:
    """The name in files and tables: bare for built-ins, ``distribution:name`` for others."""
    return one.name if one.distribution == BUILT_IN else qualified(one)


def pick(kind: str, name: str, known: Sequence[N], *, hint: str = "") -> N:
    """The one of that name: ``distribution:name``, or a bare name while it is unique. Built-ins keep theirs.

    Raises:
        UnknownNameError: nothing answers to it; names the nearest.
        UsageError: several distributions provide it; names them.
    """
    found = [one for one in known if name in (qualified(one), one.name)]
    built_in = [one for one in found if one.distribution == BUILT_IN]
    if not found:
        raise UnknownNameError(kind, name, map(key, known), hint=hint)
    if len(found) > 1 and not built_in:
        choices = " or ".join(repr(qualified(one)) for one in found)
        raise UsageError(f"{kind} {name!r} is provided by several plugins", hint=f"say {choices}")
    return (built_in or found)[0]
