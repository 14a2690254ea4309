"""Rows of agreement that no plugin has: an empty prediction, a vote of more than half, and a vote of the others."""

from collections.abc import Iterator

import numpy as np

from mrbench.cards import MethodCard
from mrbench.consensus import majority_vote
from mrbench.data.description import Description
from mrbench.interfaces.fusion import Trial


def empty(masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Trial:  # noqa: ARG001
    """Background everywhere, scored against every rater present: what marking nothing would get."""
    return Trial(consensus=np.zeros(masks.shape[1:], np.uint8))


def of_more_than_half(
    masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator, description: Description  # noqa: ARG001
) -> Trial:  # fmt: skip
    """The label that more than half of the raters present gave, background where there is none."""
    return Trial(consensus=more_than_half(masks[present], description.n_classes))


def vote_of_others(
    masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator, description: Description  # noqa: ARG001
) -> Iterator[Trial]:  # fmt: skip
    """The majority vote (at least half) of the other raters against each rater left out; one trial each.

    The one vote that does not see the mask it is scored on. No trial where fewer than two raters are present.
    """
    for rater in np.flatnonzero(present) if np.count_nonzero(present) > 1 else ():
        own = np.arange(present.size) == rater
        yield Trial(consensus=majority_vote(masks[present & ~own], description.n_classes), truth=own)


def more_than_half(masks: np.ndarray, classes: int) -> np.ndarray:
    """``(*spatial)`` uint8 labels that more than half of the masks ``(R, *spatial)`` have, 0 where none has."""
    winner = np.zeros(masks.shape[1:], np.uint8)
    for label in range(1, classes):
        winner[2 * np.count_nonzero(masks == label, axis=0) > len(masks)] = label
    return winner


def _card(name: str, summary: str) -> MethodCard:
    return MethodCard(name=name, code="", summary=summary, kind="fusion", gives="consensus")


BOUNDS = (
    (_card("vote-of-others", "at least half of the others, against the rater left out"), vote_of_others),
    (_card("more-than-half", "more than half of the raters present"), of_more_than_half),
    (_card("empty", "background everywhere"), empty),
)
"""Cards and fusions; they are rows of agreement alone, and no method that a run can name."""
