"""ProSeg: two latent variables, one for the rater and one for the image; personalised and diverse."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.training import COMPACT

MRBENCH_API = "2"

PRESETS: dict[str, dict[str, Any]] = {
    "as_released": {
        "segmentation_loss": "dice",
        "classification_loss": "probabilities",
        "reconstruction_loss": "mean-by-batch",
        "z_prior_log_variance": 1.0,
        "raters_per_image": "one",
        "weights": {"kl_z": 0.1, "kl_tau": 0.1, "norm": 1e-5},
        "batch_size": 16,
        "learning_rate": 5e-5,
        "embedding_learning_rate": 2e-3,
        "patience": None,
        "prior_expert": "cycle",
    },
    "quick": {
        "backbone.name": "unet",
        "background_log_odds": 3.0,
        "epochs": 16,
        "batch_size": 6,
        "learning_rate": 3e-3,
        "patience": None,
        "latent_channels": 4,
        "z_first_log_variance": -4.0,
        "weights": {"classification": 0.1, "reconstruction": 0.0, "kl_z": 0.0001, "kl_tau": 0.001},
        "embedding_learning_rate": 1e-2,
    },
    # The paper has one rate for all parameters.
    "compact": {**COMPACT, "embedding_learning_rate": COMPACT["learning_rate"]},
}

DIFFERENCES = (
    "Segmentation loss: cross-entropy (paper, eq. 8 and 16); Dice over the whole batch, mean of foreground and "
    "background (released loss).",
    "Weights: all terms 1 (paper, eq. 8-9); both divergences 0.1, squared error divided by the batch size, and 1e-5 "
    "times the unsquared L2 norms of the predictor without its last layer (release).",
    "Loss of as_released: segmentation_loss = dice, classification_loss = probabilities, reconstruction_loss = "
    "mean-by-batch, z_prior_log_variance = 1.0, weights.kl_z = 0.1, weights.kl_tau = 0.1, weights.norm = 1e-05.",
    "Loss of quick: weights.classification = 0.1, weights.reconstruction = 0.0, weights.kl_z = 0.0001, "
    "weights.kl_tau = 0.001: ours, neither the paper's nor the release's, so that a short training learns masks; it "
    "says nothing of ProSeg's objective.",
    "Prior of z: N(0, I) (paper, section 4.1); N(0, e I), because a log variance of 1 is passed (release).",
    "Divergence of z: no reduction is stated (paper, eq. 7); mean over channels and pixels (release). All presets take "
    "the mean.",
    "Likelihoods: log densities of masks and images (paper, eq. 8); their losses are means over pixels (release; all "
    "presets). likelihood = sum is one reading of eq. 8 in nats: sums over pixels taken as independent, half the "
    "squared error, and the divergence of z summed. It mends reconstruction against the divergence of z only, not tau, "
    "whose divergence stands beside the classifier's cross-entropy, in nats under both.",
    "Size of compact: 568,790 parameters with four raters and one channel, two networks of the benchmark's backbone, "
    "of which the one that decodes the image is there in training only; 308,741 predict.",
    "Classification: cross-entropy of p(r|tau) (paper, eq. 8); cross-entropy that takes the softmax's output for "
    "logits, least value 0.744 with four raters (release).",
    "Raters in training: a product over all N raters of an image (paper, eq. 4 and 6); one rater at random per image "
    "and step (release).",
    "Expert of a prior sample: the classifier's (paper, eq. 11); the raters in turn, 13 samples each (release).",
    "Optimiser: Adam 1e-4, batch 12, early stopping (paper, appendix C); Adam 5e-5, 2e-3 for class embedding and "
    "classifier, batch 16 on LIDC-IDRI, cosine schedule, best epoch by test scores (release). No preset selects by "
    "test scores; the schedule and the patience of 20 epochs of the preset paper are ours.",
    "Concentration of the prior of tau: ones in R^N (paper, section 4.1); eight ones, the size of tau (release, and "
    "here). First rows of the class embedding: not stated (paper); 1 in dimensions i and i + 4 and 0.1 elsewhere "
    "(release), here i, i + R, i + 2 R, ...",
    "Image decoder: one per rater (paper, eq. 6); small per-rater convolutions before one shared network with three "
    "output channels (release). Here as released, with as many output channels as the image has.",
    "Backbone weights: ImageNet (release); here from scratch unless backbone.weights names a file.",
    "Volumes: latents drawn anew for every slice (release); here the slices of a volume share tau and the base noise.",
    "Ablations of table 2 (use_z, use_tau): what takes a latent's place is not stated; here the predictor reads the "
    "encoder's feature maps without z and leaves tau's inputs away without tau.",
)

FAMILY: dict[str, Any] = {
    "family": "proseg",
    "config": "mrbench_proseg.config:ProSegConfig",
    "presets": PRESETS,
    "citation": "Probabilistic modeling of multi-rater medical image segmentation for diversity and personalization, "
    "2025",
    "licence": "Apache-2.0",
    "requires": ("torch",),
    "differences": DIFFERENCES,
}

PERSONALISED = MethodCard(
    name="proseg",
    code="mrbench_proseg.method:ProSeg",
    summary="ProSeg, raters' own latents: a prediction for each rater, and samples of random raters",
    gives="samples raters",
    **FAMILY,
)

PRIOR = MethodCard(
    name="proseg-prior",
    code="mrbench_proseg.method:ProSegPrior",
    summary="ProSeg, raters drawn from the prior: samples only",
    gives="samples",
    takes_turns={"prior_expert": "cycle"},
    **FAMILY,
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``proseg`` and ``proseg-prior``: one training, two ways to sample."""
    return [PERSONALISED, PRIOR]
