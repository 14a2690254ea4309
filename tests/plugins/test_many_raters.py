"""Every method is built, as planning builds it, for as many raters as a data set may have."""

import pytest

from mrbench.cards import MethodCard
from mrbench.configuration import flat
from mrbench.data.description import Description, Raters
from mrbench.engine.first_builder import construct
from mrbench.errors import UsageError
from mrbench.registry import BUILT_IN, Plugin, discover

METHODS = [
    plugin
    for plugin in discover().of_kind("method")
    if plugin.distribution == BUILT_IN and isinstance(plugin.card, MethodCard) and not plugin.card.wraps
]


def described(raters: int, kind: Raters = Raters.IDENTIFIED) -> Description:
    names = tuple(f"rater-{number}" for number in range(raters))
    return Description(name="made", version="1", classes=("no", "yes"), channels=("c",), raters=kind, rater_names=names)


def build(plugin: Plugin, preset: str, raters: int, **options: object) -> None:
    """As planning does: options resolved on the description and checked, then the method and its stages."""
    config = plugin.load_config().parse(flat(plugin.card.presets.get(preset, {})) | options, owner=plugin.key)
    description = described(raters, Raters.RANKED if plugin.name == "unet-ranks" else Raters.IDENTIFIED)
    config = config.resolved(description)
    config.check(description)
    construct(plugin, config.values(), description)


@pytest.mark.parametrize("raters", [2, 9, 16])
@pytest.mark.parametrize("plugin", METHODS, ids=[plugin.name for plugin in METHODS])
def test_every_method_is_built_in_every_preset_for_two_to_sixteen_raters(plugin: Plugin, raters: int) -> None:
    for preset in plugin.card.presets or [""]:
        build(plugin, preset, raters)


@pytest.mark.parametrize("raters", range(9, 17))
def test_a_rater_latent_that_is_too_small_is_refused_with_the_number_that_it_needs(raters: int) -> None:
    plugin = discover().get("method", "proseg")
    build(plugin, "quick", raters, tau_size=raters)
    with pytest.raises(UsageError, match="tau_size") as caught:
        build(plugin, "quick", raters, tau_size=8)
    assert str(raters) in caught.value.expected
    assert caught.value.found == "8"
