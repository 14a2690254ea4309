"""Which predictions there are of each case: the same for all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrbench.cards import GIVES
from mrbench.errors import DataError
from mrbench.metrics.protocol import MAX_PREDICTIONS


@dataclass(frozen=True)
class Form:
    """The predictions of one case.

    Attributes:
        samples: S, 0 where there are none.
        raters: ``(P,)`` the rater whom each rater prediction was made for, as a column.
        consensus: is there a consensus?
    """

    samples: int = 0
    raters: tuple[int, ...] = ()
    consensus: bool = False

    @property
    def count(self) -> int:
        """Predictions of all kinds."""
        return self.samples + len(self.raters) + self.consensus

    @property
    def gives(self) -> str:
        """The kinds of predictions, as a card has them."""
        there = {"samples": self.samples, "raters": self.raters, "consensus": self.consensus}
        return " ".join(word for word, given in there.items() if given)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What a method would have to declare in order to give these, sorted."""
        return tuple(sorted(GIVES[word].value for word in self.gives.split()))

    def words(self, names: Sequence[str]) -> str:
        """For messages; ``names`` are those of the raters' columns."""
        parts = [f"{self.samples} samples"] if self.samples else []
        parts += ["predictions for raters " + ", ".join(names[r] for r in self.raters)] if self.raters else []
        return " and ".join(parts + (["a consensus"] if self.consensus else [])) or "no predictions"


def common_form(cases: Iterable[str], form_of: Callable[[str], Form], names: Sequence[str], path: Path) -> Form:
    """The one form that all cases, at least one, have.

    Raises:
        DataError: a case without predictions or with too many, or two cases that differ; names them.
    """
    ids = iter(cases)
    first = next(ids)
    form = form_of(first)
    if form.count == 0:
        raise DataError(
            f"{path} has no predictions of case {first!r}", expected="samples, rater predictions or a consensus"
        )
    if form.count > MAX_PREDICTIONS:
        raise DataError(
            f"{path} has too many predictions of case {first!r}",
            expected=f"at most {MAX_PREDICTIONS}",
            found=f"{form.count}",
            hint="score a part of the samples",
        )
    for case in ids:
        if (other := form_of(case)) != form:
            raise DataError(
                f"{path} has other predictions of case {case!r} than of case {first!r}",
                expected=f"{form.words(names)}, as of case {first!r}",
                found=other.words(names),
                hint="score complete predictions: sample metrics at different S do not compare",
            )
    return form
