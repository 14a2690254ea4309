"""An interval of a value."""

from dataclasses import dataclass

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """Holds the expected value in a share of all repetitions.

    Attributes:
        low, high: its ends.
        level: that share.
    """

    low: float
    high: float
    level: float = LEVEL
