"""Options of D-Persona."""

from typing import Literal

from pydantic import ValidationInfo, field_validator

from mrbench.configuration import Config, added_option, loss_option, option, prediction_option
from mrbench.nn.backbone import Backbone
from mrbench.nn.encoder import Encoder
from mrbench.nn.personalisation import Personalisation


class Diversification(Config):
    """Stage I: a latent space that spans what the raters drew."""

    reconstruct_from: Literal["posterior", "prior"] = loss_option(
        "posterior", "whose sample is decoded into a rater's mask; prior: as the release did before August 2024"
    )
    rater_drawn_per: Literal["image", "batch"] = option(
        "image", "whose mask is reconstructed: a rater drawn for each image, or one for the whole batch"
    )
    absent: Literal["mask", "zero"] = loss_option(
        "mask", "what is reconstructed for an absent rater: nothing (mask), or an empty mask (zero, the 2026 thesis)"
    )
    likelihood: Literal["dice", "sum"] = loss_option(
        "dice",
        "of a mask, given z: dice, the released Dice loss over the batch; sum, its log probability in nats, a sum over "
        "pixels taken as independent: a reading of the 2026 thesis, eq. 3.2, which leaves p(y|z, x) open",
        added=True,
    )
    kl_weight: float = loss_option(1.0, "of KL(q(z|x, y) || p(z|x)), summed over the latent, mean over the batch", ge=0)
    bound_weight: float = loss_option(
        0.5,
        "of the bound loss, in units of about what the likelihood is at the start: 1 of dice; of sum H W ln K nats, of "
        "a mask all of whose classes are as likely, which the data's size alone gives, in resumed trainings too",
        ge=0,
    )
    bound_samples: int = loss_option(10, "prior samples whose largest and least probabilities are bounded", ge=1)
    norm_weight: float = loss_option(
        1e-5, "of the L2 norms of prior, posterior and head, its last layer left out", ge=0
    )
    orthogonality: float = loss_option(
        0.0,
        "of the squared cosine between the posterior means of two raters (2026 thesis, table 4.4, row 3)",
        added=True,
        ge=0,
    )
    dual_diversity: float = loss_option(
        0.0, "of the Dice between two of the prior samples (2026 thesis, table 4.4, row 5)", added=True, ge=0
    )
    epochs: int = option(100, "epochs at most", ge=1)
    learning_rate: float = option(1e-4, "of Adam", gt=0)

    @field_validator("dual_diversity")
    @classmethod
    def _pairs(cls, value: float, info: ValidationInfo) -> float:
        if value and info.data.get("bound_samples", 2) < 2:
            raise ValueError("0, or stage_1.bound_samples of 2 or more: it compares samples in pairs")
        return value


class DPersonaConfig(Config):
    """Options of ``dpersona-1`` and ``dpersona-2``; the defaults are the paper's."""

    backbone: Backbone = option(Backbone(), "the network of the feature maps")
    encoder: Encoder = option(Encoder(), "of prior and posterior")
    stage_1: Diversification = option(Diversification(), "diversification")
    stage_2: Personalisation = option(Personalisation(), "personalisation")
    prior_bank: int | None = added_option(
        None, "k-means centroids of prior draws that take the prior's place (2026 thesis, table 4.4, row 4)", ge=1
    )
    background_log_odds: float = option(
        0.0, "of the background against each foreground class before training; above 0 a short training learns sooner"
    )
    batch_size: int = option(12, "images per step", ge=1)
    schedule: Literal["cosine", "constant"] = option("cosine", "of the learning rate over the epochs of a stage")
    patience: int | None = option(20, "epochs without a lower validation loss before a stage stops", ge=1)
    keep: Literal["best", "last"] = added_option("best", "weights of the lowest validation loss, or those of the end")
    bank: int = prediction_option(500, "prior draws that a query attends to in prediction", ge=1)
