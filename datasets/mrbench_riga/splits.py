"""Folds over all images, and the published division by collection."""

from collections.abc import Sequence

from mrbench.data.splits import Split, split_by_subject, split_with_test
from mrbench_riga.config import RigaConfig
from mrbench_riga.listing import COUNTS, collection_of

TEST = "Magrabia"


def make_splits(ids: Sequence[str], config: RigaConfig) -> dict[str, Split]:
    """``strict``: folds over all images, balanced in their collections. ``magrabia``: train on BinRushed and
    MESSIDOR, test on Magrabia.

    RIGA names no patients: every image is its own subject. Checkpoints of both are chosen on images taken from the
    training ones by a seed, never on the test collection as MRNet does.

    Args:
        ids: names of cases, their collection first.
        config: the options.

    Raises:
        DataError: fewer images than folds.
    """
    collections = list(COUNTS)
    strict = split_by_subject(
        ids,
        folds=config.folds,
        seed=config.split_seed,
        validation_share=config.validation_share,
        size=[collections.index(collection_of(name)) for name in ids],
    )
    published = split_with_test(
        ids,
        [collection_of(name) == TEST for name in ids],
        seed=config.split_seed,
        validation_share=config.validation_share,
        name="magrabia",
    )
    return {"strict": strict, "magrabia": published}
