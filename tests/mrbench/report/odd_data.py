"""A small data set of three classes whose every name tries to break out of a page."""

import numpy as np

from mrbench import CaseSet, Config, DatasetCard, Description, Raters, hookimpl
from mrbench.configuration import option
from mrbench.data.caseset import ArrayPixels
from mrbench.data.description import Unit
from mrbench.data.splits import split_by_subject

MRBENCH_API = "2"
HOSTILE = "</script><script>window.hacked=1</script><!--<img src=x onerror=window.hacked=1>\u2028&'\"$x_1$"


class OddConfig(Config):
    depth: int = option(0, "slices of a volume; 0: the cases are slices", ge=0)


def load(config, folder):
    n, shape = 6, ((config.depth,) if config.depth else ()) + (11, 13)
    rng = np.random.default_rng(0)
    masks = np.zeros((n, 2, *shape), np.uint8)
    masks[..., 3:8, 2:9] = 1
    masks[:, 1, ..., 5:7, 4:6] = 2
    if config.depth:
        masks[:, :, 0] = masks[:, :, -1] = 0
        masks[:, :, 2, 9, 9] = 1
    subjects = tuple(f"s{i}" for i in range(n))
    return CaseSet(
        description=Description(
            name="odd",
            version="1",
            classes=("background", f"rim {HOSTILE}", "core"),
            channels=("a", "b"),
            raters=Raters.IDENTIFIED,
            rater_names=(f"r0 {HOSTILE}", "r1"),
            unit=Unit.VOLUME if config.depth else Unit.SLICE,
            licence=HOSTILE,
            citation=HOSTILE,
        ),
        pixels=ArrayPixels(rng.normal(size=(n, 2, *shape)).astype(np.float32), masks),
        ids=tuple(f"case-{i} {HOSTILE}" for i in range(n)),
        subjects=subjects,
        present=np.ones((n, 2), bool),
        splits={"strict": split_by_subject(subjects, folds=2, seed=0)},
    )


@hookimpl
def mrbench_datasets():
    return [DatasetCard(name="odd", code="odd_data:load", config="odd_data:OddConfig", summary="odd")]
