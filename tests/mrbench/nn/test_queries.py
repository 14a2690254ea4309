import math
from dataclasses import replace

import pytest
import torch

from mrbench.interfaces.method import Batch
from mrbench.nn.backbone import Backbone
from mrbench.nn.encoder import Encoder
from mrbench.nn.latent_unet import LatentUNet
from mrbench.nn.personalisation import Personalisation
from mrbench.nn.queries import Queries, attend, raters_loss

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


class Found(torch.nn.Module):
    """Stands for the query networks and gives these queries, ``(B, R, Z)``."""

    def __init__(self, z: torch.Tensor) -> None:
        super().__init__()
        self.z = z

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return self.z


def _batch(masks: torch.Tensor, present: torch.Tensor) -> Batch:
    size, _, *shape = masks.shape
    return Batch(torch.rand(size, 1, *shape), masks, present, torch.ones(size, *shape, dtype=torch.bool))


@pytest.mark.parametrize(("classes", "chance"), [(2, 1 / 2), (3, 1 / 3)])
def test_the_loss_is_a_dice_for_each_rater_and_class(classes: int, chance: float) -> None:
    network = _network(classes)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    masks = torch.zeros(2, 3, 8, 8, dtype=torch.long)
    masks[:, :2] = 1
    present = torch.tensor([[True, True, False], [True, False, False]])
    batch = _batch(masks, present)
    loss = raters_loss(network, Found(torch.zeros(2, 3, 6)), torch.zeros(2, 5, 6), batch)
    # Raters 0 and 1 marked everything as class 1, of probability ``chance``; class 2 is nowhere, its Dice 0.
    dice = 2 * chance / (1 + chance) / (classes - 1)
    assert loss.item() == pytest.approx(1 - dice)


def test_an_absent_raters_mask_is_never_looked_at() -> None:
    network, queries, bank = _network(2).eval(), Found(torch.rand(2, 4, 6)), torch.rand(2, 5, 6)
    masks, present = torch.randint(0, 2, (2, 4, 8, 8)), torch.tensor([[True, False] * 2, [False, True] * 2])
    batch = _batch(masks, present)
    garbage = torch.where(present[..., None, None], masks, 1 - masks)
    found = [raters_loss(network, queries, bank, replace(batch, masks=each)) for each in (masks, garbage)]
    assert torch.equal(*found)


def test_one_raters_query_finds_what_all_of_them_find_together() -> None:
    queries, maps, bank = Queries(Personalisation(), 16, 6, 4).eval(), torch.rand(5, 16, 8, 8), torch.rand(2, 5, 7, 6)
    every = torch.stack([attend(queries(maps), each) for each in bank])  # (S, N, R, Z)
    for rater in range(4):
        assert torch.allclose(queries.find(rater, maps, bank), every[:, :, rater], atol=1e-6)
