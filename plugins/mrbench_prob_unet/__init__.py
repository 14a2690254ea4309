"""The Probabilistic U-Net: samples from a prior over a low-dimensional latent."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.encoder import COMPACT_ENCODER
from mrbench.nn.training import COMPACT

MRBENCH_API = "2"

PRESETS: dict[str, dict[str, Any]] = {
    "as_released": {"reconstruction": "dice", "norm_weight": 1e-5, "patience": None},
    "quick": {
        "backbone.name": "unet",
        "background_log_odds": 3.0,
        "epochs": 16,
        "batch_size": 6,
        "learning_rate": 3e-3,
        "patience": None,
        "encoder.widths": (16, 32, 64),
        "encoder.convolutions": 2,
        # On the development phantom (phantom.seed=1, folds 0 and 1, one seed, S = 16) the unbiased energy distance is
        # .076 and .045 with 1, .079 and .039 with 5, .067 and .051 with 10, and .105 (fold 0) with 20: the means of
        # the first three lie within .002, below the margin of .05 of the raters' own (.017). No reason to leave 5.
        "kl_weight": 5.0,
    },
    "compact": {**COMPACT, **COMPACT_ENCODER},
}

DIFFERENCES = (
    "Feature maps: a plain U-Net of seven scales, 32 to 192 channels (paper, appendix); the ResNet-34 U-Net of the "
    "D-Persona release, so that all methods here share a backbone (paper, as_released); a small "
    "U-Net (quick, compact).",
    "Reconstruction: cross-entropy, summed over pixels, mean over the batch (paper, eq. 4, and the authors' code); "
    "Dice over the whole batch, mean of foreground and background (the D-Persona release's baseline, as_released).",
    "Weight of the divergence: beta = 1 (authors' code and as_released); the PyTorch port takes 10 over a "
    "cross-entropy that is summed over the batch too.",
    "Mask that the posterior sees: one rater's, drawn for every image and step, as 0 and 1 (PyTorch port and "
    "D-Persona); less one half (authors' code). The 2026 thesis trains on the mean of the masks instead.",
    "Regularisation: squared L2 of the weights (authors' code); 1e-5 times the unsquared L2 norms of prior, posterior "
    "and head without its last layer (port, as_released); none (paper preset).",
    "Optimiser: Adam 1e-4 falling in steps over 240,000 iterations, batch 10 (authors' code); Adam 1e-4, batch 12, "
    "cosine over 100 epochs (D-Persona; paper, as_released); the patience of 20 epochs is ours.",
    "Loss of as_released: reconstruction = dice, norm_weight = 1e-05, as in the D-Persona release.",
    "Loss of quick: kl_weight = 5.0, ours. On the development phantom 1, 5 and 10 are alike.",
    "Encoders of prior and posterior: seven scales, 32 to 192 channels (paper, appendix); D-Persona's five scales, 16 "
    "to 256 (paper, as_released); three, 16 to 64 (quick); four, 4 to 32 (compact), so that the row has .28 million "
    "parameters.",
    "Latent: 6 dimensions (paper, D-Persona); 2 (port's training script).",
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``prob-unet``."""
    return [
        MethodCard(
            name="prob-unet",
            code="mrbench_prob_unet.method:ProbUNet",
            config="mrbench_prob_unet.config:ProbUNetConfig",
            summary="Probabilistic U-Net: one random rater per image, samples from the prior",
            gives="samples",
            presets=PRESETS,
            citation="Kohl et al., A Probabilistic U-Net for Segmentation of Ambiguous Images, NeurIPS 2018",
            licence="Apache-2.0",
            requires=("torch",),
            differences=DIFFERENCES,
        )
    ]
