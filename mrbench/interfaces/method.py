"""A method that learns from images: its stages, its loss, its draws. The training loop is the harness's."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

import numpy as np

from mrbench.configuration import Config
from mrbench.data.case import Image
from mrbench.data.description import Description
from mrbench.interfaces.draw import Draw
from mrbench.seeds import derive_noise

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Batch:
    """Training slices on the device, augmented.

    Attributes:
        image: ``(B, C, H, W)`` float32, normalised.
        masks: ``(B, R, H, W)`` int64 below K; rows of absent raters are 0 and carry no meaning. R = 1 in a stage that
            fuses.
        present: ``(B, R)`` bool.
    """

    image: "Tensor"
    masks: "Tensor"
    present: "Tensor"


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share optimiser settings."""

    parameters: Sequence["nn.Parameter"]
    learning_rate: float
    weight_decay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One optimisation, run by the harness's training loop. Stages follow one another in the order given.

    Attributes:
        name: unique in its method.
        modules: the networks in training mode; every other network of the method is frozen, BatchNorm included.
        groups: what the optimiser (Adam) changes.
        loss: the weighted terms of the objective for one batch, by name; the objective is their sum. Called in
            evaluation mode and without gradients for the validation loss.
        epochs: at most.
        batch_size: slices per step.
        schedule: of every group's learning rate over the epochs.
        patience: epochs without a lower validation loss before training stops; None: never. The weights of the lowest
            validation loss are kept in either case, the earliest on a tie.
        uses: which training slices this stage sees: ``(N, R)`` presence -> ``(N,)`` bool; None: those with any rater.
        fuse: one label of each slice in place of its raters' masks, made once and then augmented as masks are:
            ``(N, R, H, W)`` uint8 masks and ``(N, R)`` presence -> ``(N, H, W)`` uint8 below K; None: the masks.
            A slice's label depends on that slice alone: of slices that are streamed it is made for each batch. Where
            raters are made absent at every step, ``uses`` and ``fuse`` are called in each epoch.
    """

    name: str
    modules: Sequence["nn.Module"]
    groups: Sequence[ParameterGroup]
    loss: Callable[[Batch], Mapping[str, "Tensor"]]
    epochs: int
    batch_size: int
    schedule: Literal["cosine", "constant"] = "cosine"
    patience: int | None = None
    uses: Callable[[np.ndarray], np.ndarray] | None = None
    fuse: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class Context:
    """What surrounds a prediction.

    Attributes:
        seed: of the prediction.
        device: where the networks are.
        sampler: of the method's record: how this row draws from the family's training.
    """

    seed: int
    device: "torch.device"
    sampler: str = "default"

    def noise(self, image: Image, *axes: str | int) -> np.random.Generator:
        """Generator of one draw's base noise: (prediction seed, case, axes); batches and case order change nothing.

        A volume's draws take one base noise for all their slices.
        """
        return derive_noise(self.seed, image.id, *axes)


C = TypeVar("C", bound=Config)


class Method(ABC, Generic[C]):
    """A model with its losses and its sampling.

    Subclasses build their networks in ``__init__`` (on the CPU, under a seeded global generator) and list them in
    :meth:`networks`. Training draws from torch's global generator, prediction from ``context.noise`` alone.
    """

    def __init__(self, config: C, description: Description) -> None:
        self.config = config
        self.description = description

    @abstractmethod
    def networks(self) -> Mapping[str, "nn.Module"]:
        """Every network by name: what is moved to the device, saved and loaded."""

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """The optimisations in order."""

    @abstractmethod
    def predict(self, image: Image, n: int, context: Context) -> Iterator[Draw]:
        """Draws for one image, without gradients and in evaluation mode.

        Diverse methods give exactly ``n`` samples, personal ones at least one prediction for each rater (draw 0
        first), consensus-only ones a single consensus. ``probability`` is ``(K, *spatial)`` on the image's grid.
        """

    def save(self, folder: Path) -> None:
        """Writes the weights, one file per network, and nothing else."""
        import torch

        for name, network in self.networks().items():
            torch.save(network.state_dict(), folder / f"{name}.pt")

    def load(self, folder: Path) -> None:
        """Reads what :meth:`save` wrote; no pickled code is run."""
        import torch

        for name, network in self.networks().items():
            network.load_state_dict(torch.load(folder / f"{name}.pt", weights_only=True, map_location="cpu"))
