"""Data sets with one fault each."""

import numpy as np

from mrbench import CaseSet, Config, Description, Raters
from mrbench.configuration import option
from mrbench.data.caseset import ArrayPixels
from mrbench.data.splits import Fold, Split, split_by_subject


class FaultConfig(Config):
    fault: str = option("none", "what is wrong")


class Unreadable(ArrayPixels):
    def image(self, index):
        if index == 5:
            raise OSError("a fault of the disk's")
        return super().image(index)


def faulty(config, folder):
    if config.fault == "raises":
        raise KeyError("a fault of the author's")
    if config.fault == "no-cases":
        return [1, 2]
    fault, n = config.fault, 0 if config.fault == "empty" else 12
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (n, 1, 16, 16)).astype(np.float32)
    masks = np.zeros((n, 2, 16, 16), np.uint8)
    masks[:, :, 4:9, 4:9] = 1
    masks[:, 1, 4:9, 9] = 1
    present = np.ones((n, 2), bool)
    if fault == "nan":
        images[3, 0, 5, 5] = np.nan
    if fault == "no-rater":
        present[2] = False
        masks[2] = 0
    if fault == "labels":
        masks[4, 0, 0, 0] = 7
    subjects = tuple(f"s{i // 2}" for i in range(n))
    description = Description(
        name="faulty", version="1", classes=("no",) if fault == "one-class" else ("no", "yes"), channels=("c",),
        raters=Raters.IDENTIFIED, rater_names=("a", "b"),
    )  # fmt: skip
    split = split_by_subject(subjects, folds=2, seed=0) if n else Split("strict", ())
    if fault == "leak":
        split = Split("strict", (Fold(np.arange(0, 5), np.arange(6, 8), np.array([5, 8, 9, 10, 11])),))
    return CaseSet(
        description=description,
        pixels=(Unreadable if fault == "unreadable" else ArrayPixels)(
            images,
            masks.astype(np.float32) if fault == "float-masks" else masks[..., :-1] if fault == "shape" else masks,
        ),
        ids=tuple(f"case{i}" for i in range(n)),
        subjects=subjects,
        present=present,
        splits={"strict": split},
    )
