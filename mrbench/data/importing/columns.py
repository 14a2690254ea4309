"""Raters as columns: the same names in most cases are people; names that do not recur are not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mrbench.data.container import MAX_RATERS
from mrbench.data.description import Raters
from mrbench.data.importing.files import CaseFiles
from mrbench.data.importing.listing import natural
from mrbench.errors import DataError

RECURRING = 0.5
"""Share of the cases that a rater has to be in, on average, for names to be those of people."""


@dataclass(frozen=True)
class Columns:
    """Who the columns of the masks are.

    Attributes:
        kind: identified or exchangeable.
        names: of the R columns.
        why: the kind is what it is, for people.
    """

    kind: Raters
    names: tuple[str, ...]
    why: str

    def of(self, case: CaseFiles) -> Iterator[tuple[int, str]]:
        """Column and rater of each mask of a case."""
        if self.kind is Raters.EXCHANGEABLE:
            return enumerate(sorted(case.masks, key=natural))
        return ((column, name) for column, name in enumerate(self.names) if name in case.masks)


def understand_columns(cases: Sequence[CaseFiles], asked: Raters | None) -> Columns:
    """The columns of all cases.

    Args:
        cases: each with its masks by rater.
        asked: identified or exchangeable; None: identified where the same names recur in most cases.

    Raises:
        DataError: more raters than a container holds.
    """
    names = sorted({name for case in cases for name in case.masks}, key=natural)
    n = sum(len(case.masks) for case in cases)
    share = n / (len(names) * len(cases))
    kind = asked or (Raters.IDENTIFIED if share >= RECURRING else Raters.EXCHANGEABLE)
    most = max(len(case.masks) for case in cases)
    said = f"a rater's name stands in {share:.0%} of the cases on average"
    columns = names if kind is Raters.IDENTIFIED else [f"mask-{number + 1}" for number in range(most)]
    if len(columns) > MAX_RATERS:
        raise DataError(
            f"there are {len(columns)} raters", expected=f"at most {MAX_RATERS}", hint="--raters exchangeable"
        )
    return Columns(kind, tuple(columns), "as asked" if asked else said)
