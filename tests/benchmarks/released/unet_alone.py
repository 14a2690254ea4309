"""A U-Net on one mask of each image: the baselines of the D-Persona release without latents."""

from torch import Tensor, nn
from torch.nn import functional

from mrbench.interfaces.method import Batch
from released.step import Released
from released.unet import like


class Supervised(Released):
    """Cross-entropy with the batch's one mask; ``ours``: ``unet-majority``."""

    def __init__(self, ours: object) -> None:
        super().__init__()
        network = ours.unet  # type: ignore[attr-defined]
        self.backbone, self.head = like(network.backbone, 1), nn.Conv2d(16, 1, 1)
        self.head.load_state_dict(network.head.state_dict())

    def loss(self, batch: Batch) -> Tensor:
        return functional.binary_cross_entropy_with_logits(self.head(self.backbone(batch.image)), batch.masks.float())
