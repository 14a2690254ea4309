"""Options of the confusion-matrix networks."""

from typing import Literal

from mrbench.configuration import loss_option, option
from mrbench.nn.backbone import Backbone
from mrbench.nn.training import NetworkTraining


class ConfusionConfig(NetworkTraining):
    """Options of ``cm-global``; the defaults are the papers'."""

    backbone: Backbone = option(Backbone(), "the network of the feature maps")
    matrix: Literal["confusion", "scalar"] = option(
        "confusion", "what stands between truth and rater: K x K matrices, or the 1 x 1 of the release, which is 1"
    )
    loss: Literal["likelihood", "dice"] = loss_option(
        "likelihood", "likelihood: cross-entropy of the rater's distribution; dice: over the whole batch"
    )
    raters_per_image: Literal["all", "one"] = option("all", "present raters of each image in a step; one: at random")
    trace_weight: float = loss_option(
        0.01, "of the matrices' trace, which is minimised: the least trace that explains the raters is the right one"
    )
    diagonal: float = option(1.0, "of the matrices before softplus and normalisation, at the start")
    off_diagonal: float = option(-5.0, "the same beside the diagonal; with two classes they start at .995 and .005")
    matrix_learning_rate: float = option(1e-2, "of Adam for what gives the matrices", gt=0)


class PixelConfusionConfig(ConfusionConfig):
    """Options of ``cm-pixel``."""

    rank: int | None = option(
        None, "of the pixels' matrices, which then are a product of that rank plus a multiple of the identity", ge=1
    )
