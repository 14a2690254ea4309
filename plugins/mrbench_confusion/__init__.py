"""Confusion-matrix networks: one truth, and for each rater a matrix of what the rater says of it."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.training import COMPACT

MRBENCH_API = "2"

PRESETS: dict[str, dict[str, Any]] = {
    "as_released": {
        "matrix": "scalar",
        "loss": "dice",
        "raters_per_image": "one",
        "trace_weight": 0.0,
        "patience": None,
    },
    "quick": {
        "backbone.name": "unet",
        "background_log_odds": 3.0,
        "epochs": 16,
        "batch_size": 6,
        "learning_rate": 3e-3,
        "patience": None,
    },
    "compact": COMPACT,
}

DIFFERENCES = (
    "Degenerate release: D-Persona's baselines have one output channel, so their matrices are 1 x 1 and, normalised by "
    "themselves, always 1: plain U-Nets trained on a random rater's masks, all raters' outputs equal. as_released is "
    "exactly that; all other presets have matrices that act.",
    "Loss: likelihood of the rater's distribution (papers); a second softmax on top of it (code of Zhang et al.), "
    "whose least value is 0.3133 per rater with two classes; Dice over the whole batch (D-Persona, Pionono).",
    "Trace: minimised (papers, code of Zhang et al.); maximised in every published run of the Pionono release; a "
    "constant in D-Persona's. Here minimised.",
    "Weight of the trace: 0.01 (Tanno et al.); 0.001 to 1.5 (code of Zhang et al., by data set). Here 0.01, of means "
    "over pixels and pairs of image and rater where the papers sum both terms over the raters.",
    "Loss of as_released: loss = dice, trace_weight = 0.0, as in the D-Persona release, whose trace is a constant.",
    "Start: near the identity, .995 with two classes (Tanno et al.; here for both rows); the code of Zhang et al. "
    "starts at .65 (global) and almost uniform (pixel), and has none of the warm-up that their paper describes.",
    "Answers: the estimated truth p(truth|x) is the papers' main output and the row's consensus; each rater's "
    "prediction A_r p(truth|x) stands beside it. In as_released they are the same.",
    "Network: a U-Net of their own with instance normalisation (Zhang et al.); ResNet-34 U-Net (D-Persona; paper, "
    "as_released); a small U-Net (quick, compact). The pixel matrices' small networks keep instance "
    "normalisation and PReLU.",
    "Low rank: the code fixes rank 1 and evaluates another model than it trains; cm-pixel.rank = 1 is the paper's.",
)

FAMILY: dict[str, Any] = {
    "gives": "raters consensus",
    "presets": PRESETS,
    "licence": "Apache-2.0",
    "requires": ("torch",),
    "differences": DIFFERENCES,
}

GLOBAL = MethodCard(
    name="cm-global",
    code="mrbench_confusion.method:ConfusionMatrices",
    config="mrbench_confusion.config:ConfusionConfig",
    summary="one estimated truth, and a confusion matrix for each rater",
    citation="Tanno et al., Learning From Noisy Labels By Regularized Estimation Of Annotator Confusion, CVPR 2019",
    **FAMILY,
)

PIXEL = MethodCard(
    name="cm-pixel",
    code="mrbench_confusion.method:PixelConfusionMatrices",
    config="mrbench_confusion.config:PixelConfusionConfig",
    summary="one estimated truth, and a confusion matrix for each rater at every pixel",
    citation="Zhang et al., Disentangling Human Error from the Ground Truth in Segmentation of Medical Images, "
    "NeurIPS 2020",
    **FAMILY,
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``cm-global`` and ``cm-pixel``."""
    return [GLOBAL, PIXEL]
