"""Checks of ``encode``, by which a method tells diagnostics of its latents; of methods that have one."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mrbench.errors import NotApplicableError
from mrbench.testing.check import CheckFailedError, expect_none, rule
from mrbench.testing.predicting import MethodCandidate
from mrbench.testing.scenes import MISSING, SLICES, Scene

if TYPE_CHECKING:
    from torch import Tensor

    from mrbench.interfaces.latents import Latent

ERROR = 0.05
"""Nats: of a divergence by Monte Carlo that is nearly 0."""

SEED = 5


@rule("method")
def encode_latents(candidate: MethodCandidate) -> None:
    """``encode`` gives latents of every slice and rater, and the same ones twice."""
    from mrbench.diagnostics.information import check_latents

    masks, present = _seen(SLICES)
    first, again = (_encoded(candidate, SLICES, masks, present) for _ in range(2))
    check_latents(first, present, "encode()")
    expect_none([*_moved(first, again, present)], "encode() says something else the second time", "the same densities")


@rule("method")
def encode_densities(candidate: MethodCandidate) -> None:
    """Densities of its latents give divergences of 0 or more, 0 of a prior from itself, and information up to ln R."""
    from mrbench.diagnostics.information import information
    from mrbench.interfaces.latents import Latent

    masks, present = _seen(SLICES)
    for site, latent in _encoded(candidate, SLICES, masks, present).items():
        found = information(latent, present, SEED)
        own = information(Latent(latent.prior, latent.prior), present, SEED).divergence
        known, least = found.of_rater.nan_to_num().max().item(), found.divergence.min().item()
        wrong = least < -ERROR or not own.eq(0).all() or known > math.log(present.shape[1]) + ERROR
        if wrong or not found.divergence.isfinite().all():
            raise CheckFailedError(
                f"encode() gives densities for {site!r} that are none",
                expected=f"KL(q || p) of 0 or more, KL(p || p) of 0, information of at most ln {present.shape[1]}",
                found=f"{least:.3g}, {own.abs().max().item():.3g}, {known:.3g}",
            )


@rule("method")
def encode_absent(candidate: MethodCandidate) -> None:
    """What stands in the masks of absent raters moves no latent of the raters who looked."""
    masks, present = _seen(MISSING)
    rubbish = (1 - masks).where(~present[:, :, None, None], masks)
    first, other = (_encoded(candidate, MISSING, each, present) for each in (masks, rubbish))
    expect_none([*_moved(first, other, present)], "encode() reads the masks of absent raters", "the same densities")


def _seen(scene: Scene) -> "tuple[Tensor, Tensor]":
    # Masks (N, R, H, W) and presence (N, R) of the first cases
    import torch

    from mrbench.testing.operations import SLICES as FIRST

    cases = [scene.case(number) for number in FIRST]
    masks = torch.stack([torch.from_numpy(case.masks).long() for case in cases])
    return masks, torch.stack([torch.from_numpy(case.present) for case in cases])


def _encoded(candidate: MethodCandidate, scene: Scene, masks: "Tensor", present: "Tensor") -> "Mapping[str, Latent]":
    import torch

    operations = candidate.operations(scene)
    encode = getattr(operations.method, "encode", None)
    if not callable(encode):
        raise NotApplicableError("it says nothing of latents: no encode()")
    features = operations.features()
    with torch.no_grad():
        found: Mapping[str, Latent] = encode(features, masks, present)
    return found


def _moved(one: "Mapping[str, Latent]", other: "Mapping[str, Latent]", present: "Tensor") -> Iterator[str]:
    # Sites whose densities differ at draws of the first one, where a rater looked
    import torch

    for site, latent in one.items():
        for which in ("posterior", "prior"):
            first, second = getattr(latent, which), getattr(other[site], which)
            seen = present if first.batch_shape[1] > 1 else present.any(dim=1, keepdim=True)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(SEED)
                z = first.sample()
            if not torch.equal(first.log_prob(z)[seen], second.log_prob(z)[seen]):
                yield f"the {which} of {site!r}"
