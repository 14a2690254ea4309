"""Per-rater posteriors followed by D-Persona's stage II (thesis, table 4.4, row 7)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mrbench.data.case import Image
from mrbench.data.description import Description
from mrbench.interfaces.draw import Draw
from mrbench.interfaces.method import Batch, Context, ParameterGroup, Stage
from mrbench.nn.queries import Queries, attend, raters_draws, raters_loss
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
        two, one = self.config.stage_2, self.stage(["network", "posteriors"])
        groups = [ParameterGroup(list(self.queries.parameters()), two.learning_rate)]
        personal = replace(one, name="personalisation", modules=[self.queries], groups=groups, epochs=two.epochs)
        return [one, replace(personal, loss=self.personalisation)]

    def personalisation(self, batch: Batch) -> Mapping[str, Tensor]:
        """Dice loss of the raters' own maps."""
        with torch.no_grad():
            features = self.network.backbone(batch.image)
            bank = self.network.prior(batch.image).samples(self.config.stage_2.bank)  # (B, N, Z)
        z = attend(self.queries(features), bank)  # (B, R, Z)
        return {"raters": raters_loss(self.network, features, z, batch)}

    def predict(self, image: Image, n: int, context: Context) -> Iterator[Draw]:  # noqa: ARG002
        """A prediction for every rater; the slices of a volume share the base noise of the bank."""
        encoded = self.network.encode(image, context.device)
        noise = context.noise(image, "bank").standard_normal((self.config.bank, self.config.encoder.latent))
        z = attend(self.queries(encoded.features), encoded.latents(noise))  # (D, R, Z)
        yield from raters_draws(self.network, encoded.features, z, image)
