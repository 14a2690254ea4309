"""CM-Global and CM-Pixel of the D-Persona release: 1 x 1 matrices, normalised by themselves."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrbench.interfaces.method import Batch
from mrbench.nn.raters import pairs_of
from released.latent import pick
from released.losses import generalised_dice
from released.step import Released
from released.unet import like


class Global(Released):
    """``ours``: ``cm-global``, ``as_released``."""

    def __init__(self, ours: object) -> None:
        super().__init__()
        self.backbone, self.truth = like(ours.backbone, 1), nn.Conv2d(16, 1, 1)  # type: ignore[attr-defined]
        self.truth.load_state_dict(ours.truth.state_dict())  # type: ignore[attr-defined]
        self.entries = self.make_entries()

    def make_entries(self) -> nn.Module:
        return nn.ParameterList(nn.Parameter(torch.eye(1)) for _ in range(4))

    def loss(self, batch: Batch) -> Tensor:
        image, rater = pairs_of(batch.present, one=True)
        rater = rater[image.argsort()]
        features = self.backbone(batch.image)
        logits = self.truth(features)  # (B, 1, H, W)
        every = self.matrices(features)  # of each rater (B, 1, 1, H, W)
        said, trace = [], torch.zeros(())
        for matrix in every:
            flat = matrix.permute(0, 3, 4, 1, 2).reshape(-1, 1, 1)
            vector = logits.permute(0, 2, 3, 1).reshape(-1, 1, 1)
            product = torch.bmm(flat, vector).view(len(logits), *logits.shape[2:], 1)
            said.append(product.permute(0, 3, 1, 2).contiguous())
            trace = trace + torch.diagonal(flat, dim1=1, dim2=2).sum()
        chosen = torch.stack([said[int(r)][b] for b, r in enumerate(rater)])
        trace = trace / 4 / logits.numel()  # 1, whatever the parameters are
        return generalised_dice(chosen, pick(batch.masks, rater)[:, None]) - (trace - trace.detach())

    def matrices(self, features: Tensor) -> list[Tensor]:
        shape = (len(features), 1, 1, *features.shape[2:])
        raw = [
            functional.softplus(entry).expand(shape[0], 1, 1)[..., None, None].expand(shape) for entry in self.entries
        ]
        return [entry / entry.sum(dim=1, keepdim=True) for entry in raw]


class Pixel(Global):
    """A small network on the maps for every rater; all run, and one rater's output of each image counts."""

    def make_entries(self) -> nn.Module:
        return nn.ModuleList(small() for _ in range(4))

    def matrices(self, features: Tensor) -> list[Tensor]:
        raw = [functional.softplus(head(features))[:, None] for head in self.entries]
        return [entry / entry.sum(dim=1, keepdim=True) for entry in raw]


def small() -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(4):
        layers += [nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.InstanceNorm2d(16, affine=True), nn.PReLU()]
    return nn.Sequential(*layers, nn.Conv2d(16, 1, 1))
