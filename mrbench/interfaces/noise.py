"""The randomness of a prediction: named sites, each row a function of where it belongs and of nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mrbench.errors import PluginError
from mrbench.interfaces.draw import DrawKind
from mrbench.seeds import derive_seed


@dataclass(frozen=True)
class Rows:
    """Whose noise it is: S draws of one answer for N slices of one case.

    Attributes:
        seed: of the prediction.
        case: its name.
        answer: what is drawn.
        rater: column of the rater in whose style; None: nobody's.
        draws: numbers of the S draws.
        slices: numbers of the N slices in their volume; of an image, the only one.
    """

    seed: int
    case: str
    answer: DrawKind
    rater: int | None
    draws: Sequence[int]
    slices: Sequence[int]


@dataclass(eq=False)
class Noise:
    """Random numbers for S draws and N slices, by named sites.

    A row is a function of (prediction seed, case, site, rater or none, draw) alone: how many draws are made together,
    in which order, and of which cases, changes nothing. The slices of a volume share their row unless a site asks
    otherwise. Equality is promised within a kind of device.

    Attributes:
        rows: whose.
        device: where the numbers are needed.
        seeds: of sites that are drawn under another seed than the prediction's, to see what one of them does.
        sites: the names that were drawn from.
    """

    rows: Rows
    device: torch.device
    seeds: Mapping[str, int] = field(default_factory=dict)
    sites: set[str] = field(default_factory=set)

    @property
    def draws(self) -> int:
        """S."""
        return len(self.rows.draws)

    @property
    def slices(self) -> int:
        """N."""
        return len(self.rows.slices)

    @property
    def numbers(self) -> Tensor:
        """``(S,)`` int64: the draws' own numbers, for methods that take turns."""
        return torch.tensor(list(self.rows.draws), device=self.device)

    def normal(self, site: str, *shape: int, per_slice: bool = False, per_rater: bool = True) -> Tensor:
        """``(S, N, *shape)`` float32, standard normal.

        Args:
            site: a name of its own for each use in an answer, such as ``z``.
            shape: of one row; a leading axis of inner draws is reduced by the method.
            per_slice: a row of its own for each slice of a volume.
            per_rater: a row of its own for each rater; False: all raters' answers share it.

        Raises:
            PluginError: the site was drawn from before in this answer.
        """

        def row(generator: torch.Generator) -> Tensor:
            return torch.randn(shape, generator=generator, device=generator.device)

        return self._rows(site, row, per_slice, per_rater)

    def uniform(self, site: str, *shape: int, per_slice: bool = False, per_rater: bool = True) -> Tensor:
        """``(S, N, *shape)`` float32 in [0, 1); arguments and errors of :meth:`normal`."""

        def row(generator: torch.Generator) -> Tensor:
            return torch.rand(shape, generator=generator, device=generator.device)

        return self._rows(site, row, per_slice, per_rater)

    def dirichlet(self, site: str, concentration: Tensor, *, per_slice: bool = False, per_rater: bool = True) -> Tensor:
        """``(S, N, T)`` float32 that sum to one, of positive concentrations ``(T,)``; errors of :meth:`normal`."""
        alpha = concentration.detach().double().cpu()

        def row(generator: torch.Generator) -> Tensor:
            return torch._sample_dirichlet(alpha, generator=generator).float()

        return self._rows(site, row, per_slice, per_rater, torch.device("cpu"))

    def integers(self, site: str, n: int, *, per_slice: bool = False, per_rater: bool = True) -> Tensor:
        """``(S, N)`` int64 below ``n``, uniform; errors of :meth:`normal`."""

        def row(generator: torch.Generator) -> Tensor:
            return torch.randint(n, (), generator=generator)

        return self._rows(site, row, per_slice, per_rater, torch.device("cpu"))

    def _rows(
        self,
        site: str,
        row: Callable[[torch.Generator], Tensor],
        per_slice: bool,
        per_rater: bool,
        device: torch.device | None = None,
    ) -> Tensor:
        if site in self.sites:
            raise PluginError(
                f"noise of site {site!r} is drawn twice in one answer",
                expected="a name of its own for each use, or one draw of a larger shape",
            )
        self.sites.add(site)
        rows, generator = self.rows, torch.Generator(device or _source(self.device))
        seed, rater = self.seeds.get(site, rows.seed), rows.rater if per_rater else None
        axes = (seed, rows.case, site, rows.answer.value, -1 if rater is None else rater)
        if per_slice:
            drawn = [
                torch.stack([row(generator.manual_seed(derive_seed(*axes, draw, each))) for each in rows.slices])
                for draw in rows.draws
            ]
            return torch.stack(drawn).to(self.device)
        each = torch.stack([row(generator.manual_seed(derive_seed(*axes, draw))) for draw in rows.draws])
        return each.to(self.device)[:, None].expand(-1, self.slices, *each.shape[1:])


def _source(device: torch.device) -> torch.device:
    # Generators that take a seed for each row are there for processors and for CUDA.
    return device if device.type in ("cpu", "cuda") else torch.device("cpu")
