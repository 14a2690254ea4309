"""Per-rater posteriors: a posterior encoder for each rater, one prior for all."""

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl

MRBENCH_API = "1"

PAPER = {
    "backbone": {"name": "resnet34"},
    "encoder": {"latent": 6, "widths": (16, 32, 64, 128, 256), "convolutions": 3},
    "kl_weight": 1.0,
    "bound_weight": 0.5,
    "bound_samples": 10,
    "norm_weight": 1e-5,
    "background_log_odds": 0.0,
    "epochs": 100,
    "batch_size": 12,
    "learning_rate": 1e-4,
    "schedule": "cosine",
    "patience": None,
}

PRESETS = {
    "paper": PAPER,
    "quick": PAPER
    | {
        "backbone": {"name": "unet", "width": 16, "depth": 4},
        "encoder": {"latent": 6, "widths": (16, 32, 64), "convolutions": 2},
        "norm_weight": 0.0,
        "background_log_odds": 3.0,
        "epochs": 16,
        "batch_size": 6,
        "learning_rate": 3e-3,
    },
}

STAGE_2 = {
    "widths": (32, 16),
    "padding": 1,
    "dropout": 0.1,
    "bank": 100,
    "epochs": 100,
    "learning_rate": 1e-4,
}

PERSONAL_PRESETS = {
    "paper": PAPER | {"stage_2": STAGE_2, "bank": 500},
    "quick": PRESETS["quick"] | {"stage_2": STAGE_2 | {"epochs": 6, "learning_rate": 3e-3}, "bank": 500},
}

DIFFERENCES = (
    "No code is released. Reconstruction, bound loss and norms are those of the D-Persona release, whose settings the "
    "thesis takes over (section 3.4.4): Dice over the whole batch, for each rater, then the mean over the raters.",
    "Sign of the bound loss: eq. 3.5 adds it to a bound that is maximised; it is a penalty, and is subtracted here.",
    "Form of the bound loss: a hinge on the spread (thesis, section 3.2.2); Dice of the pixels' largest and least "
    "probability over ten prior samples against union and intersection (D-Persona release, and here).",
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

CITATION = (
    "Shukla, Structured Latent Space Exploration with Transformer Encoders for Diversified and Personalized "
    "Multi-Rater Medical Image Segmentation, thesis"
)

DIVERSE = MethodCard(
    name="per-rater",
    code="mrbench_per_rater.method:PerRaterPosteriors",
    config="mrbench_per_rater.config:PerRaterConfig",
    summary="a posterior encoder for each rater, samples from the prior that they share",
    gives="samples",
    presets=PRESETS,
    citation=CITATION,
    licence="Apache-2.0",
    requires=("torch",),
    differences=DIFFERENCES,
)

PERSONAL = MethodCard(
    name="per-rater-2",
    code="mrbench_per_rater.personal:PersonalPosteriors",
    config="mrbench_per_rater.config:PersonalConfig",
    summary="per-rater, then D-Persona's stage II: a prediction for each rater",
    gives="raters",
    presets=PERSONAL_PRESETS,
    citation=CITATION,
    licence="Apache-2.0",
    requires=("torch",),
    differences=PERSONAL_DIFFERENCES,
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``per-rater``, and ``per-rater-2``, which trains a second stage after it."""
    return [DIVERSE, PERSONAL]
