"""Options of the confusion-matrix networks."""

from typing import Literal

from mrbench.configuration import Config, option
from mrbench.nn.backbone import Backbone


class ConfusionConfig(Config):
    """Options of ``cm-global``; the defaults are the papers'."""

    backbone: Backbone = option(Backbone(), "the network of the feature maps")
    matrix: Literal["confusion", "scalar"] = option(
        "confusion", "what stands between truth and rater: K x K matrices, or the 1 x 1 of the release, which is 1"
    )
    loss: Literal["likelihood", "dice"] = option(
        "likelihood", "likelihood: cross-entropy of the rater's distribution; dice: over the whole batch"
    )
    raters_per_image: Literal["all", "one"] = option("all", "present raters of each image in a step; one: at random")
    trace_weight: float = option(
        0.01, "of the matrices' trace, which is minimised: the least trace that explains the raters is the right one"
    )
    diagonal: float = option(1.0, "of the matrices before softplus and normalisation, at the start")
    off_diagonal: float = option(-5.0, "the same beside the diagonal; with two classes they start at .995 and .005")
    background_log_odds: float = option(
        0.0, "of the background against each foreground class before training; above 0 a short training learns sooner"
    )
    epochs: int = option(100, "epochs at most", ge=1)
    batch_size: int = option(12, "images per step", ge=1)
    learning_rate: float = option(1e-4, "of Adam", gt=0)
    matrix_learning_rate: float = option(1e-2, "of Adam for what gives the matrices", gt=0)
    schedule: Literal["cosine", "constant"] = option("cosine", "of the learning rates over the epochs")
    patience: int | None = option(20, "epochs without a lower validation loss before training stops", ge=1)


class PixelConfusionConfig(ConfusionConfig):
    """Options of ``cm-pixel``."""

    rank: int | None = option(
        None, "of the pixels' matrices, which then are a product of that rank plus a multiple of the identity", ge=1
    )
