"""Testing on another data set than the one that is trained on: which cases, and whether the two go together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.cards import Capability, MethodCard
from mrbench.data.caseset import CaseSet
from mrbench.data.description import Description
from mrbench.data.imported import find_dataset
from mrbench.data.splits import Fold
from mrbench.digests import digest_json
from mrbench.engine.cell import ALL_CASES, CellSpec, DataChoice
from mrbench.errors import UnknownNameError, UsageError
from mrbench.registry import Plugin, Registry

ALIKE = ("classes", "channels", "normalisation")
"""What must be the same for a network to mean the same on both."""


@dataclass(frozen=True, eq=False)
class OtherData:
    """The data set that all cells of a run are tested on."""

    choice: DataChoice
    cases: CaseSet


def named(text: str, registry: Registry, data: Path) -> tuple[Plugin[Any], str]:
    """The data set and the split that ``DATASET[:SPLIT]`` names; no split: all cases.

    Raises:
        UnknownNameError: no such data set; names the nearest.
        UsageError: several distributions provide it.
    """
    try:
        return find_dataset(text, registry, data), ALL_CASES
    except UnknownNameError:
        name, colon, split = text.rpartition(":")
        if not colon:
            raise
    return find_dataset(name, registry, data), split


def chosen(
    plugin: Plugin[Any], options: Mapping[str, Any], changed: Mapping[str, Any], cases: CaseSet, split: str
) -> OtherData:
    """A data set as what cells are tested on.

    Raises:
        UnknownNameError: it has no such split.
    """
    choice = DataChoice(
        dataset=plugin.key,
        dataset_options=options,
        dataset_changed=changed,
        data_digest=cases.digest,
        split=split,
        split_digest=split_digest(cases, split),
    )
    return OtherData(choice, cases)


def split_digest(cases: CaseSet, split: str) -> str:
    """Of the lists of a split, or of all cases."""
    return digest_json(list(cases.ids)) if split == ALL_CASES else cases.split(split).digest(cases.ids)


def tested_indices(spec: CellSpec, cases: CaseSet) -> np.ndarray:
    """``(n,)`` the cases that a cell is tested on: of the fold of its number, or of a split's only one.

    Args:
        cases: of the data set that it is tested on.

    Raises:
        UsageError: the split has no such fold.
    """
    split = spec.tested.split
    return _indices(cases, split, spec.fold)[: spec.limit]


def _indices(cases: CaseSet, split: str, fold: int) -> np.ndarray:
    if split == ALL_CASES:
        return np.arange(len(cases))
    folds = cases.split(split).folds
    if len(folds) > 1 and fold >= len(folds):
        raise UsageError(
            f"split {split!r} of data set {cases.description.name!r} has no fold {fold} to test on",
            expected=f"--fold 0..{len(folds) - 1}, or a split of one fold",
            hint="--test-on NAME without a split tests on all its cases",
        )
    return folds[0 if len(folds) == 1 else fold].test


def check_together(specs: Sequence[CellSpec], cases: CaseSet, other: OtherData) -> None:
    """Refuses cells that cannot be tested on other data.

    Args:
        specs: of cells that are trained on ``cases``.

    Raises:
        UsageError: images or classes of another kind, or subjects of one name in both.
    """
    _check_alike(cases.description, other.cases.description)
    for fold in {spec.fold: spec for spec in specs}.values():
        _check_apart(fold, cases, other.cases)


def _check_alike(trained: Description, tested: Description) -> None:
    for name in ALIKE:
        own, other = getattr(trained, name), getattr(tested, name)
        if own != other:
            raise UsageError(
                f"what is trained on data set {trained.name!r} cannot be tested on {tested.name!r}: {name} differ",
                expected=_listed(own),
                found=_listed(other),
                hint=f"mrbench data info {tested.name}",
            )


def _listed(value: Any) -> str:
    return value if isinstance(value, str) else f"{len(value)}: {', '.join(value)}"


def unlike_raters(card: MethodCard, trained: Description, tested: Description) -> list[str]:
    """Why a method that predicts raters cannot be tested on others; empty where it can."""
    same = trained.rater_names == tested.rater_names and trained.raters == tested.raters
    if same or card.kind == "fusion" or Capability.PERSONAL not in card.capabilities:
        return []
    sides = [f"{one.name!r} has {', '.join(one.rater_names)} ({one.raters})" for one in (trained, tested)]
    return [f"predicts the raters it was trained with, and they are others: {'; '.join(sides)}"]


def shared_subjects(cases: CaseSet, fold: Fold, other: CaseSet, test: np.ndarray) -> list[str]:
    """Subjects that are learnt from and tested on, by name, sorted.

    Args:
        cases: trained on; ``fold``: of them.
        other: tested on; ``test``: ``(n,)`` indices of them.
    """
    learnt = {cases.subjects[i] for part in (fold.train, fold.validation) for i in part}
    return sorted(learnt & {other.subjects[i] for i in test})


def _check_apart(spec: CellSpec, cases: CaseSet, other: CaseSet) -> None:
    # A split that may leak says so by its name; the record then has the subjects.
    split = cases.split(spec.split)
    shared = shared_subjects(cases, split.folds[spec.fold], other, tested_indices(spec, other))
    if shared and not split.may_leak:
        raise UsageError(
            f"fold {spec.fold} of data set {spec.dataset!r} trains on subjects that {spec.tested.dataset!r} tests on",
            expected="different subjects, under different names",
            found=f"{len(shared)} in both: {', '.join(shared[:3])}{', ...' * (len(shared) > 3)}",
            hint="where they are other people, import one of the data sets with names of its own",
        )
