"""What latents know, by Monte Carlo from their densities: mean_r KL(q_r || p) = I(r; z | x) + KL(mean_r q_r || p).

I is what a latent knows of the rater, between 0 and ln R; the rest is what the prior cannot foresee of the image. Axis
letters: N slices, R raters, P posteriors (R, or 1 of all raters together), M draws, E elements of a latent.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal, kl_divergence

from mrbench.errors import PluginError
from mrbench.interfaces.latents import Latent

DRAWS = 128
"""M: of each posterior."""

AT_ONCE = 2**24
"""Elements whose densities are computed together."""

ACTIVE = 0.01
"""An element is active above this divergence in nats, and above this variance of its mean in the prior's deviations."""


@dataclass(frozen=True, eq=False)
class Information:
    """Of N slices, in nats; NaN where it does not apply.

    Attributes:
        divergence: ``(N,)`` mean over the posteriors of KL(q || p); NaN of slices that nobody looked at.
        of_rater: ``(N,)`` I(r; z | x); NaN where fewer than two raters have posteriors of their own.
        beyond: ``(N,)`` KL(mean_r q_r || p), the rest; NaN where that does, or where each rater has another prior.
    """

    divergence: Tensor
    of_rater: Tensor
    beyond: Tensor


def information(latent: Latent, present: Tensor, seed: int, draws: int = DRAWS) -> Information:
    """Monte Carlo estimates from M draws of each posterior.

    Args:
        present: ``(N, R)`` bool.
        seed: of the draws; torch's global generator is left as it was.
    """
    seen = _seen(latent, present)
    with torch.random.fork_rng(devices=[seen.device] if seen.is_cuda else []):
        torch.manual_seed(seed)
        parts = [_log_ratios(latent, seen, size) for size in _blocks(latent, draws)]
    to_prior, to_mean = (torch.cat([part[i] for part in parts]).mean(dim=0) for i in (0, 1))  # (N, P)
    count = seen.sum(dim=1)
    divergence, of_rater = (torch.where(seen, each, 0).sum(dim=1) / count for each in (to_prior, to_mean))
    of_rater = of_rater.masked_fill(count < 2, torch.nan)
    one_prior = latent.prior.batch_shape[1] == 1
    return Information(
        divergence, of_rater, (divergence - of_rater) if one_prior else torch.full_like(of_rater, torch.nan)
    )


def _seen(latent: Latent, present: Tensor) -> Tensor:
    # (N, P): the posteriors that mean something
    return present if latent.posterior.batch_shape[1] > 1 else present.any(dim=1, keepdim=True)


def _blocks(latent: Latent, draws: int) -> Iterator[int]:
    n, p = latent.posterior.batch_shape
    size = max(1, AT_ONCE // (n * p * p * max(1, latent.posterior.event_shape.numel())))
    for start in range(0, draws, size):
        yield min(size, draws - start)


def _log_ratios(latent: Latent, seen: Tensor, draws: int) -> tuple[Tensor, Tensor]:
    # (M, N, P) each: log q_r / p and log q_r / mean q of draws of q_r
    z = latent.posterior.sample((draws,))  # (M, N, P, *E)
    every = latent.posterior.log_prob(z.movedim(2, 0).unsqueeze(3))  # (P, M, N, P)
    own = every.diagonal(dim1=0, dim2=3)  # (M, N, P)
    mean = every.masked_fill(~seen, -torch.inf).logsumexp(dim=3)  # (P, M, N)
    return own - latent.prior.log_prob(z), own - (mean.movedim(0, 2) - seen.sum(dim=1).log()[:, None])


class ActiveElements:
    """Counts the elements of a Gaussian latent that are active over all images and raters; None of any other latent."""

    def __init__(self) -> None:
        self._sums: Tensor | None = None
        self._known = True
        self._n = 0

    def add(self, latent: Latent, present: Tensor) -> None:
        """Adds N slices."""
        q, p = normal_of(latent.posterior), normal_of(latent.prior)
        if q is None or p is None:
            self._known = False
            return
        seen = _seen(latent, present)
        shift = ((q.loc - p.loc) / p.scale)[seen].double()  # (n, *E)
        rows = torch.stack([kl_divergence(q, p)[seen].double(), shift, shift.square()]).sum(dim=1).cpu()  # (3, *E)
        if self._sums is not None and self._sums.shape != rows.shape:
            self._known = False  # maps of images of several sizes
            return
        self._sums = rows if self._sums is None else self._sums + rows
        self._n += int(seen.sum())

    def count(self) -> tuple[int, int] | None:
        """Active elements and all; None where the latent is no diagonal Gaussian of one shape."""
        if not self._known or self._sums is None or self._n == 0:
            return None
        divergence, mean, square = self._sums / self._n
        active = (divergence > ACTIVE) & (square - mean.square() > ACTIVE)
        return int(active.sum()), active.numel()


def normal_of(distribution: Distribution) -> Normal | None:
    base = distribution.base_dist if isinstance(distribution, Independent) else distribution
    return base if isinstance(base, Normal) else None


def check_latents(found: object, present: Tensor, place: str) -> None:
    """Refuses what is no mapping of latents of N slices and R raters, of ``present``, ``(N, R)``.

    Raises:
        PluginError: names the site, and the file and line of ``encode``.
    """
    n, raters = present.shape
    if not isinstance(found, dict) or not all(isinstance(each, Latent) for each in found.values()):
        raise PluginError(
            "encode() gives no latents", expected="{site: Latent(...)}", found=f"{found!r:.200}", place=place
        )
    for site, latent in found.items():
        shapes = tuple(latent.posterior.batch_shape), tuple(latent.prior.batch_shape)
        events = latent.posterior.event_shape, latent.prior.event_shape
        right = all(shape in ((n, raters), (n, 1)) for shape in shapes) and events[0] == events[1]
        if not right or shapes[1][1] > shapes[0][1]:
            raise PluginError(
                f"encode() gives distributions of a wrong shape for {site!r}",
                expected=f"batches ({n}, {raters}) or ({n}, 1), and one event of both",
                found=f"posterior {shapes[0]} of {tuple(events[0])}, prior {shapes[1]} of {tuple(events[1])}",
                place=place,
            )
