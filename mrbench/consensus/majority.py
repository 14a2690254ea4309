"""Majority vote: what at least half of the raters marked."""

import numpy as np


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
