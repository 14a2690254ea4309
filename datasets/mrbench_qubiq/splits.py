"""Folds by subject, and the challenge's own division."""

from collections.abc import Sequence

from mrbench.data.splits import Split, split_by_subject, split_with_test
from mrbench_qubiq.config import QubiqConfig


def make_splits(ids: Sequence[str], config: QubiqConfig) -> dict[str, Split]:
    """``strict``: folds over all cases. ``training-validation``: the challenge's division, its validation cases tested.

    The challenge names no patients: every case is its own subject. Checkpoints of both are chosen on cases taken from
    the training ones by a seed.

    Args:
        ids: such as ``Training-case01``.
        config: the options.

    Raises:
        DataError: fewer cases than folds.
    """
    strict = split_by_subject(ids, folds=config.folds, seed=config.split_seed, validation_share=config.validation_share)
    challenge = split_with_test(
        ids,
        [name.startswith("Validation-") for name in ids],
        seed=config.split_seed,
        validation_share=config.validation_share,
        name="training-validation",
    )
    return {"strict": strict, "training-validation": challenge}
