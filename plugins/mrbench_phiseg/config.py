"""Options of PHiSeg."""

from pydantic import model_validator

from mrbench.configuration import loss_option, option
from mrbench.interfaces.schedule import Schedule
from mrbench.nn.training import NetworkTraining


class PHiSegConfig(NetworkTraining):
    """Options of ``phiseg``; the defaults are the paper's."""

    width: int = option(32, "channels at full resolution; twice, four and from then on six times as many below", ge=1)
    resolutions: int = option(7, "of the image, each half of the one before", ge=2, le=8)
    latent_levels: int = option(5, "of the latent, at the coarsest resolutions", ge=1)
    latent: int = option(2, "channels of the latent at each level", ge=1)
    equal_deviations: bool = option(
        False, "before training every latent's deviation is ln 2, given any image and mask; a short training needs it"
    )
    kl_weight: float = loss_option(1.0, "of the divergences, that of the level of scale 2^l times 4^l", ge=0)
    learning_rate: float = option(1e-3, "of Adam", gt=0)
    schedule: Schedule = option("constant", "of the learning rate over the epochs")

    @model_validator(mode="after")
    def _levels(self) -> "PHiSegConfig":
        if self.latent_levels > self.resolutions:
            raise ValueError(f"at most as many latent_levels as resolutions: {self.latent_levels}, {self.resolutions}")
        return self
