"""Discs that are right, and what makes them wrong."""

import pickle
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrbench import CaseSet, Description, Raters
from mrbench.data.caseset import ArrayPixels
from mrbench.data.splits import Fold, Split, split_by_subject
from mrbench.errors import DataAbsentError


def discs(config, folder, noise=None):
    subjects = tuple(f"s{i // 2}" for i in range(12))
    images = (noise or np.random.default_rng(0)).random((12, 1, 16, 16), np.float32)
    masks = np.zeros((12, 2, 16, 16), np.uint8)
    masks[:, 0, 4:9, 4:9] = masks[:, 1, 4:9, 3:9] = 1
    return CaseSet(
        description=Description(
            name="discs", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED,
            rater_names=("a", "b"),
        ),
        pixels=ArrayPixels(images, masks),
        ids=tuple(f"case{i}" for i in range(12)),
        subjects=subjects,
        present=np.ones((12, 2), bool),
        splits={"strict": split_by_subject(subjects, folds=2, seed=0)},
    )  # fmt: skip


def not_finite(config, folder):
    cases = discs(config, folder)
    cases.pixels.images[3, 0, 5, 5] = np.nan
    return cases


def new_every_time(config, folder):
    return discs(config, folder, np.random.default_rng())


def from_global_state(config, folder):
    return discs(config, folder, np.random.default_rng(np.random.get_state()[1][0]))


def no_split(config, folder):
    return replace(discs(config, folder), splits={})


def leaky_split(config, folder):
    fold = Fold(np.arange(0, 5), np.arange(6, 8), np.array([5, 8, 9, 10, 11]))
    return replace(discs(config, folder), splits={"strict": Split("strict", (fold, fold))})


def one_fold(config, folder):
    cases = discs(config, folder)
    return replace(cases, splits={"strict": Split("strict", cases.splits["strict"].folds[:1])})


def lists(config, folder):
    cases = discs(config, folder)
    return replace(cases, description=replace(cases.description, classes=["no", "yes"]))


def seeds_globally(config, folder):
    np.random.seed(0)
    return discs(config, folder)


def writes(config, folder):
    Path("cache.txt").write_text("here")
    return discs(config, folder)


def unpickles(config, folder):
    pickle.loads(pickle.dumps(OrderedDict(a=1)))
    return discs(config, folder)


def absent(config, folder):
    raise DataAbsentError("data set 'absent' is not there", hint="ask for it")


def takes_nothing():
    return discs(None, None)


def gives_nothing(config, folder):
    discs(config, folder)
