"""A scoring protocol: what decides how counts become a number."""

from dataclasses import asdict, dataclass
from typing import Literal

from mrbench.digests import digest_json


@dataclass(frozen=True, kw_only=True)
class ScoringProtocol:
    """The switches between counts and a number.

    Attributes:
        name: the word used on the command line; not part of the digest.
        empty_iou: IoU of two empty masks; with 0 an empty mask is at distance 1 even of itself. Their Dice is 1.
        epsilon: added to both parts of Dice and to the denominator of IoU.
        soft: soft Dice thresholds the share of the samples that mark a pixel, or their mean probability.
        rater: per-rater Dice takes rater r's own prediction, or the one that the best assignment gives to rater r.
        by_subject: cases are averaged within their subject first.
        ddof: of the spread over folds.
    """

    name: str
    empty_iou: float = 1.0
    epsilon: float = 0.0
    soft: Literal["votes", "probability"] = "votes"
    rater: Literal["own", "matched"] = "own"
    by_subject: bool = True
    ddof: int = 1

    def digest(self) -> str:
        """Digest of the switches; two protocols that score alike share it whatever they are called."""
        return digest_json({switch: value for switch, value in asdict(self).items() if switch != "name"})
