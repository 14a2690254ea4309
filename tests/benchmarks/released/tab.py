"""TAB: a low-rank multivariate normal over all pixels of each query, in double precision, rater by rater."""

import copy

import torch
from torch import Tensor
from torch.distributions import LowRankMultivariateNormal
from torch.nn import functional

from mrbench.interfaces.method import Batch
from released.step import Released


class Tab(Released):
    """``ours``: ``tab``, ``as_released``; the network is ours, its BatchNorm and first stage train as ours do."""

    def __init__(self, ours: object) -> None:
        super().__init__()
        self.network = copy.deepcopy(ours.network)  # type: ignore[attr-defined]
        self.rank, self.raters = ours.config.rank, ours.raters  # type: ignore[attr-defined]

    def loss(self, batch: Batch) -> Tensor:
        outputs = self.network(batch.image)  # (B, Q (2 + N), H, W)
        parts = outputs.reshape(len(outputs), self.raters + 1, 2 + self.rank, *outputs.shape[2:])
        shape = (len(outputs), self.raters, *outputs.shape[2:])
        common, own = (self._draw(shape[:2], outputs) for _ in range(2))
        each = [self.distribution(parts[:, q]) for q in range(self.raters + 1)]
        terms = [
            term
            for r in range(self.raters)
            for term in (
                self._term(each[0], r, common, batch),
                self._term(each[r + 1], r, own, batch),
            )
        ]
        return torch.stack(terms).sum() / self.raters

    def _draw(self, batch_raters: tuple[int, ...], outputs: Tensor) -> tuple[Tensor, Tensor]:
        return torch.randn(*batch_raters, self.rank), torch.randn(*batch_raters, 1, *outputs.shape[2:])

    def distribution(self, parts: Tensor) -> LowRankMultivariateNormal:
        """Of one query, ``(B, H W)``, from ``(B, 2 + N, H, W)``."""
        flat = parts.double().flatten(2)
        factors = flat[:, 2:].reshape(len(parts), -1, self.rank)  # as released: no permutation
        return LowRankMultivariateNormal(flat[:, 0], cov_factor=factors, cov_diag=flat[:, 1].abs() + 1e-5)

    def _term(
        self, distribution: LowRankMultivariateNormal, rater: int, noise: tuple[Tensor, Tensor], batch: Batch
    ) -> Tensor:
        shared, own = (each[:, rater].double() for each in noise)
        low_rank = torch.matmul(distribution._unbroadcasted_cov_factor, shared[..., None])[..., 0]
        diagonal = distribution._unbroadcasted_cov_diag.sqrt()
        logits = (distribution.loc + low_rank + diagonal * own.flatten(1)).float()
        return functional.binary_cross_entropy_with_logits(logits, batch.masks[:, rater].float().flatten(1))
