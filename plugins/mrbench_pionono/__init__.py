"""Pionono: a Gaussian over a small latent for each rater; personalised and diverse."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.training import COMPACT

MRBENCH_API = "2"

PRESETS: dict[str, dict[str, Any]] = {
    "as_released": {"batch_size": 12, "schedule": "cosine", "rater_draws": 20},
    "quick": {
        "backbone.name": "unet",
        "background_log_odds": 3.0,
        "epochs": 16,
        "batch_size": 6,
        "learning_rate": 3e-3,
        "schedule": "cosine",
        "raters_per_image": "all",
    },
    "compact": COMPACT,
}

DIFFERENCES = (
    "The texts of the paper were not at hand; paper is the authors' repository, whole. as_released is the port in the "
    "D-Persona release, whole, which the published LIDC-IDRI and NPC rows come from.",
    "A named rater's prediction: the mean of the rater's Gaussian (authors' code, paper preset); the mean of the "
    "logits of 20 draws (port, as_released).",
    "Schedule: 100 epochs of batch 3, the rates constant up to epoch number 41, counted from 0, and divided by 1.1 "
    "after each from it on (authors' code, paper; their run on TNBC: from 11 on); cosine, batch 12 (as_released).",
    "Checkpoint: the last epoch (authors' code), best scores on the test fold (port); here the lowest validation loss "
    "(the last epoch in compact).",
    "Covariance: the factor's diagonal is unconstrained and a step below zero stops the run (both releases); here the "
    "softplus of its entries keeps it positive, from the same start.",
    "Raters of an image in a step: one at random among those who marked it (both releases); all (quick).",
    "Loss: Dice over the whole batch of the mean logits of five draws (both releases), foreground and background.",
    "Backbone weights: ImageNet (both releases); here from scratch unless backbone.weights names a file.",
    "Samples of the row: a rater drawn uniformly, then one draw of z (ours); the port has one mask per rater and no "
    "samples, the authors' code draws pictures only.",
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``pionono``."""
    return [
        MethodCard(
            name="pionono",
            code="mrbench_pionono.method:Pionono",
            config="mrbench_pionono.config:PiononoConfig",
            summary="a Gaussian latent for each rater: a prediction for each, and samples of random raters",
            gives="samples raters",
            presets=PRESETS,
            citation="Schmidt, Morales-Alvarez and Molina, Probabilistic Modeling of Inter- and Intra-observer "
            "Variability in Medical Image Segmentation, ICCV 2023",
            licence="Apache-2.0",
            requires=("torch",),
            differences=DIFFERENCES,
        )
    ]
