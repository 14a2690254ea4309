"""Pionono: a Gaussian over a small latent for each rater; personalised and diverse."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

PRESETS: dict[str, dict[str, Any]] = {
    "as_released": {"patience": None, "rater_draws": 20},
    "quick": {
        "backbone.name": "unet",
        "background_log_odds": 3.0,
        "epochs": 16,
        "batch_size": 6,
        "learning_rate": 3e-3,
        "patience": None,
        "raters_per_image": "all",
    },
}

DIFFERENCES = (
    "The texts of the paper were not at hand; paper takes the authors' repository where the D-Persona port differs. "
    "as_released is the port in the D-Persona release, which the published LIDC-IDRI and NPC rows come from.",
    "A named rater's prediction: the mean of the rater's Gaussian (authors' code, paper preset); the mean of the "
    "logits of 20 draws (port, as_released).",
    "Schedule: constant until epoch 40, then divided by 1.1 every epoch, batch 3 (authors' code); cosine, batch 12 "
    "(port and all presets). The patience of 20 epochs is ours.",
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
