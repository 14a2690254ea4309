"""The published rules, from the names of the cases alone."""

import re
from collections.abc import Sequence

import numpy as np

from mrbench.data.splits import Fold, Split
from mrbench.errors import DataError
from mrbench.seeds import derive_noise
from mrbench_npc.config import NpcConfig

TRAINING, VALIDATION, SLICES = "training", "validation", "training_2d"
COUNTS = {TRAINING: 100, VALIDATION: 20}
"""Cases that the challenge released."""

_PROSEG_VALIDATION = range(80, 100)


def number_of(stem: str) -> int:
    """The number at the end of a file's stem: 7 for ``Sample_7``.

    Raises:
        DataError: there is none.
    """
    found = re.search(r"(\d{1,9})$", stem)
    if found is None:
        raise DataError(f"case {stem!r} of data set 'npc' has no number", expected="a name like Sample_7")
    return int(found[1])


def case_name(part: str, stem: str) -> str:
    """The name of a case, and of a volume's subject: both parts of the challenge count from the same number."""
    return f"{part}-{stem}"


def make_splits(ids: Sequence[str], subjects: Sequence[str], config: NpcConfig) -> dict[str, Split]:
    """Splits ``80-20-20`` and ``100-20``, one fold each, and ``strict``, which is the one that the options name.

    Every rule tests on the challenge's validation cases. Whole volumes are divided; where there are slices of
    ``training_2d``, those of the subjects who train take the place of their volumes. The challenge's folder as it is
    would train on slices of the volumes that validate.

    Args:
        ids: names of :func:`case_name`.
        subjects: of each; of a slice the name of its volume.
        config: the options.

    Raises:
        DataError: the counts are not those of the published rules, and ``partial`` is not set.
    """
    training = [i for i, name in enumerate(ids) if name.startswith(f"{TRAINING}-")]
    test = [i for i, name in enumerate(ids) if name.startswith(f"{VALIDATION}-")]
    _check_counts(len(training), len(test), config)
    chosen = {
        "80-20-20": _by_number(ids, training, config),
        "100-20": _by_seed(ids, training, config),
    }
    trained = [i for i, name in enumerate(ids) if name.startswith(f"{SLICES}-")] or training
    splits = {name: _one_fold(name, trained, chosen[name], test, subjects) for name in chosen}
    return {"strict": Split("strict", splits[config.split].folds)} | splits


def _check_counts(training: int, test: int, config: NpcConfig) -> None:
    complete = (training, test) == (COUNTS[TRAINING], COUNTS[VALIDATION])
    if not complete and not (config.partial and training >= 2 and test >= 1):
        raise DataError(
            "data set 'npc' is not complete",
            expected="at least 2 training and 1 validation cases"
            if config.partial
            else "100 training and 20 validation cases, which the published rules need",
            found=f"{training} training and {test} validation cases",
            hint="download all files, or take what there is with the option partial=true",
        )


def _by_number(ids: Sequence[str], training: list[int], config: NpcConfig) -> set[int]:
    if config.partial:
        ordered = sorted(training, key=lambda i: number_of(ids[i]))
        return set(ordered[-max(1, len(training) // 5) :])
    chosen = {i for i in training if number_of(ids[i]) in _PROSEG_VALIDATION}
    if len(chosen) != len(_PROSEG_VALIDATION):
        raise DataError(
            "data set 'npc' is not numbered as the published rule needs",
            expected="training cases numbered 80 to 99",
            found=f"{len(chosen)} of them",
            hint="keep the challenge's file names, or set partial=true",
        )
    return chosen


def _by_seed(ids: Sequence[str], training: list[int], config: NpcConfig) -> set[int]:
    ordered = sorted(training, key=lambda i: number_of(ids[i]))
    n = min(max(1, round(config.validation_share * len(ordered))), len(ordered) - 1)
    order = derive_noise("npc", "100-20", config.split_seed).permutation(len(ordered))
    return {ordered[i] for i in order[:n]}


def _one_fold(name: str, trained: list[int], validation: set[int], test: list[int], subjects: Sequence[str]) -> Split:
    kept = {subjects[i] for i in validation}
    lists = ([i for i in trained if subjects[i] not in kept], sorted(validation), test)
    return Split(name, (Fold(*(np.array(part, np.int64) for part in lists)),))
