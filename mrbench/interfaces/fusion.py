"""Training-free fusions and bounds: rows made of the raters' own masks."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from mrbench.configuration import Config
from mrbench.data.description import Description
from mrbench.interfaces.draw import Draw


@dataclass(frozen=True, eq=False)
class Trial:
    """Draws and the raters that they are scored against.

    A fusion that predicts one rater from the others gives one trial per rater left out; a case's value is the mean
    over its trials.

    Attributes:
        truth: ``(R,)`` bool, the raters who are the truth of this trial; a subset of those present.
        draws: what is scored.
    """

    truth: np.ndarray
    draws: list[Draw]


C = TypeVar("C", bound=Config)


class Fusion(ABC, Generic[C]):
    """Fuses the masks of one case. Sees the masks that it is scored on, and its rows say so."""

    def __init__(self, config: C, description: Description) -> None:
        self.config = config
        self.description = description

    @abstractmethod
    def fuse(self, masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:
        """Trials of one case; none where the case has too few raters for this fusion.

        Args:
            masks: ``(R, *spatial)`` unsigned integers below K; rows of absent raters carry no meaning.
            present: ``(R,)`` bool, who looked at this case.
            n: samples asked for.
            noise: generator seeded by (prediction seed, case).
        """
