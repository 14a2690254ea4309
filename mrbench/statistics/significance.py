"""What a test found, or why it could not be made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Significance:
    """The outcome of one two-sided test.

    Attributes:
        p: never 0; None where the test cannot be made.
        n: units that can disagree: subjects or folds.
        statistic: of the test.
        least: no data of so many units can give a smaller p.
        how: the distribution under the null hypothesis was found.
        reason: why there is no p.
    """

    p: float | None
    n: int
    statistic: float | None = None
    least: float = 0.0
    how: str = ""
    reason: str = ""


def refused(reason: str, n: int) -> Significance:
    """No test, and why."""
    return Significance(None, n, reason=reason)
