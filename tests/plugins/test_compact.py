"""The benchmark's budget: the same steps and the same backbone for every network that is trained."""

import pytest

from mrbench.cards import MethodCard
from mrbench.configuration import flat
from mrbench.data.loading import configured, load_dataset
from mrbench.nn.training import COMPACT
from mrbench.registry import BUILT_IN, discover

LEARNING = {
    plugin.key: plugin
    for plugin in discover().of_kind("method")
    if isinstance(plugin.card, MethodCard) and plugin.card.kind == "method" and not plugin.card.wraps
    if plugin.distribution == BUILT_IN
}
PRESETS = [(name, preset) for name in LEARNING for preset in ("compact", "compact-ours")]
PRESETS = [(name, preset) for name, preset in PRESETS if preset in LEARNING[name].card.presets]

SIZES = {
    "cm-global": 242_801,
    "cm-pixel": 280_449,
    "dpersona-1": 369_649,
    "dpersona-2": 369_649,
    "mc-dropout": 242_785,
    "per-rater": 338_041,
    "per-rater-2": 426_169,
    "phiseg": 246_525,
    "pionono": 243_745,
    "prob-unet": 388_985,
    "proseg": 568_790,
    "proseg-prior": 568_790,
    "ssn": 242_972,
    "tab": 178_265,
    "unet-heads": 242_836,
    "unet-majority": 242_785,
    "unet-random": 242_785,
    "unet-ranks": 242_785,
    "unet-rater": 971_140,
    "unet-soft": 242_785,
    "unet-staple": 242_785,
}
"""Parameters for four raters, two classes and one channel."""


def options(name: str, preset: str) -> dict[str, object]:
    plugin = LEARNING[name]
    return flat(configured(plugin, flat(plugin.card.presets[preset])).values())


def test_every_method_that_learns_has_it() -> None:
    assert {name for name, preset in PRESETS if preset == "compact"} == set(LEARNING)


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_its_steps_and_its_backbone_are_those_of_all(name: str, preset: str) -> None:
    found = options(name, preset)
    for option, value in COMPACT.items():
        if option.startswith("backbone.") and name == "phiseg":
            continue  # no backbone: its own network, of about that size
        same = [key for key in found if key == option or (key.startswith("stage_") and key.endswith(f".{option}"))]
        assert same, option
        assert {found[key] for key in same} == {value}, option


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_the_loss_is_the_papers(name: str, preset: str) -> None:
    plugin = LEARNING[name]
    assert configured(plugin, flat(plugin.card.presets[preset])).objective() == {}


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_its_size_is_as_told(name: str, preset: str) -> None:
    plugin = LEARNING[name]
    config = configured(plugin, flat(plugin.card.presets[preset]))
    description = load_dataset("phantom", subjects=3, size=32).description
    method = plugin.load()(config.resolved(description), description)
    assert sum(parameter.numel() for parameter in method.parameters()) == SIZES[name]


@pytest.mark.parametrize("name", ["dpersona-1", "per-rater"])
def test_an_encoder_is_the_share_of_its_backbone_that_the_published_one_is(name: str) -> None:
    plugin = LEARNING[name]
    config = configured(plugin, flat(plugin.card.presets["compact"]))
    description = load_dataset("phantom", subjects=3, size=32).description
    network = plugin.load()(config.resolved(description), description).network
    prior, backbone = (sum(p.numel() for p in part.parameters()) for part in (network.prior, network.backbone))
    assert prior / backbone == pytest.approx(1_967_724 / 24_429_952, rel=0.05)
