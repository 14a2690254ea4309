"""A few steps of training on synthetic data, with an eye on what the plugin does."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, TypeVar

import torch
from torch import Tensor

from mrbench.configuration import Config
from mrbench.data.description import Description
from mrbench.engine.fit import fit
from mrbench.engine.hidden import refuse_hidden
from mrbench.engine.slices import Slices, slices_of
from mrbench.interfaces.method import Batch, Method, Stage
from mrbench.testing.scenes import Scene
from mrbench.testing.watch import RandomState, seeded_globally, watch

CPU = torch.device("cpu")

Factory = Callable[[Config, Description], Method[Any]]


@dataclass(eq=False)
class Rehearsal:
    """A method after a few steps.

    Attributes:
        curve: rows of the training's curve, one per stage and epoch.
        without_gradient: parameters of the stages' groups that never had a gradient other than zero, by name.
        changed_batch: stages whose loss wrote to its batch.
        disturbed: global generators that building and training left in another state; torch's is the harness's to use.
        written: files that were opened for writing, made or removed.
    """

    method: Method[Any]
    curve: list[dict[str, Any]] = field(default_factory=list)
    without_gradient: list[str] = field(default_factory=list)
    changed_batch: list[str] = field(default_factory=list)
    disturbed: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)


def build(factory: Factory, config: Config, description: Description, seed: int) -> Method[Any]:
    """A new method, its weights drawn under a seed; torch's global generator is left as it was.

    Raises:
        PluginError: it keeps networks where torch does not see them.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        method = factory(config, description)
    refuse_hidden(method)
    return method


def rehearse(
    factory: Factory,
    config: Config,
    scene: Scene,
    *,
    seed: int,
    device: torch.device = CPU,
    epochs: int = 2,
    one_batch: bool = False,
    surroundings: int = 1,
) -> Rehearsal:
    """Builds and trains a method on a scene.

    Args:
        seed: of the weights and of the training.
        epochs: of each stage, at most; with ``one_batch`` exactly.
        one_batch: all slices make one batch at a constant learning rate, so that every step repeats it.
        surroundings: seed of the global generators, on which nothing may depend.

    Raises:
        Exception: whatever the plugin does wrong.
    """
    with seeded_globally(surroundings), watch() as written:
        before = RandomState.now()
        rehearsal = Rehearsal(build(factory, config, scene.description, seed))
        train = slices_of(scene.cases, scene.training)
        shorten(rehearsal, epochs, len(train) if one_batch else scene.batch_size, constant=one_batch)
        with gradients_seen(rehearsal):
            curve = fit(rehearsal.method, train, None, seed=seed, device=device)
        rehearsal.disturbed = [name for name in before.changed() if name != "torch"]
    rehearsal.curve, rehearsal.written = curve.rows, written
    return rehearsal


def shorten(rehearsal: Rehearsal, epochs: int, batch_size: int, *, constant: bool) -> None:
    """Makes the method's stages short, and has their losses watched."""
    method, stages = rehearsal.method, rehearsal.method.stages

    def short() -> list[Stage]:
        return [
            replace(
                stage,
                epochs=epochs if constant else min(epochs, stage.epochs),
                batch_size=batch_size if constant else min(batch_size, stage.batch_size),
                schedule="constant" if constant else stage.schedule,
                loss=_watched(stage, rehearsal),
            )
            for stage in stages()
        ]

    method.stages = short  # type: ignore[method-assign]


def _watched(stage: Stage, rehearsal: Rehearsal) -> Callable[[Batch], Mapping[str, Tensor]]:
    @wraps(stage.loss)  # errors name the file and line of the method's
    def loss(batch: Batch) -> Mapping[str, Tensor]:
        before = {name: value.clone() for name, value in vars(batch).items() if isinstance(value, Tensor)}
        terms = stage.loss(batch)
        changed = [name for name, value in before.items() if not torch.equal(value, getattr(batch, name))]
        rehearsal.changed_batch += [f"{name} of the batch, by stage {stage.name!r}" for name in changed]
        return terms

    return loss


@contextmanager
def gradients_seen(rehearsal: Rehearsal) -> Iterator[None]:
    """Notes which parameters of the stages' groups get a gradient."""
    method = rehearsal.method
    names = {id(parameter): name for name, parameter in method.named_parameters()}
    trained = [p for stage in method.stages() for group in stage.groups for p in group.parameters]
    seen: set[int] = set()

    def note(parameter: Tensor) -> None:
        if parameter.grad is not None and bool(parameter.grad.any()):
            seen.add(id(parameter))

    hooks = [
        p.register_post_accumulate_grad_hook(note)  # type: ignore[no-untyped-call]
        for p in trained
        if p.requires_grad
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    missing = [p for p in trained if id(p) not in seen]
    rehearsal.without_gradient = [names[id(p)] for p in missing]


def losses_with_absent(method: Method[Any], scene: Scene, label: int) -> dict[str, Tensor]:
    """Every term of every stage's loss on a scene, with a label in the masks of absent raters."""
    return _losses(method, scene, lambda slices: _marked(slices, label), lambda batch: _marked(batch, label))


def losses_with_void(method: Method[Any], scene: Scene, label: int) -> dict[str, Tensor]:
    """Every term of every stage's loss on a scene whose slices are void above their middle, with a label there."""

    def void(batch: Batch) -> Batch:
        valid = batch.valid.clone()
        valid[:, : valid.shape[1] // 2] = False
        return replace(batch, valid=valid, masks=batch.masks.masked_fill(~valid[:, None], label), void=True)

    return _losses(method, scene, lambda slices: slices, void)


@torch.no_grad()
def _losses(
    method: Method[Any], scene: Scene, of_slices: Callable[[Slices], Slices], of_batch: Callable[[Batch], Batch]
) -> dict[str, Tensor]:
    method.eval()
    slices = slices_of(scene.cases, scene.training)
    found: dict[str, Tensor] = {}
    with torch.random.fork_rng(devices=[]):
        for number, stage in enumerate(method.stages()):
            used = stage.uses(slices.present.numpy()) if stage.uses is not None else slices.present.any(dim=1).numpy()
            chosen = of_slices(slices.select(used)).fused(stage.fuse)
            batch = chosen.batch(torch.arange(len(chosen)), CPU)
            torch.manual_seed(0)
            terms = stage.loss(of_batch(batch))
            found |= {f"{name!r} of stage {number}": value for name, value in terms.items()}
    return found


Masks = TypeVar("Masks", Slices, Batch)


def _marked(of: Masks, label: int) -> Masks:
    return replace(of, masks=of.masks.masked_fill(~of.present[:, :, None, None], label))
