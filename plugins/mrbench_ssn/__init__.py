"""Stochastic Segmentation Networks: a low-rank normal over the logits of an image."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.training import COMPACT

MRBENCH_API = "2"

PRESETS: dict[str, dict[str, Any]] = {
    "as_released": {"antithetic": True, "patience": None},
    "quick": {
        "backbone.name": "unet",
        "background_log_odds": 3.0,
        "epochs": 16,
        "batch_size": 6,
        "learning_rate": 3e-3,
        "schedule": "cosine",
        "patience": None,
    },
    "compact": COMPACT,
}

DIFFERENCES = (
    "Feature maps: PHiSeg's U-Net of seven scales for slices, DeepMedic for volumes (authors' code); the ResNet-34 "
    "U-Net of the D-Persona release, so that all methods here share a backbone (paper, as_released). Volumes are "
    "taken slice by slice.",
    "Two classes: two logits and a softmax (authors' code); here one, their difference, which is a low-rank normal "
    "again, of the same rank.",
    "Loss of as_released: antithetic = true, as in the authors' code, whose 20 draws are ten and their mirror images "
    "at the mean; the paper does not say so, and the other presets draw 20 independent ones.",
    "Sampler: a library's low-rank normal, whose Cholesky factor fails where large regions are uniform, and then "
    "independent pixels (authors' code); here mean + P e_1 + D^(1/2) e_2, which has the same distribution and cannot "
    "fail, and no region is left out.",
    "Optimiser: Adam 1e-3, batch 12, constant (authors' code for slices); epochs 100 and patience 20 are ours, where "
    "they train for up to 500,000 steps.",
    "Prediction: the mode, argmax of the mean, beside samples (paper); here samples alone.",
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``ssn``."""
    return [
        MethodCard(
            name="ssn",
            code="mrbench_ssn.method:StochasticSegmentation",
            config="mrbench_ssn.config:SSNConfig",
            summary="a low-rank normal over the logits: samples whose pixels go together",
            gives="samples",
            presets=PRESETS,
            citation="Monteiro et al., Stochastic Segmentation Networks, NeurIPS 2020",
            licence="Apache-2.0",
            requires=("torch",),
            differences=DIFFERENCES,
        )
    ]
