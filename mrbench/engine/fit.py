"""The one training loop: it runs the stages of any method, keeps the best weights and resumes after an interruption.

All randomness of an epoch (order, augmentation, latent draws, absent raters) is a function of (seed, stage, epoch), so
that a checkpoint at an epoch's end needs no generator's state; one within an epoch, where a training was asked to end,
holds it. A resumed training is bit-identical on a CPU at the same thread count.
"""

import csv
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from mrbench.engine.augmentation import augment
from mrbench.engine.checkpoints import load_checkpoints, save_checkpoint, set_aside
from mrbench.engine.conditions import Precision
from mrbench.engine.owned import check_owned
from mrbench.engine.slices import AnySlices
from mrbench.engine.sparsity import thinned
from mrbench.engine.terms import check_terms, check_trainable, objective
from mrbench.errors import DivergedError, NotApplicableError, PluginError
from mrbench.files import replaced
from mrbench.interfaces.method import Batch, Method, Stage
from mrbench.interfaces.schedule import share_of_rate
from mrbench.nn.convolutional import Convolutional, convolutions_in_bf16
from mrbench.places import of_function
from mrbench.seeds import derive_noise, derive_seed

CHECKPOINT_SECONDS = 20.0
"""A checkpoint is written at the first epoch's end after this time, and after the running step of a training that is
asked to end. One that is killed loses at most that time and an epoch."""

Report = Callable[[dict[str, Any]], None]


def _silent(event: dict[str, Any]) -> None:
    pass


@dataclass
class Curve:
    """Losses per epoch.

    Attributes:
        rows: stage, epoch, learning rate, seconds, then ``train/<term>`` and ``validation/<term>`` with their totals.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Writes a CSV with the union of all columns."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with replaced(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)


def never() -> bool:
    """A training that nobody asks to end."""
    return False


class _StoppedError(Exception):
    """The training was asked to end."""


@dataclass
class Part:
    """How far a training is in an epoch.

    Attributes:
        steps: that are done.
        seconds: that they took.
        sums: of the terms of their losses over the slices.
        generators: states of torch's generators after them, the CPU's first.
    """

    steps: int = 0
    seconds: float = 0.0
    sums: dict[str, Tensor] = field(default_factory=dict)
    generators: list[Tensor] = field(default_factory=list)


@dataclass
class Progress:
    """Where a training stands; with the method's weights, all that a checkpoint holds.

    Attributes:
        part: of the running epoch, as ``vars`` of a :class:`Part`; None at an epoch's end.
    """

    stage: int = 0
    epoch: int = 0
    part: dict[str, Any] | None = None
    optimiser: dict[str, Any] | None = None
    best_loss: float = math.inf
    best_epoch: int = -1
    best: dict[str, Tensor] | None = None
    curve: list[dict[str, Any]] = field(default_factory=list)


def fit(
    method: Method[Any],
    train: AnySlices,
    validation: AnySlices | None,
    *,
    seed: int,
    device: torch.device,
    raters_present: int | None = None,
    precision: Precision = "float32",
    folder: Path | None = None,
    report: Report = _silent,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    stop: Callable[[], bool] = never,
) -> Curve:
    """Trains a method in place.

    Args:
        method: moved to ``device`` and trained stage by stage.
        train, validation: slices; without validation slices the last weights are kept.
        seed: of this training; order, augmentation, latent draws and absent raters derive from it.
        raters_present: so many raters of each training image, drawn anew whenever a step has the image, are present;
            None: all who looked. In validation all are.
        precision: of the convolutions in training steps; weights and all else, validation too, are float32.
        folder: for checkpoints; a checkpoint found there is continued. None: none are written.
        report: called with an event per epoch and with an estimate after the first steps.
        stop: is the training to end? It is asked after each step.

    Raises:
        SystemExit: it was to end; a checkpoint is written.
        DivergedError: a loss or a gradient became non-finite; says where.
        PluginError: a loss that is not a mapping of names to scalars, or a stage that trains what is not the method's.
        NotApplicableError: another precision than float32, and no network of the method has a use for it.
    """
    method.to(device)
    if precision == "bf16":
        _check_convolutional(method)
    with _reproducible(device):
        progress = _restored(method, folder, device)
        stages = list(method.stages())
        if len({stage.name for stage in stages}) < len(stages):
            raise PluginError(f"{type(method).__name__} has two stages of one name", expected="unique names")
        seen = partial(SeenSlices, train, seed, raters_present)
        total = sum(stage.epochs * seen(stage).steps(0) for stage in stages)
        for number in range(progress.stage, len(stages)):
            progress.stage = number
            stage = stages[number]
            loop = _StageLoop(method, stage, seed, device, seen(stage), validation, total, stop)
            with convolutions_in_bf16(precision == "bf16"):
                loop.run(progress, folder, report, checkpoint_seconds)
            progress = Progress(stage=number + 1, curve=progress.curve)
    return Curve(progress.curve)


def _check_convolutional(method: Method[Any]) -> None:
    if not any(isinstance(module, Convolutional) for module in method.modules()):
        raise NotApplicableError(
            f"{type(method).__name__} cannot train in bf16: no network of its is made of mrbench.nn's",
            hint="--precision float32",
        )


@contextmanager
def _reproducible(device: torch.device) -> Iterator[None]:
    # Generators are given back as they were. On a CPU, sums that threads would otherwise add up in the order of their
    # arrival (the gradient of indexing, for one) are taken in a fixed order; uninitialised memory need not be filled.
    memory: Any = torch.utils.deterministic
    was, filled = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        if device.type == "cpu":
            memory.fill_uninitialized_memory = False
            torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(was)
            memory.fill_uninitialized_memory = filled


class SeenSlices:
    """What one stage sees of the training slices, epoch by epoch.

    Args:
        slices: all of them.
        seed, raters_present: those of :func:`fit`.
        stage: whose they are.
    """

    def __init__(self, slices: AnySlices, seed: int, raters_present: int | None, stage: Stage) -> None:
        self.slices, self.seed, self.raters_present, self.stage = slices, seed, raters_present, stage

    def in_epoch(self, epoch: int) -> AnySlices:
        """The slices, none where the raters that the stage needs are absent from all."""
        return self._whole if self.raters_present is None else self._seen(self._present(epoch))

    def steps(self, epoch: int) -> int:
        """Steps of an epoch."""
        return math.ceil(np.count_nonzero(_used(self._present(epoch), self.stage)) / self.stage.batch_size)

    @cached_property
    def _whole(self) -> AnySlices:
        return self._seen(self.slices.present)

    def _seen(self, present: Tensor) -> AnySlices:
        return _seen(replace(self.slices, present=present), self.stage)

    def _present(self, epoch: int) -> Tensor:
        # An epoch has each image in one step, so that a draw per epoch is a draw per step.
        if self.raters_present is None:
            return self.slices.present
        noise = derive_noise(self.seed, self.stage.name, epoch, "present")
        return torch.from_numpy(thinned(self.slices.present.numpy(), self.raters_present, noise))


class _StageLoop:
    """One stage: its optimiser, its slices and its epochs."""

    def __init__(
        self,
        method: Method[Any],
        stage: Stage,
        seed: int,
        device: torch.device,
        train: SeenSlices,
        validation: AnySlices | None,
        total_steps: int,
        stop: Callable[[], bool],
    ) -> None:
        self.method, self.stage, self.seed, self.device = method, stage, seed, device
        self.total_steps, self.train, self.stop = total_steps, train, stop
        chosen = _seen(validation, stage) if validation is not None else None
        self.validation = chosen if chosen is not None and len(chosen) else None
        if not any(train.steps(epoch) for epoch in range(max(stage.epochs, 1))):
            raise PluginError(f"stage {stage.name!r} has no training slices: its raters looked at none of them")
        self.groups = [
            {"params": list(g.parameters), "lr": g.learning_rate, "weight_decay": g.weight_decay} for g in stage.groups
        ]
        self.optimiser = torch.optim.Adam(self.groups)
        self.parameters = [parameter for group in self.groups for parameter in group["params"]]  # type: ignore[attr-defined]
        check_owned(method, stage, self.parameters)

    def run(self, progress: Progress, folder: Path | None, report: Report, checkpoint_seconds: float) -> None:
        if progress.optimiser is not None:
            self.optimiser.load_state_dict(progress.optimiser)
        self._freeze()
        saved = time.monotonic()
        while progress.epoch < self.stage.epochs and not self._has_stalled(progress):
            train = self.train.in_epoch(progress.epoch)
            if len(train) == 0:  # passed over: no epoch of the curve, and none that patience counts
                progress.epoch, progress.best_epoch = progress.epoch + 1, progress.best_epoch + 1
                continue
            part = Part(**(progress.part or {}))
            try:
                row = self._epoch(progress.epoch, train, report, part)
            except _StoppedError:
                part.generators = _generators(self.device)
                progress.part = vars(part)
                self._leave(progress, folder)
            progress.curve.append(row)
            self._keep_best(progress, row)
            progress.epoch, progress.part = progress.epoch + 1, None
            report({"event": "epoch", "epochs": self.stage.epochs, **row})
            if self.stop():
                self._leave(progress, folder)
            if folder is not None and time.monotonic() - saved >= checkpoint_seconds:
                self._save(progress, folder)
                saved = time.monotonic()
        if progress.best is not None:
            self.method.load_state_dict(progress.best)
        self._set_mode(training=False)

    def _leave(self, progress: Progress, folder: Path | None) -> NoReturn:
        if folder is not None:
            self._save(progress, folder)
        raise SystemExit(1)

    def _save(self, progress: Progress, folder: Path) -> None:
        progress.optimiser = self.optimiser.state_dict()
        _save(self.method, progress, folder)

    def _freeze(self) -> None:
        trained = {id(parameter) for parameter in self.parameters}
        for parameter in self.method.parameters():
            parameter.requires_grad_(id(parameter) in trained)

    def _set_mode(self, training: bool) -> None:
        self.method.eval()
        if training:
            for module in self.stage.modules:
                module.train()

    def _has_stalled(self, progress: Progress) -> bool:
        patience = self.stage.patience
        return patience is not None and self.validation is not None and progress.epoch - progress.best_epoch > patience

    def _epoch(self, epoch: int, train: AnySlices, report: Report, part: Part) -> dict[str, Any]:
        start = time.perf_counter() - part.seconds
        rate = self._set_learning_rate(epoch)
        torch.manual_seed(derive_seed(self.seed, self.stage.name, epoch))
        terms = self._training_terms(epoch, train, report, part)
        row: dict[str, Any] = {"stage": self.stage.name, "epoch": epoch, "learning_rate": rate}
        row |= {f"train/{name}": value for name, value in terms.items()}
        if self.validation is not None:
            row |= {f"validation/{name}": value for name, value in self._validation_terms().items()}
        return row | {"seconds": time.perf_counter() - start}

    def _set_learning_rate(self, epoch: int) -> float:
        share = share_of_rate(self.stage.schedule, epoch, self.stage.epochs)
        for group, declared in zip(self.optimiser.param_groups, self.stage.groups, strict=True):
            group["lr"] = declared.learning_rate * share
        return float(self.optimiser.param_groups[0]["lr"])

    def _training_terms(self, epoch: int, train: AnySlices, report: Report, part: Part) -> dict[str, float]:
        self._set_mode(training=True)
        allowed = self.method.description.augmentation
        sums = part.sums
        start = time.perf_counter() - part.seconds
        steps = torch.randperm(len(train)).split(self.stage.batch_size)  # type: ignore[no-untyped-call]
        _set_generators(self.device, part.generators)
        for step, indices in enumerate(steps[part.steps :], part.steps):
            batch = augment(train.batch(indices, self.device), allowed)
            batch = replace(batch, progress=(epoch + step / len(steps)) / self.stage.epochs)
            terms = self._step(batch, f"epoch {epoch}, step {step}")
            for name, value in terms.items():
                sums[name] = sums.get(name, torch.zeros((), device=self.device)) + value * len(indices)
            if epoch == 0 and step == min(3, len(steps) - 1):
                seconds = (time.perf_counter() - start) / (step + 1)
                report({"event": "estimate", "seconds": seconds * self.total_steps})
            part.steps, part.seconds = step + 1, time.perf_counter() - start
            self._check_goes_on()
        return self._means(sums, len(train))

    def _check_goes_on(self) -> None:
        if self.stop():
            raise _StoppedError

    def _step(self, batch: Batch, where: str) -> dict[str, Tensor]:
        terms = self._terms(batch, where)
        total = objective(terms)
        check_trainable(total, self.stage, type(self.method).__name__)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.get_total_norm([p.grad for p in self.parameters if p.grad is not None])
        if not math.isfinite(norm.item()):
            raise DivergedError(
                f"the gradient of stage {self.stage.name!r} became non-finite at {where}",
                found=_listed(terms),
                place=of_function(self.stage.loss),
            )
        self.optimiser.step()
        return {name: value.detach() for name, value in terms.items()} | {"total": total.detach()}

    def _terms(self, batch: Batch, where: str) -> Mapping[str, Tensor]:
        terms = self.stage.loss(batch)
        check_terms(terms, self.stage, type(self.method).__name__)
        if not all(math.isfinite(value.item()) for value in terms.values()):
            raise DivergedError(
                f"the loss of stage {self.stage.name!r} became non-finite at {where}",
                found=_listed(terms),
                place=of_function(self.stage.loss),
            )
        return terms

    def _validation_terms(self) -> dict[str, float]:
        assert self.validation is not None
        self._set_mode(training=False)
        torch.manual_seed(derive_seed(self.seed, self.stage.name, "validation"))
        sums: dict[str, Tensor] = {}
        # Weights are chosen by what predictions, which are float32, will be made of.
        with torch.no_grad(), convolutions_in_bf16(chosen=False):
            for indices in torch.arange(len(self.validation)).split(self.stage.batch_size):  # type: ignore[no-untyped-call]
                self._check_goes_on()
                terms = dict(self._terms(self.validation.batch(indices, self.device), "validation"))
                terms["total"] = objective(terms)
                for name, value in terms.items():
                    sums[name] = sums.get(name, torch.zeros((), device=self.device)) + value * len(indices)
        return self._means(sums, len(self.validation))

    @staticmethod
    def _means(sums: Mapping[str, Tensor], count: int) -> dict[str, float]:
        return {name: value.item() / count for name, value in sums.items()}

    def _keep_best(self, progress: Progress, row: Mapping[str, Any]) -> None:
        loss = row.get("validation/total")
        if loss is not None and loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = loss, progress.epoch
            progress.best = _weights(self.method) if self.stage.keep == "best" else None


def _used(present: Tensor, stage: Stage) -> np.ndarray:
    # (N,) bool
    rows = present.numpy()
    return np.asarray(stage.uses(rows) if stage.uses is not None else rows.any(axis=1), dtype=bool)


def _seen(slices: AnySlices, stage: Stage) -> AnySlices:
    keep = _used(slices.present, stage)
    return (slices if keep.all() else slices.select(keep)).fused(stage.fuse)


def _generators(device: torch.device) -> list[Tensor]:
    own = {"cuda": lambda: torch.cuda.get_rng_state(device), "mps": torch.mps.get_rng_state}.get(device.type)
    return [torch.get_rng_state(), *([own()] if own else [])]


def _set_generators(device: torch.device, states: Sequence[Tensor]) -> None:
    own: dict[str, Callable[[Tensor], None]] = {
        "cuda": lambda state: torch.cuda.set_rng_state(state, device),
        "mps": torch.mps.set_rng_state,
    }
    setters = [torch.set_rng_state, *([own[device.type]] if device.type in own else [])]
    for set_state, state in zip(setters, states, strict=False):  # none at an epoch's beginning
        set_state(state.cpu())  # a checkpoint is read onto the device


def _listed(terms: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} = {value.item():.4g}" for name, value in terms.items())


def _weights(method: Method[Any]) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in method.state_dict().items()}


def _save(method: Method[Any], progress: Progress, folder: Path) -> None:
    save_checkpoint(folder, (progress.stage, progress.epoch), {"weights": _weights(method), **vars(progress)})


def _restored(method: Method[Any], folder: Path | None, device: torch.device) -> Progress:
    for path, saved in load_checkpoints(folder, device) if folder is not None else ():
        try:
            method.load_state_dict(saved.pop("weights"))
            return Progress(**saved)
        except (RuntimeError, KeyError, TypeError, AttributeError) as error:
            set_aside(path, f"it is of other networks: {error}")
    return Progress()
