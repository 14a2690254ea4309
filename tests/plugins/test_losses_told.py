"""What a preset makes of the loss is told: among the differences of its method, and beside its rows."""

from pathlib import Path

import pytest

from mrbench.cards import MethodCard
from mrbench.configuration import as_text, flat
from mrbench.engine.plan import Request, make_plan
from mrbench.registry import BUILT_IN, Plugin, discover
from mrbench.results.caveats import caveats_of

METHODS = [
    plugin
    for plugin in discover().of_kind("method")
    if plugin.distribution == BUILT_IN and isinstance(plugin.card, MethodCard) and not plugin.card.wraps
]
PRESETS = [(plugin, preset) for plugin in METHODS for preset in plugin.card.presets]


def objective(plugin: Plugin, preset: str) -> dict[str, str]:
    """The options of its loss that differ from the paper's, as texts."""
    config = plugin.load_config().parse(flat(plugin.card.presets[preset]), owner=plugin.key)
    return {name: as_text(value) for name, value in config.objective().items()}


@pytest.mark.parametrize(("plugin", "preset"), PRESETS, ids=[f"{p.name}-{preset}" for p, preset in PRESETS])
def test_a_preset_with_another_loss_than_the_papers_is_told_of_option_by_option(plugin: Plugin, preset: str) -> None:
    told = [text for text in plugin.card.differences if text.startswith(f"Loss of {preset}: ")]
    found = objective(plugin, preset)
    assert len(told) == bool(found)
    for name, value in found.items():
        assert f"{name} = {value}" in told[0]
    assert sum(text.count(" = ") for text in told) == len(found)


def test_the_presets_whose_losses_differ_are_these() -> None:
    assert {(plugin.name, preset) for plugin, preset in PRESETS if objective(plugin, preset)} == {
        ("cm-global", "as_released"), ("cm-pixel", "as_released"),
        ("dpersona-1", "quick"), ("dpersona-2", "quick"),
        ("per-rater", "quick"), ("per-rater-2", "quick"),
        ("prob-unet", "as_released"), ("prob-unet", "quick"),
        ("proseg", "as_released"), ("proseg", "quick"),
        ("proseg-prior", "as_released"), ("proseg-prior", "quick"),
        ("ssn", "as_released"),
    }  # fmt: skip


@pytest.mark.parametrize(("method", "of"), [("prob-unet", {}), ("tta", {"tta.of": "prob-unet"})])
def test_the_row_of_a_method_and_of_a_wrapper_has_the_caveat_but_for_what_was_set(
    method: str, of: dict[str, str], tmp_path: Path
) -> None:
    def caveats(preset: str, **settings: object) -> list[str]:
        request = Request(
            methods=[method], datasets=["phantom"], presets={"": preset}, settings={**of, **settings}, folds=[0],
            data=tmp_path,
        )  # fmt: skip
        plan = make_plan(request, discover())
        found = caveats_of(plan.cells[0].spec, plan.descriptions["phantom"])
        return [caveat for caveat in found if caveat.startswith("other loss")]

    assert caveats("paper") == []
    assert caveats("quick") == ["other loss than the paper's: kl_weight = 5.0"]
    assert caveats("quick", **{"prob-unet.kl_weight": 5}) == []  # told among the settings


LOSSES = {
    "cm-global": {"loss", "trace_weight"},
    "pionono": {"draws", "kl_weight", "norm_weight"},
    "prob-unet": {"reconstruction", "kl_weight", "norm_weight"},
    "tab": {"rater_weight"},
}


@pytest.mark.parametrize("name", LOSSES)
def test_an_option_of_the_loss_that_is_set_otherwise_is_of_the_objective(name: str) -> None:
    config = discover().get("method", name).load_config()
    others = {"loss": "dice", "reconstruction": "dice"}
    changed = config.parse({option: others.get(option, 7) for option in LOSSES[name]}, owner=name)
    assert set(changed.objective()) == LOSSES[name]
    assert config.parse({"epochs": 7}, owner=name).objective() == {}
