"""Deterministic baselines: a U-Net trained on the raters' majority or on their STAPLE, and one U-Net per rater."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

QUICK: dict[str, Any] = {
    "backbone.name": "unet",
    "background_log_odds": 3.0,
    "epochs": 16,
    "batch_size": 6,
    "learning_rate": 3e-3,
    "patience": None,
}

DIFFERENCES = (
    "No paper defines these rows in full: the optimiser, the batch and the epochs are those of the multi-rater methods "
    "that they stand beside (D-Persona and ProSeg: Adam 1e-4, batch 12, 100 epochs); the loss is the pixels' mean "
    "cross-entropy, where the released baselines use a Dice loss over the batch; patience 20 is ours.",
)

CITATION = "Ronneberger, Fischer and Brox, MICCAI 2015; encoder: He et al., CVPR 2016"

FAMILY: dict[str, Any] = {
    "config": "mrbench_unet.config:UNetConfig",
    "licence": "Apache-2.0",
    "requires": ("torch",),
}

MAJORITY = MethodCard(
    name="unet-majority",
    code="mrbench_unet.method:UNetMajority",
    summary="one U-Net trained on the majority vote of the raters present",
    gives="consensus",
    presets={"quick": QUICK},
    citation=CITATION,
    differences=DIFFERENCES,
    **FAMILY,
)

STAPLE = MethodCard(
    name="unet-staple",
    code="mrbench_unet.method:UNetStaple",
    summary="one U-Net trained on the STAPLE fusion of the raters present",
    gives="consensus",
    presets={"quick": QUICK},
    citation=f"{CITATION}; STAPLE: Warfield, Zou and Wells, IEEE Transactions on Medical Imaging 23(7), 2004",
    differences=(
        *DIFFERENCES,
        "The fusion is estimated once for each training slice, of volumes too, with the defaults of the row staple; "
        "the label is the one of highest probability, the lowest on a tie.",
    ),
    **FAMILY,
)

RATER = MethodCard(
    name="unet-rater",
    code="mrbench_unet.method:UNetRater",
    summary="one U-Net per rater, trained on that rater's masks alone",
    gives="raters",
    presets={"quick": QUICK | {"epochs": 12}},  # R networks take R times as long as one
    citation=CITATION,
    differences=DIFFERENCES,
    **FAMILY,
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``unet-majority``, ``unet-staple`` and ``unet-rater``."""
    return [MAJORITY, STAPLE, RATER]
