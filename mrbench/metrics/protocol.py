"""Scoring protocols: how stored predictions become numbers. Switched at will, part of every number."""

from mrbench.interfaces.scoring_protocol import ScoringProtocol

__all__ = ["MAX_PREDICTIONS", "PROTOCOLS", "PUBLISHED", "STRICT", "ScoringProtocol"]

MAX_PREDICTIONS = 4096
"""Of a case: the intersections of all pairs of them are in memory at once."""


STRICT = ScoringProtocol(name="strict")
"""The default: every quantity as its equation says, subjects weighted alike."""

PUBLISHED = ScoringProtocol(
    name="published", empty_iou=0.0, epsilon=1e-8, soft="probability", rater="matched", by_subject=False, ddof=0
)
"""As the evaluation code released with D-Persona and ProSeg computes them."""

PROTOCOLS = {protocol.name: protocol for protocol in (STRICT, PUBLISHED)}
