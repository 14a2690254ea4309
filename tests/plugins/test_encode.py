"""What methods say of their latents is what their losses compute: the same divergences, of raters who are there."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from mrbench.diagnostics.information import check_latents
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.method import Batch, Method
from mrbench.nn.gaussian import DiagonalGaussian
from mrbench.nn.losses import dirichlet_kl

Make = Callable[..., Method[Any]]
N, RATERS = 2, 4


def seen(classes: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images ``(N, 1, 16, 16)``, masks ``(N, R, 16, 16)`` and presence: the last rater is absent in the first image."""
    generator = torch.Generator().manual_seed(3)
    images = torch.randn(N, 1, 16, 16, generator=generator)
    masks = torch.randint(classes, (N, RATERS, 16, 16), generator=generator)
    present = torch.ones(N, RATERS, dtype=torch.bool)
    present[0, -1] = False
    return images, masks, present


def encoded(method: Method[Any], masks: torch.Tensor, images: torch.Tensor, there: torch.Tensor) -> dict[str, Latent]:
    method.eval()
    with torch.no_grad():
        found: dict[str, Latent] = method.encode(method.features(images), masks, there)  # type: ignore[operator]
    check_latents(found, there, "")
    return found


@pytest.mark.parametrize(
    ("name", "posteriors"),
    [
        ("prob-unet", RATERS),
        ("per-rater", RATERS),
        ("dpersona-1", 1),
        ("dpersona-2", 1),
        ("proseg", RATERS),
        ("phiseg", RATERS),
    ],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_latents_are_of_every_slice_and_rater_with_any_classes(
    make_method: Make, name: str, posteriors: int, classes: int
):
    images, masks, present = seen(classes)
    found = encoded(make_method(name, tiny=True, classes=classes), masks, images, present)
    assert {tuple(latent.posterior.batch_shape) for latent in found.values()} == {(N, posteriors)}


@pytest.mark.parametrize("name", ["per-rater", "dpersona-1"])
def test_masks_of_absent_raters_carry_no_meaning(make_method: Make, name: str):
    images, masks, present = seen()
    other = masks.clone()
    other[0, -1] = 1 - other[0, -1]
    method = make_method(name, tiny=True)
    first, second = (encoded(method, each, images, present)["z"].posterior.mean for each in (masks, other))
    assert torch.equal(first, second)


def test_a_raters_posterior_sees_that_raters_mask_alone(make_method: Make):
    images, masks, _ = seen()
    everybody = torch.ones(N, RATERS, dtype=torch.bool)
    other = masks.clone()
    other[:, 1] = 1 - other[:, 1]
    for name in ("prob-unet", "per-rater"):
        method = make_method(name, tiny=True)
        first, second = (encoded(method, each, images, everybody)["z"].posterior.mean for each in (masks, other))
        same = (first == second).all(dim=2)  # (N, R)
        assert same.tolist() == [[True, False, True, True]] * N, name


def test_phisegs_divergences_are_those_of_its_loss_where_latents_are_their_means(
    make_method: Make, monkeypatch: pytest.MonkeyPatch
):
    images, masks, present = seen()
    method = make_method("phiseg").eval()
    found = encoded(method, masks, images, present)
    assert [tuple(found[f"z-{level}"].prior.batch_shape) for level in range(3)] == [(N, RATERS), (N, RATERS), (N, 1)]
    monkeypatch.setattr(DiagonalGaussian, "sample", lambda q: q.mean)
    own = torch.distributions.kl_divergence
    for rater in range(RATERS):
        alone = torch.zeros(N, RATERS, dtype=torch.bool)
        alone[:, rater] = True
        everywhere = torch.ones(N, 16, 16, dtype=torch.bool)
        terms = method.loss(Batch(images, masks, alone, everywhere))
        for level in range(3):
            latent = found[f"z-{level}"]
            kl = own(latent.posterior, latent.prior.expand((N, RATERS)))[:, rater].mean()
            assert terms[f"kl_{level}"].item() == pytest.approx(4**level * kl.item(), rel=1e-4)


def test_proseg_knows_raters_by_number_and_its_divergences_are_those_of_its_loss(make_method: Make):
    images, masks, present = seen()
    method = make_method("proseg", tiny=True)
    found = encoded(method, masks, images, present)
    blind = encoded(method, torch.zeros_like(masks), images, present)
    assert torch.equal(found["z"].posterior.mean, blind["z"].posterior.mean)
    tau = torch.distributions.kl_divergence(found["tau"].posterior, found["tau"].prior.expand((N, RATERS)))
    own = dirichlet_kl(method.get_submodule("class_embedding").concentration())  # type: ignore[operator]
    assert tau == pytest.approx(own.detach().expand(N, RATERS).numpy(), rel=1e-4)
