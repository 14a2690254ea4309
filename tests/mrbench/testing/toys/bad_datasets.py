"""Discs that are right, and what makes them wrong."""

import pickle
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrbench import CaseSet, Dataset, Description, Raters
from mrbench.data.caseset import ArrayPixels
from mrbench.data.splits import Fold, Split, split_by_subject
from mrbench.errors import DataAbsentError


class Discs(Dataset):
    def load(self):
        subjects = tuple(f"s{i // 2}" for i in range(12))
        images = self.noise().random((12, 1, 16, 16), np.float32)
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

    def noise(self):
        return np.random.default_rng(0)


class NotFinite(Discs):
    def load(self):
        cases = super().load()
        cases.pixels.images[3, 0, 5, 5] = np.nan
        return cases


class NewEveryTime(Discs):
    def noise(self):
        return np.random.default_rng()


class FromGlobalState(Discs):
    def noise(self):
        return np.random.default_rng(np.random.get_state()[1][0])


class NoSplit(Discs):
    def load(self):
        return replace(super().load(), splits={})


class LeakySplit(Discs):
    def load(self):
        fold = Fold(np.arange(0, 5), np.arange(6, 8), np.array([5, 8, 9, 10, 11]))
        cases = super().load()
        return replace(cases, splits={"strict": Split("strict", (fold, fold))})


class OneFold(Discs):
    def load(self):
        cases = super().load()
        return replace(cases, splits={"strict": Split("strict", cases.splits["strict"].folds[:1])})


class Lists(Discs):
    def load(self):
        cases = super().load()
        return replace(cases, description=replace(cases.description, classes=["no", "yes"]))


class SeedsGlobally(Discs):
    def noise(self):
        np.random.seed(0)
        return super().noise()


class Writes(Discs):
    def load(self):
        Path("cache.txt").write_text("here")
        return super().load()


class Unpickles(Discs):
    def load(self):
        pickle.loads(pickle.dumps(OrderedDict(a=1)))
        return super().load()


class Absent(Discs):
    def load(self):
        raise DataAbsentError("data set 'absent' is not there", hint="ask for it")
