"""Per-rater posteriors: a posterior encoder for each rater, one prior for all."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.encoder import COMPACT_ENCODER
from mrbench.nn.training import COMPACT

MRBENCH_API = "2"

QUICK: dict[str, Any] = {
    "backbone.name": "unet",
    "encoder.widths": (16, 32, 64),
    "encoder.convolutions": 2,
    "norm_weight": 0.0,
    "background_log_odds": 3.0,
    "epochs": 16,
    "batch_size": 6,
    "learning_rate": 3e-3,
}

BUDGET: dict[str, Any] = {**COMPACT, **COMPACT_ENCODER}

DIFFERENCES = (
    "No code is released. Reconstruction, bound loss and norms are those of the D-Persona release, whose settings the "
    "thesis takes over (section 3.4.4): Dice over the whole batch, for each rater, then the mean over the raters.",
    "Sign of the bound loss: eq. 3.5 adds it to a bound that is maximised; it is a penalty, and is subtracted here.",
    "Form of the bound loss: a hinge on the spread (thesis, section 3.2.2); Dice of the pixels' largest and least "
    "probability over ten prior samples against union and intersection (D-Persona release, and here).",
    "Likelihood: a log probability of no given form (thesis, eq. 3.5); a Dice loss, at most 1, beside a divergence in "
    "nats, which outweighs it (D-Persona release; all presets). likelihood = sum is a reading of it, of whole masks "
    "whose pixels are taken as independent; 1/N stands before likelihoods and divergences, both in nats.",
    "Encoders of the prior and of each rater: five scales, 16 to 256 channels, three convolutions each, .08 of the "
    "backbone's 24.4 million parameters (thesis, paper preset); at compact four scales, 4 to 32, two each, .08 of its "
    ".24 million.",
    "Loss of quick: norm_weight = 0.0, ours: the norms of small networks are another quantity.",
    "Absent raters: their encoders do not run, and the sums are divided by N (thesis); here they are divided by the "
    "raters present, and the grouped network computes absent raters' encoders without using them.",
    "Checkpoint: lowest validation loss; the thesis does not say which epoch it keeps.",
)

PERSONAL_DIFFERENCES = (
    *DIFFERENCES,
    "Stage II: a small perceptron for each rater adds a style offset to z (thesis, section 3.2.1); queries attend to "
    "draws of the prior (D-Persona release, and here), with what dpersona-2 notes of it.",
    "Row 7 of table 4.4 does not say what is sampled and scored; here the prediction of each rater is.",
)

FAMILY: dict[str, Any] = {
    "citation": "Shukla, Structured Latent Space Exploration with Transformer Encoders for Diversified and "
    "Personalized Multi-Rater Medical Image Segmentation, thesis",
    "licence": "Apache-2.0",
    "requires": ("torch",),
}

DIVERSE = MethodCard(
    name="per-rater",
    code="mrbench_per_rater.method:PerRaterPosteriors",
    config="mrbench_per_rater.config:PerRaterConfig",
    summary="a posterior encoder for each rater, samples from the prior that they share",
    gives="samples",
    presets={"quick": QUICK, "compact": BUDGET},
    differences=DIFFERENCES,
    **FAMILY,
)

PERSONAL = MethodCard(
    name="per-rater-2",
    code="mrbench_per_rater.personal:PersonalPosteriors",
    config="mrbench_per_rater.config:PersonalConfig",
    summary="per-rater, then D-Persona's stage II: a prediction for each rater",
    gives="raters",
    presets={
        "quick": QUICK | {"stage_2.epochs": 6, "stage_2.learning_rate": 3e-3},
        # Each of the stages has the whole budget.
        "compact": BUDGET | {f"stage_2.{name}": COMPACT[name] for name in ("epochs", "learning_rate")},
    },
    differences=PERSONAL_DIFFERENCES,
    **FAMILY,
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``per-rater``, and ``per-rater-2``, which trains a second stage after it."""
    return [DIVERSE, PERSONAL]
