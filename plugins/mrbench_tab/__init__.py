"""TAB: attention queries for each rater and for all, each with a low-rank normal over the logits."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.training import COMPACT

MRBENCH_API = "2"

# Published proportions: the transformer has 253,585 parameters with its encoder, four raters and one channel.
BUDGET: dict[str, Any] = {
    **COMPACT,
    "transformer.width": 80,
    "transformer.feedforward": 160,
    "transformer.head_width": 40,
    "transformer.last_width": 10,
}

PRESETS: dict[str, dict[str, Any]] = {
    "as_released": {"factor_layout": "legacy", "patience": None, "keep": "last"},
    "quick": {
        "backbone.name": "unet",
        "attention_scale": "mean1",
        "background_log_odds": 3.0,
        "epochs": 16,
        "batch_size": 6,
        "learning_rate": 1e-3,
        "patience": None,
        "transformer.width": 64,
        "transformer.heads": 4,
        "transformer.feedforward": 128,
        "transformer.dropout": 0.0,
        "transformer.head_width": 16,
        "transformer.last_width": 16,
    },
    "compact": BUDGET,
    "compact-ours": BUDGET | {"attention_scale": "mean1"},
}

DIFFERENCES = (
    "The text of the paper was not at hand; paper follows the release where that is no evident mistake.",
    "Factors of the covariance: reshaped, so that a pixel's factors are consecutive values of one channel of other "
    "pixels (as_released); the pixel's own channels (all other presets).",
    "Encoder: ImageNet weights, BatchNorm constant, stem and first stage frozen (release); here from scratch unless "
    "backbone.weights names a file, and nothing is frozen.",
    "Rater queries: their attention maps are softmaxes over heads and places, of mean 1 / (heads x places), 0.03 at "
    "64 x 64 and 0.008 at 128 x 128, beside projected features of order 1, so that the queries hardly act. "
    "Ours, in quick and compact-ours: attention_scale = mean1, the maps multiplied by heads x places. On the "
    "development phantom (quick, phantom.seed=1, fold 0, S = 16) rater_identification is .250, chance, without it and "
    ".419 with it; dice_rater .817 and .847.",
    "Samples collapse: the loss is the cross-entropy of one draw of each distribution, with neither an average over "
    "draws nor a divergence, and is least at variance 0: whatever spread the samples have at the end is what training "
    "has not yet removed (release and all presets).",
    "Losses are means over the present pairs of image and rater; the release sums over the raters and needs all masks.",
    "Schedule: polynomial decay of power 0.9 (release, and here; cosine in compact). The last weights are kept "
    "(release, as_released, compact); the patience of 20 epochs and the weights of the lowest validation loss are ours "
    "(paper).",
    "Samples: of the common distribution with its low-rank part; the release's GED draws independent pixels around the "
    "mean with the variance for a standard deviation, and leaves equal pairs out.",
    "A rater's prediction is the mean of the rater's distribution (release, and here).",
    "Classes: independent binary channels (release); a softmax over K logits where K > 2 here.",
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``tab``."""
    return [
        MethodCard(
            name="tab",
            code="mrbench_tab.method:Tab",
            config="mrbench_tab.config:TabConfig",
            summary="attention queries per rater: a prediction for each, and samples of a distribution for all",
            gives="samples raters",
            presets=PRESETS,
            citation="Liao et al., Transformer-based Annotation Bias-aware Medical Image Segmentation, MICCAI 2023",
            licence="Apache-2.0",
            requires=("torch",),
            differences=DIFFERENCES,
        )
    ]
