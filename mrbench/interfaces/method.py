"""A method that learns from images: its stages, its loss, its answers. The training loop is the harness's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from mrbench.configuration import Config
from mrbench.data.description import Description
from mrbench.errors import PluginError
from mrbench.interfaces.noise import Noise
from mrbench.interfaces.schedule import Schedule


@dataclass(frozen=True, eq=False)
class Batch:
    """Training slices on the device, augmented.

    Attributes:
        image: ``(B, C, H, W)`` float32, normalised.
        masks: ``(B, R, H, W)`` int64 below K; rows of absent raters are 0 and carry no meaning. R = 1 in a stage that
            fuses.
        present: ``(B, R)`` bool.
        valid: ``(B, H, W)`` bool, the pixels that count. Of the others (void) nobody says what they are: a loss leaves
            them out, see :attr:`counted`, and networks see no mask there, see :attr:`judged`.
        progress: of the stage, in [0, 1): the share of its steps that are done.
        void: may a pixel be void? None: not known without a look at ``valid``.
    """

    image: Tensor
    masks: Tensor
    present: Tensor
    valid: Tensor
    progress: float = 0.0
    void: bool | None = None

    @property
    def counted(self) -> Tensor | None:
        """``(B, H, W)`` bool as the losses of :mod:`mrbench.nn.losses` take it: None where all pixels count."""
        # The training loop knows it from the data, so that no device is waited for.
        void = not bool(self.valid.all()) if self.void is None else self.void
        return self.valid if void else None

    def counted_of(self, image: Tensor) -> Tensor | None:
        """``(P, H, W)`` the same for images ``(P,)`` of the batch, by their indices."""
        return None if (counted := self.counted) is None else counted[image]

    @property
    def judged(self) -> Tensor:
        """``(B, R, H, W)`` the masks, 0 in void pixels."""
        return self.masks if (counted := self.counted) is None else self.masks * counted[:, None]


@dataclass(frozen=True, eq=False)
class Probabilities:
    """An answer of a method that computes probabilities and no logits.

    Attributes:
        values: ``(S, N, K, H, W)`` float, summing to one over K, background included.
    """

    values: Tensor


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share optimiser settings."""

    parameters: Sequence[nn.Parameter]
    learning_rate: float
    weight_decay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One optimisation, run by the harness's training loop. Stages follow one another in the order given.

    Attributes:
        name: unique in its method.
        modules: the submodules in training mode, or the method itself; all others are frozen, BatchNorm included.
        groups: what the optimiser (Adam) changes: parameters of the method.
        loss: the weighted terms of the objective for one batch, by name; the objective is their sum. Called in
            evaluation mode and without gradients for the validation loss.
        epochs: at most.
        batch_size: slices per step.
        schedule: of every group's learning rate over the epochs.
        patience: epochs without a lower validation loss before training stops; None: never.
        keep: which weights: those of the lowest validation loss, the earliest on a tie, or those of the last epoch.
        uses: which training slices this stage sees: ``(N, R)`` presence -> ``(N,)`` bool; None: those with any rater.
        fuse: one label of each slice in place of its raters' masks, made once and then augmented as masks are:
            ``(N, R, H, W)`` uint8 masks and ``(N, R)`` presence -> ``(N, H, W)`` uint8 below K; None: the masks.
            Masks are 0 in void pixels; a function with a parameter ``valid`` gets ``(N, H, W)`` bool, or None where
            all pixels count. A slice's label depends on that slice alone: of slices that are streamed it is made for
            each batch. Where raters are made absent at every step, ``uses`` and ``fuse`` are called in each epoch.
    """

    name: str
    modules: Sequence[nn.Module]
    groups: Sequence[ParameterGroup]
    loss: Callable[[Batch], Mapping[str, Tensor]]
    epochs: int
    batch_size: int
    schedule: Schedule = "cosine"
    patience: int | None = None
    keep: Literal["best", "last"] = "best"
    uses: Callable[[np.ndarray], np.ndarray] | None = None
    fuse: Callable[..., np.ndarray] | None = None


Answer = Tensor | Probabilities
"""``(S, N, L, H, W)`` logits, L = 1 where K = 2 and L = K else, or :class:`Probabilities`."""

C = TypeVar("C", bound=Config)


class Method(nn.Module, Generic[C]):
    """A model with its losses and its answers, a module of torch: its submodules and parameters are what is trained.

    They are moved to the device, saved, loaded and checked as well. Subclasses assign them in ``__init__``, which runs
    on the CPU under a seeded global generator. The harness owns evaluation mode, gradients, the device, slices and
    volumes, chunks that bound the memory, and the order of draws. Training draws from torch's global generator,
    answers from ``noise`` alone.

    A subclass defines the answers that its card gives: :meth:`sample`, :meth:`as_rater`, :meth:`consensus`. In them N
    counts slices, of one volume or of several cases; none may look at another. S is ``noise.draws``, or 1 where nothing
    is drawn.

    Attributes:
        stage_name: of the default stage, an ingredient of its seeds; empty: the name of the class.
        rater_draws: predictions for each rater that the harness asks for; draw 0 is the one that is scored alone.
    """

    stage_name: ClassVar[str] = ""
    rater_draws: int = 1

    def __init__(self, config: C, description: Description) -> None:
        super().__init__()
        self.config = config
        self.description = description

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, nn.Module | nn.Parameter) and (name in _OWN or hasattr(type(self), name)):
            raise PluginError(
                f"{type(self).__name__} assigns a {type(value).__name__} to {name!r}, which is something else already",
                expected="submodules and parameters under names that neither mrbench.Method nor the class uses",
                found=f"self.{name} = {type(value).__name__}(...)",
                hint=f"call it otherwise, such as {name}_network",
            )
        super().__setattr__(name, value)

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """The weighted terms of the default stage's objective, by name: scalars whose sum is minimised."""
        raise PluginError(f"{type(self).__name__} has no loss", expected="a method loss(batch), or stages with losses")

    def stages(self) -> Sequence[Stage]:
        """The optimisations in order. Default: one of all parameters, as options that are a TrainingOptions say."""
        return [self.stage()]

    def stage(
        self,
        children: Sequence[str] = (),
        *,
        name: str = "",
        options: Any = None,
        rates: Mapping[str, float] | None = None,
        **more: Any,
    ) -> Stage:
        """A stage that trains submodules together, as options that are a TrainingOptions say.

        Args:
            children: names of the submodules; none: the whole method.
            name: of the stage; default: :attr:`stage_name`.
            options: of this stage; those that it lacks are the method's.
            rates: learning rates of submodules that have one of their own.
            more: other fields of the stage; ``loss`` is by default the method's.

        Raises:
            PluginError: an option that neither has, or a name that no submodule has.
        """
        rate = self._training_option("learning_rate", options)
        settings = {name: self._training_option(name, options) for name in _SETTINGS}
        settings["keep"] = getattr(self.config, "keep", "best")  # an option that others than TrainingOptions lack
        return Stage(
            name=name or self.stage_name or type(self).__name__,
            modules=[self._child(child) for child in children] or [self],
            groups=_groups(self, children, rate, rates or {}),
            **{"loss": self.loss, **settings, **more},
        )

    def _training_option(self, name: str, options: Any) -> Any:
        found = next((each for each in (options, self.config) if hasattr(each, name)), None)
        if found is None:
            raise PluginError(
                f"nothing says the {name} of {type(self).__name__}",
                expected="options that derive from mrbench.TrainingOptions, or a method stages()",
                found=f"options of class {type(self.config).__name__}",
            )
        return getattr(found, name)

    def _child(self, name: str) -> nn.Module:
        children = dict(self.named_children())
        if name not in children:
            raise PluginError(
                f"a stage of {type(self).__name__} names the submodule {name!r}, and there is none",
                expected=", ".join(children),
                found=name,
            )
        return children[name]

    def features(self, x: Tensor) -> Any:
        """What all answers for images ``(N, C, H, W)`` share, computed once. Default: the images."""
        return x

    def sample(self, features: Any, noise: Noise) -> Answer:
        """``(S, N, L, H, W)``: draws tied to no rater.

        Default, where a card gives samples of random raters: a rater drawn uniformly for each, by the harness.
        """
        raise PluginError(f"{type(self).__name__} gives no samples", expected="sample(features, noise)")

    def as_rater(self, features: Any, rater: int, noise: Noise) -> Answer:
        """``(S, N, L, H, W)``: draws in the style of one rater."""
        raise PluginError(f"{type(self).__name__} gives no raters", expected="as_rater(features, rater, noise)")

    def consensus(self, features: Any, noise: Noise) -> Answer:
        """``(1, N, L, H, W)``: the one answer."""
        raise PluginError(f"{type(self).__name__} gives no consensus", expected="consensus(features, noise)")

    def save(self, folder: Path) -> None:
        """Writes the weights and nothing else: a file per submodule, and one of parameters that are in none."""
        for name, part in _parts(self).items():
            torch.save(part, folder / f"{name}.pt")

    def load(self, folder: Path) -> None:
        """Reads what :meth:`save` wrote; no pickled code is run."""
        for name in _parts(self):
            state = torch.load(folder / f"{name}.pt", weights_only=True, map_location="cpu")
            if name == _LOOSE:
                _load_loose(self, state)
            else:
                self.get_submodule(name).load_state_dict(state)


_OWN = ("config", "description", "training")
"""Attributes of a method that are set when it is made; its class has the others."""

_SETTINGS = ("epochs", "batch_size", "schedule", "patience")
"""Of a stage, which options say."""

_LOOSE = "parameters"
"""File of parameters and buffers that are in no submodule; none can have this name, for it is a method's of torch."""


def _groups(
    method: Method[Any], children: Sequence[str], rate: float, rates: Mapping[str, float]
) -> list[ParameterGroup]:
    # Each parameter once, by learning rate; tied ones go by the first submodule that has them. Submodules that options
    # leave out are None, and may be named.
    unknown = [child for child in rates if not hasattr(method, child)]
    if unknown:
        raise PluginError(
            f"a stage of {type(method).__name__} has a learning rate for {unknown[0]!r}, which is no submodule",
            expected=", ".join(name for name, _ in method.named_children()),
            found=unknown[0],
        )
    found: dict[float, list[nn.Parameter]] = {}
    for name, parameter in method.named_parameters():
        child = name.partition(".")[0]
        if not children or child in children:
            found.setdefault(rates.get(child, rate), []).append(parameter)
    return [ParameterGroup(parameters, own) for own, parameters in found.items()]


def _parts(method: nn.Module) -> dict[str, dict[str, Any]]:
    # The state of every submodule that has one, by its name, and that of the method itself.
    parts = {name: child.state_dict() for name, child in method.named_children()}
    parts[_LOOSE] = {key: value for key, value in method.state_dict().items() if "." not in key}
    return {name: part for name, part in parts.items() if part}


def _load_loose(method: nn.Module, state: Mapping[str, Any]) -> None:
    absent, unknown = method.load_state_dict(state, strict=False)
    wrong = [*(key for key in absent if "." not in key), *unknown]
    if wrong:
        raise RuntimeError(f"weights of {type(method).__name__} are not those of its parameters: {', '.join(wrong)}")
