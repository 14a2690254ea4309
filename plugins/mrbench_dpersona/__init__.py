"""D-Persona: diversification in a latent space that all raters shape, then each rater found in it."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.encoder import COMPACT_ENCODER
from mrbench.nn.training import COMPACT

MRBENCH_API = "2"

OF_A_STAGE = ("epochs", "learning_rate")

PRESETS: dict[str, dict[str, Any]] = {
    "as_released": {"stage_1.rater_drawn_per": "batch", "stage_2.padding": 3, "patience": None},
    "quick": {
        "backbone.name": "unet",
        "encoder.widths": (16, 32, 64),
        "encoder.convolutions": 2,
        "stage_1.norm_weight": 0.0,
        "stage_1.epochs": 16,
        "stage_1.learning_rate": 3e-3,
        "stage_2.epochs": 6,
        "stage_2.learning_rate": 3e-3,
        "background_log_odds": 3.0,
        "batch_size": 6,
        "patience": None,
    },
    # Each of the stages has the whole budget.
    "compact": {
        **{name: value for name, value in COMPACT.items() if name not in OF_A_STAGE},
        **{f"{stage}.{name}": COMPACT[name] for stage in ("stage_1", "stage_2") for name in OF_A_STAGE},
        **COMPACT_ENCODER,
    },
}

DIFFERENCES = (
    "Reconstruction: from a sample of the posterior (paper, release since August 2024); from a sample of the prior "
    "(release until then; stage_1.reconstruct_from = prior).",
    "Rater reconstructed in a step: one drawn for every image (paper preset); one for the whole batch (as_released). "
    "The 2026 thesis describes all four masks; the code has one.",
    "Absent raters: their channels of the posterior are zero, and what is reconstructed for them is nothing (all "
    "presets) or an empty mask (2026 thesis; stage_1.absent = zero). Union and intersection of the bound loss, and "
    "stage II, take the present raters alone.",
    "Bound loss: Dice of the pixels' largest and least value over ten prior samples against union and intersection "
    "(paper and release; all presets). The thesis describes a hinge on the spread, which no code has.",
    "Weight 0.5 belongs to the bound loss (release); the thesis's table of settings names it for the divergence.",
    "Likelihood: a Dice loss, at most 1, beside a divergence in nats, which outweighs it (release; all presets); a log "
    "probability of no given form (2026 thesis, eq. 3.2). stage_1.likelihood = sum is a reading of it, of whole masks "
    "whose pixels are taken as independent; of one rater drawn, so the mean over the raters and not their sum.",
    "Loss of quick: stage_1.norm_weight = 0.0, ours: the norms of small networks are another quantity.",
    "Dice losses are over the whole batch, and their class weights cancel (release; all presets).",
    "Stage II: frozen means out of the optimiser only, BatchNorm's statistics drift and gradients are computed "
    "(release); here nothing of stage I changes, in all presets.",
    "Query networks: 3x3 convolutions with padding 3 by a mistaken flag, 128 becomes 46 pixels (as_released); padding "
    "1 (paper preset). The thesis describes a small perceptron that adds an offset to z; the code attends to a bank.",
    "Checkpoint: best matched Dice on the test fold, the later epoch on a tie (release); lowest validation loss (all "
    "presets here).",
    "Patience of 20 epochs (paper preset) is ours; the release trains 100 epochs per stage, on NPC 200.",
    "Encoders of prior and posterior: five scales, 16 to 256 channels, three convolutions each, .08 of the backbone's "
    "24.4 million parameters (paper, as_released); at compact four scales, 4 to 32, two each, .08 of its .24 million.",
    "Backbone weights: ImageNet (release); here from scratch unless backbone.weights names a file.",
    "Volumes: z drawn anew for every slice (release); here the slices of a volume share the base noise.",
    "MiT-B2 (thesis, table 4.4, row 2) replaces ResNet-34 in the posterior encoder, says section 3.3; the release "
    "has none there; here it is the encoder of the feature maps (backbone.name = mit-b2), under ResNet-34's decoder.",
    "Orthogonality (row 3) penalises the cosine similarity of per-rater posteriors, without equation or weight; here "
    "the squared cosine of the means that the posterior gives for one rater at a time, weight stage_1.orthogonality.",
    "Prior bank (row 4): k-means centroids in place of the prior, of what is not said; here of prior draws of the "
    "training images, found between the stages; queries attend to them, a sample is the centroid nearest to a draw.",
    "Dual diversity (row 5) penalises the pairwise Dice of prior samples, without equation or weight; here with a sum "
    "of squares below, over the samples of the bound loss, weight stage_1.dual_diversity.",
)

FAMILY: dict[str, Any] = {
    "family": "dpersona",
    "code": "mrbench_dpersona.method:DPersona",
    "config": "mrbench_dpersona.config:DPersonaConfig",
    "presets": PRESETS,
    "citation": "Wu et al., Diversified and Personalized Multi-rater Medical Image Segmentation, CVPR 2024",
    "licence": "Apache-2.0",
    "requires": ("torch",),
    "differences": DIFFERENCES,
}

DIVERSE = MethodCard(
    name="dpersona-1",
    summary="D-Persona, stage I: samples from a prior that is bounded by union and intersection of the raters",
    gives="samples",
    **FAMILY,
)

PERSONAL = MethodCard(
    name="dpersona-2",
    summary="D-Persona, stage II: a prediction for each rater, by attention to draws from the frozen prior",
    gives="raters",
    **FAMILY,
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``dpersona-1`` and ``dpersona-2``: one training of two stages, a row for what each stage gives."""
    return [DIVERSE, PERSONAL]
