"""Majority vote: what at least half of the raters marked."""

from collections.abc import Iterator

import numpy as np

from mrbench.interfaces.draw import Draw, DrawKind, one_hot
from mrbench.interfaces.fusion import Fusion, Trial
from mrbench_consensus.config import NoOptions


def majority_vote(masks: np.ndarray, classes: int) -> np.ndarray:
    """The label that most raters gave to each pixel.

    With two classes: foreground where at least half of the raters marked it. With more: the foreground label with most
    votes, the lowest of them on a tie, unless the background has more votes than it. A tie with the background thus
    goes to the foreground for any number of classes. Two raters of whom one marks nothing: the other's mask.

    Args:
        masks: ``(R, *spatial)`` integers below K, R >= 1, raters who are present only.
        classes: K, background included.

    Returns:
        ``(*spatial)`` integers below K.
    """
    votes = np.stack([np.count_nonzero(masks == label, axis=0) for label in range(classes)])
    background, foreground = votes[0], votes[1:]
    return np.where(foreground.max(axis=0) >= background, 1 + foreground.argmax(axis=0), 0)


class MajorityVote(Fusion[NoOptions]):
    """One consensus, scored against every rater present; no trial where nobody is."""

    def fuse(self, masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:  # noqa: ARG002
        if present.any():
            classes = self.description.n_classes
            labels = majority_vote(masks[present], classes)
            yield Trial(present, [Draw(DrawKind.CONSENSUS, one_hot(labels, classes))])
