"""The folds of the published benchmark, from the names of its slices alone.

Source: the released code of D-Persona and ProSeg. Since November 2025 D-Persona's folds keep studies together; before,
and in ProSeg's release, a comparison of upper with lower case lets the folds fall through to single slices.
"""

from collections.abc import Sequence

import numpy as np

from mrbench.data.splits import Fold, Split, split_by_subject
from mrbench.seeds import derive_noise
from mrbench_lidc.config import LidcConfig

SEED = 1337
FOLDS = 4

PATIENTS = {
    "218658642102832118810712329678": "LIDC-IDRI-0132",
    "314138616411061948052843767346": "LIDC-IDRI-0132",
    "124508094927772723365648607398": "LIDC-IDRI-0332",
    "299122687641741853427119259207": "LIDC-IDRI-0332",
    "202012743926377385386645171009": "LIDC-IDRI-0484",
    "292226263060859572730824828126": "LIDC-IDRI-0484",
}
"""The benchmark's studies that are not a patient's only one there: names of slices tell the study alone."""


def study_of(name: str) -> str:
    """The study in the name of a slice, ``<study>_slice<k>``: what stands before the first underline."""
    return name.partition("_")[0]


def subject_of(name: str) -> str:
    """The patient of a slice, where its study is known not to be the patient's only one, else the study."""
    return PATIENTS.get(study_of(name), study_of(name))


def strict(subjects: Sequence[str], config: LidcConfig) -> Split:
    """Folds by subject, as the options say."""
    return split_by_subject(
        subjects, folds=config.folds, seed=config.split_seed, validation_share=config.validation_share
    )


def published(names: Sequence[str], subjects: Sequence[str], config: LidcConfig) -> Split:
    """Four blocks of the shuffled studies: 54, 54, 53 and 53 of the benchmark's 214, 450, 375, 412 and 372 slices.

    The rule tests as released. Released training uses all other slices and takes its best epoch on the test fold; here
    an inner validation is drawn from the training subjects.

    Args:
        names: (N,) ``<study>_slice<k>``.
        subjects: (N,) the patient of each.
        config: seed and share of the inner validation.
    """
    studies = sorted({study_of(name) for name in names})
    np.random.RandomState(SEED).shuffle(studies)
    fold_of = {str(study): k for k, block in enumerate(np.array_split(studies, FOLDS)) for study in block}
    folds = np.array([fold_of[study_of(name)] for name in names])
    return _tested("published", folds, subjects, config)


def published_slice(subjects: Sequence[str], config: LidcConfig) -> Split:
    """Four blocks of the shuffled slices, in the order of the file: 403, 402, 402 and 402 of the benchmark's 1,609.

    Nearly every test slice has its study in the training part. Figures of the papers come from these folds.
    """
    order = list(range(len(subjects)))
    np.random.RandomState(SEED).shuffle(order)
    folds = np.empty(len(order), np.int64)
    for k, block in enumerate(np.array_split(order, FOLDS)):
        folds[block] = k
    return _tested("published-slice", folds, subjects, config)


def _tested(name: str, folds: np.ndarray, subjects: Sequence[str], config: LidcConfig) -> Split:
    return Split(name, tuple(_fold(name, k, folds != k, subjects, config) for k in range(FOLDS)))


def _fold(name: str, k: int, learned: np.ndarray, subjects: Sequence[str], config: LidcConfig) -> Fold:
    training = sorted({subject for subject, learns in zip(subjects, learned, strict=True) if learns})
    order = derive_noise("lidc", name, k, config.split_seed).permutation(len(training))
    n = min(max(1, round(config.validation_share * len(training))), len(training) - 1)
    chosen = {training[i] for i in order[:n]}
    validates = learned & np.array([subject in chosen for subject in subjects])
    return Fold(*(np.flatnonzero(part) for part in (learned & ~validates, validates, ~learned)))
