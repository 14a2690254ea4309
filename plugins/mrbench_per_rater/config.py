"""Options of the per-rater posteriors."""

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
    kl_weight: float = loss_option(1.0, "of the raters' mean KL(q_i(z|x, y_i) || p(z|x)), summed over the latent", ge=0)
    bound_weight: float = loss_option(0.5, "of the bound loss", ge=0)
    bound_samples: int = loss_option(10, "prior samples whose largest and least probabilities are bounded", ge=1)
    norm_weight: float = loss_option(
        1e-5, "of the L2 norms of prior, posteriors and head, its last layer left out", ge=0
    )
    patience: int | None = option(None, "epochs without a lower validation loss before training stops", ge=1)


class PersonalConfig(PerRaterConfig):
    """Options of ``per-rater-2``; those of stage I are ``per-rater``'s, the defaults of stage II D-Persona's."""

    stage_2: Personalisation = option(Personalisation(), "personalisation, D-Persona's stage II")
    bank: int = prediction_option(500, "prior draws that a query attends to in prediction", ge=1)
