"""Options of the per-rater posteriors."""

from typing import Literal

from mrbench.configuration import added_option, loss_option, option, prediction_option
from mrbench.nn.backbone import Backbone
from mrbench.nn.encoder import Encoder
from mrbench.nn.personalisation import Personalisation
from mrbench.nn.training import NetworkTraining


class PerRaterConfig(NetworkTraining):
    """Options of ``per-rater``; the defaults are the thesis's."""

    backbone: Backbone = option(Backbone(), "the network of the feature maps")
    encoder: Encoder = option(Encoder(), "of the prior and of each rater's posterior")
    tied: bool = added_option(
        False, "do all raters share one posterior encoder q(z|x, y_i)? the control: what is left is not the raters' own"
    )
    likelihood: Literal["dice", "sum"] = loss_option(
        "dice",
        "of a mask, given z: dice, the released Dice loss over the batch; sum, its log probability in nats, a sum over "
        "pixels taken as independent, mean over the raters: a reading of eq. 3.5, which leaves p(y|z, x) open",
        added=True,
    )
    kl_weight: float = loss_option(1.0, "of the raters' mean KL(q_i(z|x, y_i) || p(z|x)), summed over the latent", ge=0)
    bound_weight: float = loss_option(
        0.5,
        "of the bound loss, in units of about what the likelihood is at the start: 1 of dice; of sum H W ln K nats, of "
        "a mask all of whose classes are as likely, which the data's size alone gives, in resumed trainings too",
        ge=0,
    )
    bound_samples: int = loss_option(10, "prior samples whose largest and least probabilities are bounded", ge=1)
    norm_weight: float = loss_option(
        1e-5, "of the L2 norms of prior, posteriors and head, its last layer left out", ge=0
    )
    patience: int | None = option(None, "epochs without a lower validation loss before training stops", ge=1)


class PersonalConfig(PerRaterConfig):
    """Options of ``per-rater-2``; those of stage I are ``per-rater``'s, the defaults of stage II D-Persona's."""

    stage_2: Personalisation = option(Personalisation(), "personalisation, D-Persona's stage II")
    bank: int = prediction_option(500, "prior draws that a query attends to in prediction", ge=1)
