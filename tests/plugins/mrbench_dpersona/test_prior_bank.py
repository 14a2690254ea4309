from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from made_draws import draws as made

from mrbench.data.case import Image
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Method
from mrbench_dpersona.prior_bank import PriorBank

CPU = torch.device("cpu")


def _bank(*centroids: tuple[float, float]) -> PriorBank:
    bank = PriorBank(len(centroids), 2).eval()
    bank.centroids.data = torch.tensor(centroids)
    return bank


def test_a_latent_retrieves_its_nearest_centroid_the_first_on_a_tie() -> None:
    bank = _bank((0.0, 0.0), (4.0, 0.0))
    z = torch.tensor([[[1.0, 1.0], [3.0, -5.0]], [[2.0, 0.0], [9.0, 9.0]]])  # (D, S, Z)
    assert bank(z).tolist() == [[[0, 0], [4, 0]], [[0, 0], [4, 0]]]


def test_the_distortion_is_the_mean_squared_distance_to_the_nearest_centroid() -> None:
    draws = torch.tensor([[1.0, 0.0], [0.0, 2.0], [4.0, 3.0]])
    bank = _bank((0.0, 0.0), (4.0, 0.0))
    assert bank.distortion(draws).item() == pytest.approx((1 + 4 + 9) / 3)
    assert _bank((1.0, 0.0), (0.0, 2.0), (4.0, 3.0)).distortion(draws).item() == 0


def test_it_starts_from_as_many_different_draws() -> None:
    bank, draws = PriorBank(4, 2), torch.arange(12.0).view(6, 2)
    assert bank.eval().distortion(draws).item() > 0
    assert not bank.started  # a loss without training starts nothing
    bank.train().distortion(draws)
    assert bank.started
    assert len({tuple(c) for c in bank.centroids.tolist()} & {tuple(d) for d in draws.tolist()}) == 4
    kept = bank.centroids.clone()
    bank.distortion(draws + 1)
    assert torch.equal(bank.centroids, kept)


def test_its_gradient_leads_to_the_means_of_the_clusters() -> None:
    centres = torch.tensor([[5.0, 0.0], [-5.0, 0.0], [0.0, 5.0]])
    draws = (centres[:, None] + 0.1 * torch.randn(3, 200, 2)).flatten(0, 1)
    bank = _bank((4.0, 1.0), (-3.0, -1.0), (1.0, 4.0)).train()
    bank.started.fill_(True)
    optimiser = torch.optim.Adam(bank.parameters(), 0.05)
    for _ in range(300):
        optimiser.zero_grad()
        bank.distortion(draws).backward()
        optimiser.step()
    expected = draws.view(3, 200, 2).mean(dim=1)
    assert torch.allclose(bank.centroids, expected, atol=0.01)


def test_without_k_there_is_no_bank_and_no_stage_for_it(make_method: Callable[..., Method]) -> None:
    method = make_method("dpersona-1")
    assert "bank" not in dict(method.named_children())
    assert [stage.name for stage in method.stages()] == ["diversification", "personalisation"]
    assert [stage.name for stage in make_method("dpersona-1", prior_bank=3).stages()][1] == "prior-bank"


@pytest.fixture
def banked(make_method: Callable[..., Method], four_cases: Slices) -> Method:
    options = {"stage_1.epochs": 2, "stage_2.epochs": 2, "prior_bank": 3, "stage_2.bank": 1, "batch_size": 2}
    method = make_method("dpersona-1", **options)
    fit(method, four_cases, None, seed=0, device=CPU)
    return method


def test_samples_come_from_the_centroids_alone(banked: Method, four_cases: Slices) -> None:
    samples = [d.probability for d in made(banked, Image("a", four_cases.image[0].numpy()), 30, "samples")]
    assert len(samples) == 30
    assert len({s.tobytes() for s in samples}) <= 3


def test_raters_are_a_function_of_the_image_alone(banked: Method, four_cases: Slices) -> None:
    image = Image("a", four_cases.image[0].numpy())
    found = [np.stack([d.probability for d in made(banked, image, seed=seed)]) for seed in (0, 1)]
    assert found[0].shape == (4, 2, 32, 32)
    assert np.array_equal(*found)  # no prior is drawn from


def test_the_bank_is_kept_with_the_weights(banked: Method, make_method: Callable[..., Method], tmp_path: Path) -> None:
    banked.save(tmp_path)
    other = make_method("dpersona-1", prior_bank=3)
    other.load(tmp_path)
    assert torch.equal(other.bank.centroids, banked.bank.centroids)
    assert other.bank.started
    assert banked.bank.centroids.abs().sum() > 0


@pytest.mark.parametrize(("gives", "draws"), [("samples", 5), ("raters", 4)])
def test_the_slices_of_a_volume_retrieve_each_for_itself(gives: str, draws: int, banked: Method) -> None:
    volume = np.random.default_rng(0).random((1, 3, 32, 32), dtype=np.float32)
    found = made(banked, Image("v", volume), 5, gives)
    assert [draw.probability.shape for draw in found] == [(2, 3, 32, 32)] * draws
