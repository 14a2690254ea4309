"""The Probabilistic U-Net baseline, D-Persona's two stages, and posteriors of the raters' own in a loop."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Independent
from torch.distributions.kl import kl_divergence

from mrbench.interfaces.method import Batch
from mrbench.nn.raters import draw_rater
from released.latent import TiledHead, draw, encoder_like, pick
from released.losses import generalised_dice, norms
from released.step import Released
from released.unet import like


class LatentModel(Released):
    """Backbone, prior and head of our latent U-Net."""

    def __init__(self, ours: object) -> None:
        super().__init__()
        network = ours.network  # type: ignore[attr-defined]
        self.backbone, self.prior = like(network.backbone, 1), encoder_like(network.prior)
        self.head = TiledHead(network.fcomb)

    def penalty(self, *posteriors: nn.Module) -> Tensor:
        return 1e-5 * norms([*posteriors, self.prior, self.head.inner])

    def bound(self, maps: Tensor, prior: Independent, masks: Tensor) -> Tensor:
        epsilon = torch.randn(len(maps), 10, prior.base_dist.loc.shape[1])
        samples = torch.cat([self.head(maps, draw(prior, epsilon[:, s])) for s in range(10)], dim=1)
        bounds = torch.stack([samples.max(dim=1)[0], samples.min(dim=1)[0]], dim=1)
        union, both = masks.max(dim=1)[0], masks.min(dim=1)[0]
        return 0.5 * generalised_dice(bounds, torch.stack([union, both], dim=1))

    @torch.no_grad()
    def sample(self, x: Tensor, n: int) -> Tensor:
        """``(n, H, W)`` probabilities for one image ``(1, C, H, W)``; the head runs sample by sample."""
        maps, prior = self.backbone(x), self.prior(x)
        return torch.cat([torch.sigmoid(self.head(maps, prior.rsample())) for _ in range(n)])[:, 0]


class ProbUNet(LatentModel):
    """``ours``: ``prob-unet``, ``as_released``."""

    def __init__(self, ours: object) -> None:
        super().__init__(ours)
        self.posterior = encoder_like(ours.posterior)  # type: ignore[attr-defined]

    def loss(self, batch: Batch) -> Tensor:
        y = pick(batch.masks, draw_rater(batch.present))[:, None]
        posterior, prior = self.posterior(torch.cat([batch.image, y], dim=1)), self.prior(batch.image)
        maps = self.backbone(batch.image)
        logits = self.head(maps, draw(posterior, torch.randn(len(y), self.prior.latent)))
        kl = torch.mean(kl_divergence(posterior, prior))
        return generalised_dice(logits, y) + kl + self.penalty(self.posterior)


class StageOne(ProbUNet):
    """``ours``: ``dpersona-1``, ``as_released``; loops over ten prior samples."""

    def loss(self, batch: Batch) -> Tensor:
        masks = batch.masks.float()
        posterior, prior = self.posterior(torch.cat([batch.image, masks], dim=1)), self.prior(batch.image)
        maps = self.backbone(batch.image)
        logits = self.head(maps, draw(posterior, torch.randn(len(masks), self.prior.latent)))
        rater = int(draw_rater(batch.present.any(dim=0, keepdim=True)))
        kl = torch.mean(kl_divergence(posterior, prior))
        reconstruction = generalised_dice(logits, masks[:, rater : rater + 1])
        return reconstruction + kl + self.bound(maps, prior, masks) + self.penalty(self.posterior)


class StageTwo(LatentModel):
    """Nothing but the optimiser's list says that stage I is frozen: its gradients are computed, and never cleared.

    BatchNorm, whose statistics drift in the release, keeps them here, so that the loss is the same.
    """

    def __init__(self, ours: object, bank: int = 100) -> None:
        super().__init__(ours)
        self.queries, self.bank = nn.ModuleList(), bank
        for source in ours.queries.heads:  # type: ignore[attr-defined]
            own = nn.Sequential(*(_layer(layer) for layer in source))
            own.load_state_dict(source.state_dict())
            self.queries.append(own)

    def train(self, mode: bool = True) -> "StageTwo":
        super().train(mode)
        self.backbone.eval()
        return self

    def trained(self) -> Sequence[nn.Parameter]:
        return list(self.queries.parameters())

    def loss(self, batch: Batch) -> Tensor:
        maps, prior = self.backbone(batch.image), self.prior(batch.image)
        epsilon = torch.randn(len(maps), self.bank, self.prior.latent)
        with torch.no_grad():
            bank = torch.stack([draw(prior, epsilon[:, n]) for n in range(self.bank)], dim=1)
        logits = []
        for query in self.queries:
            q = query(maps).mean(dim=3).mean(dim=2)[:, None]  # (B, 1, Z)
            weight = torch.softmax(torch.bmm(q, bank.transpose(1, 2)), dim=-1)
            logits.append(self.head(maps, torch.bmm(weight, bank)[:, 0]))
        return generalised_dice(torch.cat(logits, dim=1), batch.masks)


class EncoderPerRater(LatentModel):
    """``ours``: ``per-rater``; no code is released: an encoder, a sample and a pass of the head per rater, in turn."""

    def __init__(self, ours: object) -> None:
        super().__init__(ours)
        own = ours.posteriors  # type: ignore[attr-defined]
        self.posteriors = nn.ModuleList(encoder_like(own, group) for group in range(own.groups))

    def loss(self, batch: Batch) -> Tensor:
        prior, maps = self.prior(batch.image), self.backbone(batch.image)
        epsilon = torch.randn(len(maps), len(self.posteriors), self.prior.latent)
        masks, reconstruction, kl = batch.masks.float(), torch.zeros(()), torch.zeros(())
        for r, encoder in enumerate(self.posteriors):
            posterior = encoder(torch.cat([batch.image, masks[:, r : r + 1]], dim=1))
            logits = self.head(maps, draw(posterior, epsilon[:, r]))
            reconstruction = reconstruction + generalised_dice(logits, masks[:, r : r + 1])
            kl = kl + torch.mean(kl_divergence(posterior, prior))
        count = len(self.posteriors)
        return (reconstruction + kl) / count + self.bound(maps, prior, masks) + self.penalty() + self._joined()

    def _joined(self) -> Tensor:
        # As ours: the same tensor of all raters has one norm.
        each = zip(*(encoder.parameters() for encoder in self.posteriors), strict=True)
        return 1e-5 * torch.stack([torch.stack(tensors).norm(2) for tensors in each]).sum()


def _layer(ours: nn.Module) -> nn.Module:
    if isinstance(ours, nn.Conv2d):
        return nn.Conv2d(ours.in_channels, ours.out_channels, 3, padding=ours.padding)  # type: ignore[arg-type]
    if isinstance(ours, nn.Dropout2d):
        return nn.Dropout2d(ours.p)
    return nn.ReLU(inplace=True) if isinstance(ours, nn.ReLU) else nn.AvgPool2d(2, ceil_mode=True)
