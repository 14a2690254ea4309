import math

import pytest
import torch

from mrbench.data.case import Image
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.method import Batch
from mrbench.nn.backbone import Backbone
from mrbench.nn.encoder import Encoder
from mrbench.nn.latent_unet import LatentUNet
from mrbench.nn.personalisation import Personalisation
from mrbench.nn.queries import Queries, attend, raters_draws, raters_loss

SMALL = Encoder(widths=(8,), convolutions=1)


def _network(classes: int) -> LatentUNet:
    return LatentUNet(Backbone(name="unet", width=8, depth=2), SMALL, 1, classes, 0.0)


def test_attention_is_a_mean_of_the_bank_weighted_by_softmax_of_products() -> None:
    bank = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])  # (1, 2, 2)
    query = torch.tensor([[[0.0, 0.0], [math.log(3), 0.0]]])  # products (0, 0) and (ln 3, 0)
    assert torch.allclose(attend(query, bank), torch.tensor([[[0.5, 0.5], [0.75, 0.25]]]))


def test_attention_stays_among_the_latents_of_the_bank() -> None:
    bank = torch.rand(2, 7, 3)
    found = attend(100 * torch.rand(2, 5, 3), bank)
    assert (found <= bank.amax(dim=1, keepdim=True)).all()
    assert (found >= bank.amin(dim=1, keepdim=True)).all()
    assert torch.allclose(attend(torch.rand(2, 5, 3), bank[:, :1]), bank[:, :1].expand(-1, 5, -1))


@pytest.mark.parametrize("raters", [2, 4, 8])
def test_there_is_a_query_for_each_rater_and_none_is_negative(raters: int) -> None:
    queries = Queries(Personalisation(), 16, 6, raters).eval()
    found = queries(torch.rand(1, 16, 9, 13))
    assert found.shape == (1, raters, 6)
    assert (found >= 0).all()


def test_a_raters_query_network_has_the_released_number_of_parameters() -> None:
    assert sum(p.numel() for p in Queries(Personalisation(padding=3), 16, 6, 4).parameters()) == 4 * 22_032


@pytest.mark.parametrize(("classes", "chance"), [(2, 1 / 2), (3, 1 / 3)])
def test_the_loss_is_a_dice_for_each_rater_and_class(classes: int, chance: float) -> None:
    network = _network(classes)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    masks = torch.zeros(2, 3, 8, 8, dtype=torch.long)
    masks[:, :2] = 1
    present = torch.tensor([[True, True, False], [True, False, False]])
    batch = Batch(torch.rand(2, 1, 8, 8), masks, present)
    loss = raters_loss(network, torch.zeros(2, 16, 8, 8), torch.zeros(2, 3, 6), batch)
    # Raters 0 and 1 marked everything as class 1, of probability ``chance``; class 2 is nowhere, its Dice 0.
    dice = 2 * chance / (1 + chance) / (classes - 1)
    assert loss.item() == pytest.approx(1 - dice)


def test_an_absent_raters_mask_is_never_looked_at() -> None:
    network, features, z = _network(2), torch.rand(2, 16, 8, 8), torch.rand(2, 4, 6)
    masks, present = torch.randint(0, 2, (2, 4, 8, 8)), torch.tensor([[True, False] * 2, [False, True] * 2])
    garbage = torch.where(present[..., None, None], masks, 1 - masks)
    found = [raters_loss(network, features, z, Batch(features[:, :1], m, present)) for m in (masks, garbage)]
    assert torch.equal(*found)


def test_each_rater_gets_one_prediction_in_order() -> None:
    network = _network(3).eval().requires_grad_(False)
    image = Image("volume", torch.rand(1, 5, 8, 8).numpy())  # (C, D, H, W)
    draws = list(raters_draws(network, torch.rand(5, 16, 8, 8), torch.rand(5, 4, 6), image))
    assert [(draw.kind, draw.rater) for draw in draws] == [(DrawKind.RATER, rater) for rater in range(4)]
    assert all(draw.probability.shape == (3, 5, 8, 8) for draw in draws)
