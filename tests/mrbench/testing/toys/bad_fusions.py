"""A vote that is right, and what makes it wrong."""

import numpy as np

from mrbench import Draw, DrawKind, Fusion, Trial
from mrbench.interfaces.draw import one_hot


class Vote(Fusion):
    """Foreground where at least half of those present mark it; samples are single raters."""

    def fuse(self, masks, present, n, noise):
        if present.any():
            yield Trial(present, self.draws(masks, present, n, noise))

    def draws(self, masks, present, n, noise):
        classes = self.description.n_classes
        chosen = noise.choice(np.flatnonzero(present), size=n)
        samples = [Draw(DrawKind.SAMPLE, one_hot(masks[rater], classes)) for rater in chosen]
        return [*samples, Draw(DrawKind.CONSENSUS, one_hot(self.vote(masks, present), classes))]

    def vote(self, masks, present):
        return (2 * (masks[present] > 0).sum(0) >= present.sum()).astype(np.uint8)


class FailsOn(Vote):
    def draws(self, masks, present, n, noise):
        made = super().draws(masks, present, n, noise)
        return made[:-2] if self.description.name == f"synthetic-{self.config.fault}" else made


class ReadsAbsent(Vote):
    def vote(self, masks, present):
        return (masks.sum(0) >= 1).astype(np.uint8)


class Writes(Vote):
    def fuse(self, masks, present, n, noise):
        masks[masks > 1] = 1
        present |= True
        yield from super().fuse(masks, present, n, noise)


class NeedsToWrite(Vote):
    def fuse(self, masks, present, n, noise):
        masks[:] = masks
        yield from super().fuse(masks, present, n, noise)


class Everybody(Vote):
    def fuse(self, masks, present, n, noise):
        yield Trial(np.ones_like(present), self.draws(masks, present, n, noise))


class GlobalNoise(Vote):
    def draws(self, masks, present, n, noise):
        return super().draws(masks, present, n, np.random.default_rng(np.random.get_state()[1][0]))


class Remembers(Vote):
    kept: list = []  # noqa: RUF012

    def draws(self, masks, present, n, noise):
        made = super().draws(masks, present, n, noise)
        self.kept.append(made)
        return made


class Blind(Vote):
    """Right in itself; its record does not say that it sees test masks."""
