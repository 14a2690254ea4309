"""A metric: additive statistics per case and a finaliser per data set."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.scoring_protocol import ScoringProtocol


class Key(NamedTuple):
    """Where a value belongs: a foreground class, and a rater where the metric tells them apart."""

    label: int
    rater: int | None = None


class Metric(ABC):
    """Scores one trial of one case from its tables; the harness reduces, the metric never does."""

    @abstractmethod
    def statistics(self, tables: CaseTables, protocol: ScoringProtocol) -> Mapping[Key, np.ndarray]:
        """Additive statistics, one vector per key; a key that does not apply is left out.

        A metric that is a mean of case values gives vectors of length 1 and inherits :meth:`finalise`.
        """

    def applies(self, tables: CaseTables, key: Key) -> bool:
        """Should this case have a value at this key, if the method gives what the metric needs?

        A value that does not cover every case and key to which the metric applies is shown with its count and is never
        the best. Override it where a case may have no value by the metric's own definition, whatever was predicted.

        Args:
            key: a class of the case; with a rater who looked at it where the metric tells raters apart.
        """
        return len(tables.truth_rows) > 0

    pooled = False
    """True where the value of a data set is not a mean of case values: statistics are summed over the cases first."""

    def finalise(self, total: np.ndarray) -> float:
        """The value of a statistics vector (of one case, or summed over cases where ``pooled``)."""
        return float(total[0])
