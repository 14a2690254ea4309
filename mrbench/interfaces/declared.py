"""Decorators that give a class or a function its card, where one file is the whole plugin.

A package keeps its cards in a light module instead, so that listing and planning import nothing heavy.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from mrbench.cards import DECLARED, NO_OPTIONS, DatasetCard, MethodCard, PluginCard
from mrbench.configuration import Config
from mrbench.errors import PluginError
from mrbench.places import of_function

T = TypeVar("T", bound=Callable[..., Any])
Options = type[Config] | str
"""A configuration class, or ``"module:attribute"`` of one."""


def method(
    name: str, summary: str = "", *, gives: str, config: Options | None = None, **facts: Any
) -> Callable[[T], T]:
    """Declares a :class:`~mrbench.interfaces.method.Method` class.

    Args:
        name, summary, gives, facts: as :class:`~mrbench.cards.MethodCard` has them.
        config: its options; None: the class ``Config`` within the class, or none where there is none.

    Raises:
        PluginError: facts that no card can have, a class that Python cannot import, or a second declaration.
    """
    facts |= {"name": name, "summary": summary, "gives": gives}
    return lambda own: _declared(
        own, MethodCard, facts | {"config": _path(config or getattr(own, "Config", NO_OPTIONS))}
    )


def fusion(name: str, summary: str = "", *, gives: str, config: Options = NO_OPTIONS, **facts: Any) -> Callable[[T], T]:
    """Declares a function :data:`~mrbench.interfaces.fusion.Fuse`; arguments and errors of :func:`method`."""
    facts |= {"name": name, "summary": summary, "gives": gives, "kind": "fusion", "config": _path(config)}
    return lambda own: _declared(own, MethodCard, facts)


def dataset(name: str, summary: str = "", *, config: Options = NO_OPTIONS, **facts: Any) -> Callable[[T], T]:
    """Declares a function :data:`~mrbench.interfaces.dataset.Load`.

    Args:
        name, summary, facts: as :class:`~mrbench.cards.DatasetCard` has them; ``prepare`` takes a function, too.
        config: its options.

    Raises:
        PluginError: as :func:`method`.
    """
    facts |= {"name": name, "summary": summary, "config": _path(config), "prepare": _path(facts.get("prepare", ""))}
    return lambda own: _declared(own, DatasetCard, facts)


def _declared(own: T, card: type[PluginCard], facts: dict[str, Any]) -> T:
    if DECLARED in vars(own):
        raise PluginError(
            f"{own.__qualname__} is declared twice",
            expected="one decorator; a further row of it is a card that a hook returns",
            found=", ".join([vars(own)[DECLARED].name, facts["name"]]),
            place=of_function(own),
        )
    try:
        made = card(code=_path(own), **facts)
    except TypeError as error:
        what = f"the card of {facts['name']!r} cannot be made"
        raise PluginError(what, expected=f"facts of a mrbench.{card.__name__}", found=str(error)) from None
    setattr(own, DECLARED, made)
    return own


def _path(named: Any) -> str:
    if isinstance(named, str):
        return named
    if "<locals>" in named.__qualname__:
        raise PluginError(
            f"{named.__qualname__} cannot be imported", expected="a class or function of a module", found="a local one"
        )
    return f"{named.__module__}:{named.__qualname__}"
