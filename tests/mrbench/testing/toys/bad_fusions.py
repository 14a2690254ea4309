"""A vote that is right, and what makes it wrong."""

from dataclasses import replace

import numpy as np

from mrbench import Trial


def vote(masks, present, n, noise):
    """Foreground where at least half of those present mark it; samples are single raters."""
    return Trial(consensus=_half(masks, present), samples=masks[noise.choice(np.flatnonzero(present), size=n)])


def _half(masks, present):
    return (2 * (masks[present] > 0).sum(0) >= present.sum()).astype(np.uint8)


def fails_on(masks, present, n, noise, config, description):
    trial = vote(masks, present, n, noise)
    return replace(trial, samples=None) if description.name == f"synthetic-{config.fault}" else trial


def reads_absent(masks, present, n, noise):
    return replace(vote(masks, present, n, noise), consensus=(masks.sum(0) >= 1).astype(np.uint8))


def writes(masks, present, n, noise):
    masks[0] = 1
    return vote(masks, present, n, noise)


def everybody(masks, present, n, noise):
    return replace(vote(masks, present, n, noise), truth=np.ones_like(present))


def global_noise(masks, present, n, noise):
    noise.random()
    return vote(masks, present, n, np.random.default_rng(np.random.get_state()[1][0]))


KEPT = []


def remembers(masks, present, n, noise):
    trial = vote(masks, present, n, noise)
    KEPT.append((trial, np.array(trial.samples)))
    return trial


def undeclared(masks, present, n, noise):
    return replace(vote(masks, present, n, noise), raters={0: masks[0]})


def other_arguments(masks, present):
    return Trial(consensus=_half(masks, present))
