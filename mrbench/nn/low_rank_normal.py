"""A normal over an image's logits whose covariance is a diagonal and few factors."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class LowRankNormal:
    """N(mean, F F^T + diag(variance)) over the logits of each image, or of each image and query.

    Attributes:
        mean, variance: ``(B, L, H, W)`` or ``(B, Q, L, H, W)``.
        factors: F, ``(B, L, N, H, W)`` or ``(B, Q, L, N, H, W)``, N the rank.
    """

    mean: Tensor
    variance: Tensor
    factors: Tensor

    def draws(self, shared: Tensor, pixels: Tensor) -> Tensor:
        """``(S, *mean)`` mean + F e_1 + variance^(1/2) e_2, from standard normal noise; no matrix is decomposed.

        Args:
            shared: e_1, ``(S, B, N)`` or ``(S, B, Q, N)``.
            pixels: e_2, ``(S, *mean)``.
        """
        low_rank = torch.einsum("...lnhw,s...n->s...lhw", self.factors, shared)
        return self.mean + low_rank + self.variance.sqrt() * pixels
