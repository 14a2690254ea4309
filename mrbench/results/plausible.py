"""Predictions that no method makes: the raters' masks or a fusion of them, one sample drawn again, a constant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mrbench.engine.cases import CellFiles
from mrbench.engine.result import Result
from mrbench.errors import MrbenchError

if TYPE_CHECKING:
    from mrbench.interfaces.case_tables import CaseTables

OF_MASKS = "follows pixel by pixel from the raters' own masks: they, or a fusion of them"
IDENTICAL = "identical samples: one mask, given again and again"
CONSTANT = "constant: marks as much in every case"

DISAGREEMENT = 3
"""Kinds of pixels, by who marks them, from which on a case tells whether a prediction follows from the marks."""


@dataclass(frozen=True)
class _Seen:
    """What one set of predictions of a case looks like.

    Attributes:
        follows: is it the same at all pixels that the same raters mark? None where the case cannot tell.
        identical: are all of several samples the same? None where there is one.
        marked: pixels of each class, over all of the set.
    """

    follows: bool | None
    identical: bool | None
    marked: tuple[int, ...]


def doubts(results: Sequence[Result]) -> tuple[str, ...]:
    """What speaks against external predictions in a results folder, a phrase each; damaged ones say nothing here."""
    external = [one for one in results if one.finished and one.spec.kind == "external"]
    try:
        seen = [own for result in external for own in _seen(result)]
    except MrbenchError:
        return ()
    return tuple(_doubts(seen))


def _seen(result: Result) -> Iterator[list[_Seen]]:
    from mrbench.engine.predictions import read_tables

    if isinstance(result.files, CellFiles):
        for _, _, trials in read_tables(result.files.predictions()):
            yield from (_sets(tables) for tables in trials)


def _sets(tables: "CaseTables") -> list[_Seen]:
    """Of the samples (or the one consensus) and of the predictions for raters, those that are there."""
    both = ((tables.votes, len(tables.sample_rows), True), (tables.rater_votes, len(tables.rater_rows), False))
    classes = len(tables.intersection)
    return [_looked_at(votes, n, classes, drawn=drawn) for votes, n, drawn in both if n]


def _looked_at(votes: np.ndarray, n: int, classes: int, *, drawn: bool) -> _Seen:
    own = [votes[votes[:, 0] == label] for label in range(1, classes + 1)]
    telling = [rows for rows in own if len(np.unique(rows[:, 2])) >= DISAGREEMENT]
    return _Seen(
        follows=all(len(np.unique(rows[:, 2])) == len(rows) for rows in telling) if telling else None,
        identical=bool(np.isin(votes[:, 1], (0, n)).all()) if drawn and n > 1 else None,
        marked=tuple(int(rows[:, 1] @ rows[:, 3]) for rows in own),
    )


def _doubts(seen: Sequence[Sequence[_Seen]]) -> Iterator[str]:
    sets = list(zip(*seen, strict=False))
    if len(seen) > 1 and all(len({one.marked for one in own}) == 1 for own in sets):
        yield CONSTANT
        return  # what is constant follows from anything, and its samples are the same
    follow = [one.follows for own in sets for one in own if one.follows is not None]
    if follow and all(follow):
        yield OF_MASKS
    drawn = [one.identical for own in sets for one in own if one.identical is not None]
    if drawn and all(drawn):
        yield IDENTICAL
