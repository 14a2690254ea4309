"""PHiSeg (Baumgartner et al. 2019): latents at several resolutions, each given the coarser ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution

from mrbench.data.description import Description
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.method import Batch, Method
from mrbench.interfaces.noise import Noise
from mrbench.nn.feature_network import padded
from mrbench.nn.gaussian import DiagonalGaussian, gaussian_kl
from mrbench.nn.losses import log_likelihood, logit_channels, start_from_background
from mrbench.nn.raters import draw_rater, foreground, mask_of
from mrbench_phiseg.config import PHiSegConfig
from mrbench_phiseg.network import Latents, Likelihood


@dataclass(frozen=True, eq=False)
class Seen:
    """Images behind the part of the prior that every draw shares.

    Attributes:
        maps: of the levels, finest first.
        image: padded, ``(N, C, H', W')``.
        rows, columns: where the images lie in them.
    """

    maps: Sequence[Tensor]
    image: Tensor
    rows: slice
    columns: slice

    @property
    def size(self) -> tuple[int, int]:
        """H', W'."""
        return self.image.shape[2], self.image.shape[3]


class PHiSeg(Method[PHiSegConfig]):
    """p(y|z) p(z|x) with z of several levels; the posterior sees one mask of each image, a random rater's."""

    stage_name = "phiseg"

    def __init__(self, config: PHiSegConfig, description: Description) -> None:
        super().__init__(config, description)
        channels, self.classes = len(description.channels), description.n_classes
        self.prior = Latents(config, channels)
        self.posterior = Latents(config, channels + logit_channels(self.classes))
        self.likelihood = Likelihood(config, logit_channels(self.classes))
        start_from_background(self.likelihood.outputs[-1], config.background_log_odds)

    # Eq. 5 and 6

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """For each level, what it and the coarser ones leave unexplained, and its divergence."""
        y = mask_of(batch.judged, draw_rater(batch.present))  # (B, H, W)
        x, rows, columns = self._padded(torch.cat([batch.image, self._shifted(y)], dim=1))
        posterior = self.posterior(self.posterior.maps(x), lambda level, q: q.sample())
        latents = [z for _, z in posterior]
        images = x[:, : batch.image.shape[1]]
        prior = self.prior(self.prior.maps(images), lambda level, p: latents[level])
        terms = {}
        for level, logits in enumerate(self.likelihood(latents, (x.shape[2], x.shape[3]))):
            terms[f"reconstruction_{level}"] = -log_likelihood(logits[..., rows, columns], y, batch.counted).mean()
        for level, ((q, _), (p, _)) in enumerate(zip(posterior, prior, strict=True)):
            terms[f"kl_{level}"] = self.config.kl_weight * 4**level * gaussian_kl(q, p).sum(dim=(1, 2, 3)).mean()
        return terms

    def _shifted(self, y: Tensor) -> Tensor:
        # (B, L, H, W): one map of two classes, K of more, less one half
        shown = foreground(y, 2) if self.classes == 2 else torch.stack([y == k for k in range(self.classes)], dim=1)
        return shown.float() - 0.5

    def _padded(self, x: Tensor) -> tuple[Tensor, slice, slice]:
        return padded(x, 2 ** (self.config.resolutions - 1), 2**self.config.resolutions)

    def features(self, x: Tensor) -> Seen:
        x, rows, columns = self._padded(x)
        return Seen(self.prior.maps(x), x, rows, columns)

    def sample(self, features: Seen, noise: Noise) -> Tensor:
        """Draws of the prior, level by level; a volume's slices share their noise."""

        def drawn(level: int, p: DiagonalGaussian) -> Tensor:
            return p.mean + p.deviation * noise.normal(site_of(level), *p.mean.shape[1:]).flatten(0, 1)

        levels = self.prior([maps.repeat(noise.draws, 1, 1, 1) for maps in features.maps], drawn)
        logits = self.likelihood([z for _, z in levels], features.size)[0][..., features.rows, features.columns]
        return logits.unflatten(0, (noise.draws, -1))

    def encode(self, features: Seen, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        """q(z_l | z_(l + 1), x, y_r) of every rater's mask and p(z_l | z_(l + 1), x), the coarser latents at q's means.

        The coarsest prior is one for all raters; the others differ with the coarser latents of a rater.
        """
        n, raters = present.shape
        shown = self._padded(self._shifted(masks.flatten(0, 1)))[0]  # (N R, L, H', W')
        x = torch.cat([features.image.repeat_interleave(raters, dim=0), shown], dim=1)
        posterior = self.posterior(self.posterior.maps(x), lambda level, q: q.mean)
        maps = [each.repeat_interleave(raters, dim=0) for each in features.maps]
        prior = self.prior(maps, lambda level, p: posterior[level][1])
        found = {}
        for level, ((q, _), (p, _)) in enumerate(zip(posterior, prior, strict=True)):
            given = raters if level + 1 < len(posterior) else 1
            found[site_of(level)] = Latent(_of_raters(q, n, raters), _of_raters(p, n, given))
        return found


def site_of(level: int) -> str:
    """The name of the noise of a level's latent."""
    return f"z-{level}"


def _of_raters(gaussian: DiagonalGaussian, n: int, raters: int) -> Distribution:
    # Batch (N, raters), the first ones, of a Gaussian over (N R, Z, h, w)
    moments = (
        each.unflatten(0, (n, -1))[:, :raters]  # type: ignore[no-untyped-call]
        for each in (gaussian.mean, gaussian.log_variance)
    )
    return DiagonalGaussian(*moments).density(event=3)
