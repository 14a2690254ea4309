"""Preset ``compact`` of the methods with D-Persona's latent: the benchmark's budget, and the loss of the papers."""

from collections.abc import Callable

import pytest
import torch

from mrbench.configuration import flat
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Method
from mrbench.nn.training import COMPACT
from mrbench.registry import discover

METHODS = ["dpersona-1", "dpersona-2", "per-rater", "per-rater-2"]

BACKBONE, HEAD, PRIOR, QUERIES = 242_768, 929, 18_840, 4 * 22_032
SHARED, OWN = 18_840 + 4 * 36, 18_840 + 36  # posteriors that see four masks, and one: 4 x 3 x 3 weights more for each

SIZES = {
    "dpersona-1": {"network": BACKBONE + HEAD + PRIOR, "posterior": SHARED, "queries": QUERIES},
    "per-rater": {"network": BACKBONE + HEAD + PRIOR, "posteriors": 4 * OWN},
    "per-rater-2": {"network": BACKBONE + HEAD + PRIOR, "posteriors": 4 * OWN, "queries": QUERIES},
}


@pytest.mark.parametrize("name", METHODS)
def test_each_stage_has_the_steps_and_the_backbone_of_all(name: str, make_method: Callable[..., Method]) -> None:
    method = make_method(name, "compact", tiny=False)
    backbone = flat(method.config.backbone.values())
    assert {f"backbone.{key}": backbone[key] for key in ("name", "width", "depth")}.items() <= COMPACT.items()
    for stage in method.stages():
        told = {option: getattr(stage, option) for option in ("epochs", "batch_size", "schedule", "patience", "keep")}
        told["learning_rate"] = stage.groups[0].learning_rate
        assert told.items() <= COMPACT.items(), stage.name


@pytest.mark.parametrize("name", METHODS)
def test_the_loss_is_the_papers(name: str) -> None:
    plugin = discover().get("method", name)
    config = plugin.load_config().parse(flat(plugin.card.presets["compact"]), owner=name)
    assert config.objective() == {}


@pytest.mark.parametrize("name", SIZES)
def test_its_sizes_are_as_told(name: str, make_method: Callable[..., Method]) -> None:
    parts = make_method(name, "compact", tiny=False).named_children()
    assert {part: sum(p.numel() for p in child.parameters()) for part, child in parts} == SIZES[name]


def test_an_encoder_is_the_share_of_its_backbone_that_it_is_of_the_published_one() -> None:
    share = PRIOR / BACKBONE
    assert share == pytest.approx(1_967_724 / 24_429_952, rel=0.05)


@pytest.mark.parametrize(("name", "options"), [("per-rater", {"tied": True}), ("per-rater-2", {"tied": True})])
def test_tied_raters_share_an_encoder_there_too(
    name: str, options: dict[str, bool], make_method: Callable[..., Method], four_cases: Slices
) -> None:
    method = make_method(name, "compact", tiny=False, epochs=1, **options)
    assert sum(p.numel() for p in method.posteriors.parameters()) == OWN
    before = [p.detach().clone() for p in method.posteriors.parameters()]
    fit(method, four_cases, None, seed=0, device=torch.device("cpu"))
    moved = [not torch.equal(a, b) for a, b in zip(before, method.posteriors.parameters(), strict=True)]
    assert all(moved)
