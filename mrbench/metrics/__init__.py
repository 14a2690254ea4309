"""Metrics of multi-rater segmentation, exact by integer counts; each function takes arrays, or tensors on any device.

>>> import numpy as np
>>> from mrbench.metrics import ged
>>> masks = np.zeros((2, 4, 4), bool)
>>> masks[:, 1:3, 1:3] = True
>>> ged(masks, masks)
0.0

Names are imported on first use, so that plugin records load without numpy.
"""

from importlib import import_module
from typing import Any

_EXPORTS = {
    "PROTOCOLS": "mrbench.metrics.protocol",
    "PUBLISHED": "mrbench.metrics.protocol",
    "STRICT": "mrbench.metrics.protocol",
    "CaseTables": "mrbench.interfaces.case_tables",
    "GedParts": "mrbench.metrics.distance",
    "MetricValue": "mrbench.metrics.scoring",
    "ScoreCollector": "mrbench.metrics.scores",
    "Scores": "mrbench.metrics.scores",
    "ScoringProtocol": "mrbench.interfaces.scoring_protocol",
    "Summary": "mrbench.metrics.scoring",
    "SurfaceDistances": "mrbench.metrics.surface",
    "TableBuilder": "mrbench.metrics.tables",
    "assd": "mrbench.metrics.surface",
    "auroc_disagreement": "mrbench.metrics.disagreement",
    "brier": "mrbench.metrics.reliability",
    "brier_rater": "mrbench.metrics.reliability",
    "brier_share": "mrbench.metrics.reliability",
    "crps_area": "mrbench.metrics.area",
    "dice_match": "mrbench.metrics.matching",
    "dice_matched": "mrbench.metrics.matching",
    "dice_matrix": "mrbench.metrics.overlap",
    "dice_max": "mrbench.metrics.matching",
    "dice_max_reverse": "mrbench.metrics.matching",
    "dice_rater": "mrbench.metrics.personal",
    "dice_soft": "mrbench.metrics.soft",
    "dice_soft_prob": "mrbench.metrics.soft",
    "ece": "mrbench.metrics.reliability",
    "ece_rater": "mrbench.metrics.reliability",
    "energy_score": "mrbench.metrics.equal_terms",
    "expert_distance_mean": "mrbench.metrics.experts",
    "expert_distances": "mrbench.metrics.experts",
    "evaluate": "mrbench.metrics.evaluation",
    "ged": "mrbench.metrics.distance",
    "ged_parts": "mrbench.metrics.distance",
    "ged_unbiased": "mrbench.metrics.distance",
    "hausdorff": "mrbench.metrics.surface",
    "hd95": "mrbench.metrics.surface",
    "hd95_matrix": "mrbench.metrics.surface",
    "iou": "mrbench.metrics.personal",
    "iou_matrix": "mrbench.metrics.overlap",
    "ncc": "mrbench.metrics.variance",
    "ncc_phiseg": "mrbench.metrics.variance",
    "nsd": "mrbench.metrics.surface",
    "nsd_matrix": "mrbench.metrics.surface",
    "pack": "mrbench.metrics.packing",
    "pair_distances": "mrbench.metrics.experts",
    "rater_identification": "mrbench.metrics.personal",
    "reduce_dataset": "mrbench.metrics.scoring",
    "reduce_fold": "mrbench.metrics.scoring",
    "score_case": "mrbench.metrics.scoring",
    "surface_distances": "mrbench.metrics.surface",
    "unpack": "mrbench.metrics.packing",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'mrbench.metrics' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
