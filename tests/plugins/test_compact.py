"""The benchmark's budget: the same steps and the same backbone for every network that is trained."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from mrbench.cards import MethodCard
from mrbench.configuration import flat
from mrbench.data.loading import configured, load_dataset
from mrbench.engine.plan import Plan, Request, make_plan
from mrbench.engine.record import reproduce
from mrbench.errors import UnknownNameError
from mrbench.nn.training import COMPACT
from mrbench.registry import BUILT_IN, discover
from mrbench.results.caveats import caveats_of

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
    "prob-unet": 281_413,
    "proseg": 568_790,
    "proseg-prior": 568_790,
    "ssn": 242_972,
    "tab": 253_585,
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


def test_ours_differs_from_it_in_nothing_but_what_is_ours() -> None:
    published, ours = options("tab", "compact"), options("tab", "compact-ours")
    assert {key for key in ours if ours[key] != published[key]} == {"attention_scale"}
    assert [name for name, preset in PRESETS if preset == "compact-ours"] == ["tab"]


def plan(methods: Sequence[str], presets: dict[str, str], tmp_path: Path, **settings: str) -> Plan:
    asked = Request(methods=methods, datasets=["phantom"], presets=presets, settings=settings, folds=[0], data=tmp_path)
    return make_plan(asked, discover())


def test_a_preset_that_one_of_several_methods_has_is_refused_for_the_others(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"'compact-ours' of method 'unet-majority'(?s:.)*unet-majority=NAME"):
        plan(["tab", "unet-majority"], {"": "compact-ours"}, tmp_path)


def test_each_method_can_have_its_own_beside_that_of_all_and_fusions_have_none(tmp_path: Path) -> None:
    methods = ["tab", "unet-majority", "majority-vote"]
    cells = plan(methods, {"": "compact", "tab": "compact-ours"}, tmp_path).cells
    assert {cell.spec.method.rpartition(":")[2]: cell.spec.preset for cell in cells} == {
        "tab": "compact-ours", "unet-majority": "compact", "majority-vote": "default",
    }  # fmt: skip


@pytest.mark.parametrize("preset", ["paper", "quick", "compact", "as_released"])
def test_fusions_take_the_presets_that_methods_share_for_none(preset: str, tmp_path: Path) -> None:
    (cell,) = plan(["majority-vote"], {"": preset}, tmp_path).cells
    assert cell.spec.preset == "default"


@pytest.mark.parametrize(("method", "settings"), [("tab", {}), ("tta", {"tta.of": "tab"})])
def test_a_name_with_a_dash_is_kept_by_rows_and_their_commands(
    method: str, settings: dict[str, str], tmp_path: Path
) -> None:
    made = plan([method], {"": "compact-ours"}, tmp_path, **settings)
    spec = made.cells[0].spec
    assert "preset compact-ours" in caveats_of(spec, made.descriptions["phantom"])
    words = reproduce(spec).split()
    assert words[words.index("--preset") + 1] == "compact-ours"


def test_one_with_an_underscore_instead_is_told_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'compact-ours'"):
        plan(["tab"], {"": "compact_ours"}, tmp_path)


@pytest.mark.parametrize("name", ["dpersona-1", "per-rater"])
def test_an_encoder_is_the_share_of_its_backbone_that_the_published_one_is(name: str) -> None:
    plugin = LEARNING[name]
    config = configured(plugin, flat(plugin.card.presets["compact"]))
    description = load_dataset("phantom", subjects=3, size=32).description
    network = plugin.load()(config.resolved(description), description).network
    prior, backbone = (sum(p.numel() for p in part.parameters()) for part in (network.prior, network.backbone))
    assert prior / backbone == pytest.approx(1_967_724 / 24_429_952, rel=0.05)
