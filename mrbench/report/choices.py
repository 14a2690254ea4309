"""What may be chosen of a page."""

from dataclasses import dataclass

from mrbench.metrics.protocol import STRICT, ScoringProtocol

PARTS = ("ged_unbiased", "ged_pa", "ged_pp_unbiased", "ged_aa_unbiased")
"""The metrics that the figure of where ged_unbiased comes from is made of; without them there is none."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The options of ``mrbench report``.

    Attributes:
        metric: that cases are ordered by at first, and that stands in the table whatever it is.
        protocol: of all scores.
        cases: shown at most; None: 100 slices or 10 volumes.
        samples: of each method shown per case.
        fold: the one whose cases are shown; None: every fold.
    """

    metric: str = "ged"
    protocol: ScoringProtocol = STRICT
    cases: int | None = None
    samples: int = 6
    fold: int | None = None

    def count(self, *, volumes: bool) -> int:
        """Cases shown at most."""
        return self.cases or (10 if volumes else 100)
