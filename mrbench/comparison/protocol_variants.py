"""The variants between ``strict`` and ``published``, one at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from mrbench.metrics.protocol import PUBLISHED, STRICT, ScoringProtocol

REDUCTION = frozenset({"by_subject", "ddof"})
"""Fields that act on the scores of cases, never on the scoring of a case."""


@dataclass(frozen=True)
class Variant:
    """One way to turn the same predictions into other numbers.

    Attributes:
        name: the column.
        what: it changes, in words.
        protocol: ``strict`` but for this variant.
        samples: score the first n samples; None: all.
        spread: it shifts the spread over folds, not the mean.
    """

    name: str
    what: str
    protocol: ScoringProtocol
    samples: int | None = None
    spread: bool = False

    @property
    def keeps_cases(self) -> bool:
        """Are the scores of the cases those of ``strict``?"""
        changed = {f.name for f in fields(STRICT) if getattr(self.protocol, f.name) != getattr(STRICT, f.name)}
        return self.samples is None and changed - {"name"} <= REDUCTION


def _variant(name: str, what: str, *changed: str, spread: bool = False) -> Variant:
    values = {field: getattr(PUBLISHED, field) for field in changed}
    return Variant(name, what, replace(STRICT, name=f"strict with {name}", **values), spread=spread)


VARIANTS = (
    _variant("empty", "IoU of two empty masks 0, 1e-8 added as released", "empty_iou", "epsilon"),
    _variant("soft", "soft Dice of the mean probability, not of votes", "soft"),
    _variant("matching", "per-rater Dice of the best assignment, not of the rater's own prediction", "rater"),
    _variant("reduction", "mean over cases, not over subjects", "by_subject"),
    _variant("spread", "spread over folds with ddof 0, not 1: the change of the sd", "ddof", spread=True),
)
"""Each turns one question of the protocol from ``strict`` to ``published``."""

ALL = Variant("published", "all of these together", PUBLISHED)


def variants(samples: Sequence[int] = ()) -> tuple[Variant, ...]:
    """All variants; those of the sample count last."""
    budgets = [Variant(f"S={n}", f"the first {n} samples", STRICT, samples=n) for n in samples]
    return (*VARIANTS, ALL, *budgets)
