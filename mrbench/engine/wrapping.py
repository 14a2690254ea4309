"""Wrappers in a plan: which method one is of, and what its row gives."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mrbench.cards import MethodCard
from mrbench.data.loading import configured
from mrbench.errors import PluginError, UnknownNameError, UsageError
from mrbench.interfaces.wrapper import WrapperConfig
from mrbench.registry import Plugin, Registry


def member_of(plugin: Plugin[Any], options: Mapping[str, Any], registry: Registry) -> Plugin[Any]:
    """The method that a wrapper is of.

    Args:
        options: of the wrapper, those that were set.

    Raises:
        UsageError: no method of that name, or one that has no trainings of its own.
        PluginError: a wrapper whose options are none of a wrapper.
    """
    config = configured(plugin, options)
    if not isinstance(config, WrapperConfig):
        expected, found = "options that derive from WrapperConfig", f"options of class {type(config).__name__}"
        raise PluginError(f"wrapper {plugin.key!r} does not say what it wraps", expected=expected, found=found)
    try:
        member: Plugin[Any] = registry.get("method", config.of)
    except UnknownNameError as error:
        hint = f"{error.hint} or: --set {plugin.card.name}.of=NAME"
        raise UsageError(f"{plugin.key!r} cannot be made: {error.what}", expected=error.expected, hint=hint) from None
    if member.card.wraps or member.card.kind == "fusion":
        what = "a wrapper itself" if member.card.wraps else "a fusion of the raters' masks, which has no training"
        raise UsageError(
            f"{plugin.key!r} cannot be made of {member.key!r}",
            expected="a method that learns",
            found=what,
            hint=f"--set {plugin.card.name}.of=NAME; mrbench list methods",
        )
    return member


def row_card(card: MethodCard, member: MethodCard) -> MethodCard:
    """The card of a wrapper's row: it takes what its member does; where it makes no samples, it gives that too, its
    views in turn."""
    return replace(
        card,
        wraps=False,
        gives=card.gives or member.gives,
        takes_turns=card.takes_turns or not card.gives,
        multi_class=member.multi_class,
        volumes=member.volumes,
        requires=(*card.requires, *member.requires),
    )
