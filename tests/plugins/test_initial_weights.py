"""The spread of every kind of tensor before training, held to the facts of the papers and releases.

Every method on a ResNet-34, in the presets that stand for a paper or a release. None: held by a test of its own.
"""

import re
from collections.abc import Callable, Mapping
from math import sqrt

import pytest
import torch
from torch import Tensor

from mrbench.cards import MethodCard
from mrbench.interfaces.method import Method
from mrbench.registry import BUILT_IN, discover

Spread = Callable[[Tensor], float] | float | None


def default(weight: Tensor) -> float:
    """The framework's: uniform, of variance 1 / (3 inputs); a bias is drawn from the same."""
    return sqrt(1 / (3 * weight[0].numel()))


def by_inputs(weight: Tensor) -> float:
    """He et al. 2015, by the inputs."""
    return sqrt(2 / weight[0].numel())


def by_outputs(weight: Tensor) -> float:
    """He et al. 2015, by the outputs."""
    return sqrt(2 / (weight.shape[0] * weight[0, 0].numel()))


def xavier(weight: Tensor) -> float:
    """Glorot and Bengio 2010."""
    pixels = weight[0].numel() / weight.shape[1]
    return sqrt(2 / (pixels * (weight.shape[0] + weight.shape[1])))


def orthogonal(weight: Tensor) -> float:
    """Rows or columns of length one, whichever are fewer."""
    return sqrt(1 / max(weight.shape[:2]))


def half_linear(weight: Tensor) -> float:
    """He et al. 2015 with the gain of a rectifier that lets all through, as DETR starts its mask head."""
    return sqrt(1 / weight[0].numel())


def first(weight: Tensor) -> float:
    """The library keeps the published first convolution for three channels and makes another for any other number."""
    return by_outputs(weight) if weight.shape[1] == 3 else default(weight)


SMALL = 0.001 * 0.8796  # a normal of deviation .001, cut at two of them

FACTS: list[tuple[str, Spread, Spread]] = [
    # what the parameter's name matches, its weight's spread, its bias's
    (r"encoder\.conv1$", first, None),
    (r"encoder\.layer\d\.\d\.(conv\d|downsample\.0)$", by_outputs, None),
    (r"decoder\.\d\.conv\d\.0$", by_inputs, None),
    (r"(prior|posteriors?)\.scales\.\d\.\d$", by_inputs, SMALL),
    (r"(prior|posteriors?)\.moments$", by_inputs, 1.0),
    (r"fcomb\.convolutions\.\d$", orthogonal, SMALL),
    (r"^(head|predictor)\.convolutions\.\d$", xavier, 0.0),
    (r"^network\.(encode|decode)\.(own|cross)\.(in_proj|out_proj)$", xavier, 0.0),
    (r"^network\.(encode|decode)\.feedforward\.\d$", xavier, default),
    (r"^network\.maps\.(query|key)$", xavier, 0.0),
    (r"^network\.ups\.\d\.skip$", half_linear, 0.0),
    (r"^matrices\.", None, None),
    (r"", default, default),
]

LOOSE: Mapping[str, Spread] = {
    "network.queries": 1.0,
    "gaussians.mean": 8.0,
    "gaussians.entries": None,
    "class_embedding.rows": None,
    "matrices.entries": None,
}
"""Parameters that are no layer's."""

METHODS = [
    plugin.name
    for plugin in discover().of_kind("method")
    if isinstance(plugin.card, MethodCard)
    and plugin.distribution == BUILT_IN
    and getattr(getattr(plugin.load_config()(), "backbone", None), "name", "") == "resnet34"
]
PRESETS = [
    (name, preset)
    for name in METHODS
    for preset in ("paper", "as_released")
    if preset in discover().get("method", name).card.presets
]


def expected(name: str, state: Mapping[str, Tensor]) -> tuple[str, Spread]:
    """What is known of a parameter's spread, and of which kind it is."""
    if name in LOOSE:
        return name, LOOSE[name]
    layer, kind = re.fullmatch(r"(.*)[._](weight|bias)", name).groups()  # type: ignore[union-attr]
    pattern, *spreads = next(fact for fact in FACTS if re.search(fact[0], layer))
    spread = spreads[kind == "bias"]
    weight = state[re.sub("bias$", "weight", name)]
    return f"{pattern} {kind}", spread(weight) if callable(spread) else spread


@pytest.mark.parametrize(
    ("name", "preset", "channels"), [*((*one, 1) for one in PRESETS), ("tab", "as_released", 3), ("proseg", "paper", 3)]
)
def test_every_tensor_starts_with_the_spread_of_the_paper_or_the_release(
    name: str, preset: str, channels: int, make_method: Callable[..., Method]
) -> None:
    method = make_method(name, preset, raters=2, channels=channels, tiny=False)
    norms = {
        f"{owner}.{kind}": float(kind == "weight")
        for owner, module in method.named_modules()
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.LayerNorm)
        for kind in ("weight", "bias")
    }
    state = {key: value.detach() for key, value in method.named_parameters()}
    found: dict[str, list[Tensor]] = {}
    for key, value in state.items():
        if key in norms:
            assert torch.equal(value, torch.full_like(value, norms[key])), key
            continue
        kind, spread = expected(key, state)
        if spread == 0:
            assert not value.any(), key
        elif spread is not None:
            found.setdefault(kind, []).append(value.flatten() / spread)
    for kind, values in found.items():
        every = torch.cat(values)
        assert every.square().mean().sqrt().item() == pytest.approx(1, abs=0.005 + 4 / sqrt(len(every))), kind


def test_the_methods_on_a_resnet_are_those_of_the_papers() -> None:
    assert {"cm-global", "cm-pixel", "dpersona-1", "per-rater", "pionono", "prob-unet", "proseg", "tab"} <= set(METHODS)


def test_the_published_first_convolution_of_one_channel_would_be_seen() -> None:
    weight = torch.empty(64, 1, 7, 7)
    assert default(weight) == pytest.approx(0.0825, abs=1e-4)
    assert by_outputs(weight) == pytest.approx(0.0253, abs=1e-4)
