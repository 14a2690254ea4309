"""A wrapper: a row that trains nothing of its own; its answers are made of those of another method's trainings.

Light, so that planning needs no torch.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from mrbench.configuration import Config, option
from mrbench.data.description import Description
from mrbench.errors import PluginError

if TYPE_CHECKING:
    from mrbench.interfaces.noise import Noise


class WrapperConfig(Config):
    """Options of every wrapper: the method that is trained, the member, with its settings.

    Other options of the member are set by its own name, ``unet-majority.epochs=3``.
    """

    of: str = option("unet-majority", "the method whose trainings answer, by name")
    of_preset: str | None = option(None, "its settings by name; none: those of the run")

    def seeds(self, seed: int) -> tuple[int, ...]:
        """The base seeds of the trainings that base seed ``seed`` of the row needs. Default: one, the same."""
        return (seed,)


def _as_it_is(array: np.ndarray) -> np.ndarray:
    return array


@dataclass(frozen=True)
class View:
    """One way to an answer: which training is asked, and what it is shown.

    Attributes:
        member: number of the training, by the seeds of the configuration.
        forward: an image ``(C, *spatial)`` to what the member sees.
        back: probabilities ``(K, *seen)`` of what it saw to ``(K, *spatial)`` of the image.
    """

    member: int = 0
    forward: Callable[[np.ndarray], np.ndarray] = _as_it_is
    back: Callable[[np.ndarray], np.ndarray] = _as_it_is


C = TypeVar("C", bound=WrapperConfig)


class Wrapper(ABC, Generic[C]):
    """Answers through V views of trained members.

    Sample i is sample i of view i mod V, as the member draws it in a run of its own; a rater's answers and the
    consensus are the views' mean probabilities. What a wrapper gives is what its member gives; where its card gives
    samples, they are what :meth:`sample` makes of the mean probability.

    Attributes:
        mean_of: how many of a member's samples that mean is of.
    """

    mean_of: int = 50

    def __init__(self, config: C, description: Description) -> None:
        self.config = config
        self.description = description

    @abstractmethod
    def views(self, shape: tuple[int, ...]) -> Sequence[View]:
        """The V views, at least one, of an image of a shape ``(C, H, W)`` or ``(C, D, H, W)``."""

    def sample(self, mean: np.ndarray, noise: "Noise") -> np.ndarray:
        """``(S, K, *spatial)`` samples made of a mean probability, for wrappers whose card gives samples.

        Args:
            mean: ``(K, *spatial)`` of the member's samples, else of its raters' first draws, else its consensus.
            noise: of S draws, of one slice or of those of a volume.
        """
        raise PluginError(f"{type(self).__name__} makes no samples", expected="sample(mean, noise)")
