"""Monte Carlo dropout: where it is, that it is on in samples and off elsewhere, and whose noise it takes."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_draws import draws

from mrbench.data.case import Image
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.errors import UsageError
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.method import Batch, Method
from mrbench.interfaces.noise import Noise, Rows
from mrbench_unet.config import DropoutConfig
from mrbench_unet.dropout import SampledDropout

CPU = torch.device("cpu")


def _noise(draws: int) -> Noise:
    return Noise(Rows(0, "case", DrawKind.SAMPLE, None, range(draws), [0]), CPU)


def _places(method: Method) -> list[str]:
    return [name for name, module in method.named_modules() if isinstance(module, SampledDropout)]


def test_it_follows_the_two_deepest_blocks_of_encoder_and_decoder(make_method: Callable[..., Method]) -> None:
    resnet = make_method("mc-dropout", "paper", tiny=False)
    inside = [f"encoder.{name}" for name in ("layer3", "layer4")] + [f"decoder.{n}.conv2" for n in (0, 1)]
    assert [name.rpartition(".")[0] for name in _places(resnet)] == [f"unet.backbone.{name}" for name in inside]
    small = make_method("mc-dropout", tiny=False)
    assert [name.rpartition(".")[0] for name in _places(small)] == [
        f"unet.backbone.{name}" for name in ("down.2", "down.3", "up.0", "up.1")
    ]


def test_a_backbone_without_such_blocks_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'backbone\.name' of mc-dropout has a wrong value"):
        DropoutConfig.parse({"backbone.name": "mit-b2"}, owner="mc-dropout")


def test_a_noise_leaves_out_its_share_and_scales_the_rest() -> None:
    dropout = SampledDropout(0.25, "site").eval()
    x = torch.ones(3, 4, 50, 50)
    assert torch.equal(dropout(x), x)
    dropout.noise = _noise(3)
    found = dropout(x)
    assert found.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (found == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert not torch.equal(found[0], found[1])


def test_samples_differ_are_their_seeds_and_without_a_rate_are_one(make_method: Callable[..., Method]) -> None:
    image = Image("case", np.random.default_rng(0).random((1, 13, 16), dtype=np.float32))
    method = make_method("mc-dropout")
    first, second = ([d.probability for d in draws(method, image, 3, "samples")] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], first[1])
    assert all(module.noise is None for module in method.modules() if isinstance(module, SampledDropout))
    certain = [d.probability for d in draws(make_method("mc-dropout", dropout=0.0), image, 2, "samples")]
    assert np.array_equal(*certain)


def test_a_step_drops_and_validation_does_not(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method, batch = make_method("mc-dropout"), make_batch(2)
    batch = replace(batch, masks=batch.masks[:, :1].expand(-1, 4, -1, -1))  # whoever is drawn
    for training, same in ((True, False), (False, True)):
        method.train(training)
        one, other = (method.loss(batch)["cross_entropy"].item() for _ in range(2))
        assert (one == other) is same


def test_four_cases_that_the_raters_agree_on_are_learnt_by_heart_in_every_sample(
    make_method: Callable[..., Method], four_cases: Slices, dice_of_draws: Callable[..., np.ndarray]
) -> None:
    agreed = replace(four_cases, masks=four_cases.masks[:, 2:3].expand(-1, 4, -1, -1).contiguous())
    method = make_method("mc-dropout", epochs=300, batch_size=4)
    fit(method, agreed, None, seed=0, device=CPU)
    assert dice_of_draws(method, 20, "samples")[..., 2].min() > 0.95
