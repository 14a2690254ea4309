"""Per-rater posteriors followed by D-Persona's stage II (thesis, table 4.4, row 7)."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from mrbench.data.description import Description
from mrbench.interfaces.method import Batch, Stage
from mrbench.interfaces.noise import Noise
from mrbench.nn.latent_unet import Encoded
from mrbench.nn.queries import Queries, raters_loss
from mrbench_per_rater.config import PersonalConfig
from mrbench_per_rater.method import PerRaterPosteriors


class PersonalPosteriors(PerRaterPosteriors):
    """Stage I is ``per-rater``; stage II finds each rater among draws of the frozen p(z|x)."""

    config: PersonalConfig

    def __init__(self, config: PersonalConfig, description: Description) -> None:
        super().__init__(config, description)
        maps = self.network.backbone.out_channels
        self.queries = Queries(config.stage_2, maps, config.encoder.latent, self.raters)

    def stages(self) -> Sequence[Stage]:
        """Stage I, then stage II on what it left, frozen."""
        personal = self.stage(
            ["queries"], name="personalisation", loss=self.personalisation, options=self.config.stage_2
        )
        return [self.stage(["network", "posteriors"]), personal]

    def personalisation(self, batch: Batch) -> Mapping[str, Tensor]:
        """Dice loss of the raters' own maps."""
        bank = self.network.prior(batch.image).samples(self.config.stage_2.bank)  # (B, N, Z)
        return {"raters": raters_loss(self.network, self.queries, bank, batch)}

    def as_rater(self, features: Encoded, rater: int, noise: Noise) -> Tensor:
        """What the rater's query finds in a bank of prior draws, which all raters share."""
        bank = features.latents(noise.normal("bank", self.config.bank, self.config.encoder.latent, per_rater=False))
        return self.network.decode(features.maps, self.queries.find(rater, features.maps, bank))
