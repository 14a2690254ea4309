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


def _square(index, rater, noise):
    # A square of a side that differs by rater and by the rater's noise.
    mask = np.zeros((16, 16), np.uint8)
    side = 5 + 3 * rater + int(noise.integers(0, 4))
    mask[2 : 2 + side, 2 : 2 + side] = 1
    return mask


def _asked_again(config, folder, redraw):
    # 24 subjects, whose stored masks are squares; ``redraw(index, rater, noise)`` is what is under check.
    noise = np.random.default_rng(0)
    masks = np.stack([[_square(index, rater, noise) for rater in range(2)] for index in range(24)])
    subjects = tuple(f"s{i}" for i in range(24))
    return replace(
        discs(config, folder),
        pixels=ArrayPixels(noise.random((24, 1, 16, 16), np.float32), masks),
        ids=tuple(f"case{i}" for i in range(24)),
        subjects=subjects,
        present=np.ones((24, 2), bool),
        splits={"strict": split_by_subject(subjects, folds=2, seed=0)},
        redraw=redraw,
    )


def asks_again(config, folder):
    return _asked_again(config, folder, _square)


def redraws_a_picture(config, folder):
    return _asked_again(config, folder, lambda *asked: _square(*asked).astype(np.float32))


def redraws_from_nothing(config, folder):
    return _asked_again(config, folder, lambda index, rater, noise: _square(index, rater, np.random.default_rng()))


def redraws_from_global_state(config, folder):
    return _asked_again(config, folder, lambda index, rater, noise: _square(index, rater, _Global()))


def redraws_what_is_stored(config, folder):
    cases = asks_again(config, folder)
    return replace(cases, redraw=lambda index, rater, noise: cases.pixels.masks(index)[rater])


def redraws_another_rater(config, folder):
    return _asked_again(config, folder, lambda index, rater, noise: _square(index, 1 - rater, noise))


def redraws_too_steadily(config, folder):
    return _asked_again(config, folder, lambda index, rater, noise: _square(index, rater, _Halved(noise)))


class _Global:
    """NumPy's global generator."""

    def integers(self, low, high):
        return np.random.randint(low, high)


class _Halved:
    """Noise of half the width."""

    def __init__(self, noise):
        self.noise = noise

    def integers(self, low, high):
        return self.noise.integers(low + 1, high - 1)
