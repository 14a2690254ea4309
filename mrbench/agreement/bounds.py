"""Rows of agreement that no plugin has: an empty prediction, a vote of more than half, and a vote of the others."""

from collections.abc import Iterator

import numpy as np

from mrbench.cards import MethodCard
from mrbench.configuration import Config
from mrbench.consensus import majority_vote
from mrbench.interfaces.draw import Draw, DrawKind, one_hot
from mrbench.interfaces.fusion import Fusion, Trial


class Empty(Fusion[Config]):
    """Background everywhere, scored against every rater present: what marking nothing would get."""

    def fuse(self, masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:  # noqa: ARG002
        if present.any():
            yield Trial(present, [self.consensus(np.zeros(masks.shape[1:], np.uint8))])

    def consensus(self, labels: np.ndarray) -> Draw:
        """A draw of certainty in labels ``(*spatial)``."""
        return Draw(DrawKind.CONSENSUS, one_hot(labels, self.description.n_classes))


class MoreThanHalf(Empty):
    """The label that more than half of the raters present gave, background where there is none."""

    def fuse(self, masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:  # noqa: ARG002
        if present.any():
            yield Trial(present, [self.consensus(more_than_half(masks[present], self.description.n_classes))])


class VoteOfOthers(Empty):
    """The majority vote (at least half) of the other raters against each rater left out; one trial each.

    The one vote that does not see the mask it is scored on. No trial where fewer than two raters are present.
    """

    def fuse(self, masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:  # noqa: ARG002
        for rater in np.flatnonzero(present) if np.count_nonzero(present) > 1 else ():
            own = np.arange(present.size) == rater
            yield Trial(own, [self.consensus(majority_vote(masks[present & ~own], self.description.n_classes))])


def more_than_half(masks: np.ndarray, classes: int) -> np.ndarray:
    """``(*spatial)`` uint8 labels that more than half of the masks ``(R, *spatial)`` have, 0 where none has."""
    winner = np.zeros(masks.shape[1:], np.uint8)
    for label in range(1, classes):
        winner[2 * np.count_nonzero(masks == label, axis=0) > len(masks)] = label
    return winner


def _card(name: str, summary: str) -> MethodCard:
    return MethodCard(name=name, code="", summary=summary, kind="fusion", gives="consensus")


BOUNDS = (
    (_card("vote-of-others", "at least half of the others, against the rater left out"), VoteOfOthers),
    (_card("more-than-half", "more than half of the raters present"), MoreThanHalf),
    (_card("empty", "background everywhere"), Empty),
)
"""Cards and classes; they are rows of agreement alone, and no method that a run can name."""
