"""Cases as torch takes them."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

if TYPE_CHECKING:
    from mrbench.data.caseset import CaseSet


class TorchCases(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """A map-style torch data set over cases; each is read and normalised when it is asked for.

    An item is ``(image, masks, present)``: ``(C, *spatial)`` float32, normalised as methods see it; ``(R, *spatial)``
    uint8 below K, zero in the rows of absent raters; ``(R,)`` bool. They are copies, free to be changed. A case is
    whole: cutting volumes into slices and slices to the declared training size is the training loop's.
    """

    def __init__(self, cases: "CaseSet") -> None:
        self.cases = cases

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"case {index} of {len(self)}")
        case = self.cases[index]
        looked = case.present.reshape(-1, *(1,) * (case.masks.ndim - 1))
        return torch.tensor(case.image), torch.tensor(case.masks * looked), torch.tensor(case.present)

    def valid(self, index: int) -> Tensor:
        """``(*spatial)`` bool, the pixels of a case that count: a loss leaves out the others, where masks are 0."""
        found = self.cases.valid(index)
        shape = self.cases.pixels.masks(index).shape[1:]
        return torch.tensor(np.ones(shape, bool) if found is None else found)
