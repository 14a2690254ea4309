"""A cell's training: the slices of its fold, seen by the raters that its conditions leave, and the loop over them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.data.caseset import CaseSet
from mrbench.data.splits import Fold
from mrbench.engine.cell import CellSpec
from mrbench.engine.fit import CHECKPOINT_SECONDS, Curve, Report, fit, never
from mrbench.engine.slices import training_slices
from mrbench.engine.sparsity import thinned_cases
from mrbench.seeds import derive_seed

if TYPE_CHECKING:
    import torch

    from mrbench.interfaces.method import Method


def train(
    method: "Method[Any]",
    spec: CellSpec,
    cases: CaseSet,
    fold: Fold,
    *,
    device: "torch.device",
    folder: Path,
    report: Report,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    stop: Callable[[], bool] = never,
) -> tuple[Curve, int]:
    """Trains a method in place as its cell says; its curve, and how many slices it was trained on.

    Args:
        cases, fold: those of the cell.
        device, folder, report, checkpoint_seconds, stop: those of :func:`mrbench.engine.fit.fit`, with its errors.
    """
    conditions = spec.conditions
    slices = training_slices(_annotated(spec, cases), fold.train)
    validation = training_slices(cases, fold.validation) if len(fold.validation) else None
    curve = fit(
        method,
        slices,
        validation,
        seed=derive_seed(spec.seed, spec.dataset, spec.fold, "training"),
        device=device,
        raters_present=conditions.raters_present if conditions.sparsity == "per_step" else None,
        precision=conditions.precision,
        folder=folder,
        report=report,
        checkpoint_seconds=checkpoint_seconds,
        stop=stop,
    )
    return curve, len(slices)


def _annotated(spec: CellSpec, cases: CaseSet) -> CaseSet:
    conditions = spec.conditions
    if conditions.raters_present is None or conditions.sparsity == "per_step":
        return cases
    # The seed knows no fold: a case keeps its raters in all of them.
    return thinned_cases(cases, conditions.raters_present, derive_seed(spec.seed, spec.dataset, "present"))
