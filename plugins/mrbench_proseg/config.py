"""Options of ProSeg."""

from typing import Literal, Self

from pydantic import ValidationInfo, field_validator

from mrbench.configuration import Config, loss_option, option, prediction_option
from mrbench.data.description import Description
from mrbench.errors import UsageError
from mrbench.nn.backbone import Backbone
from mrbench.nn.training import NetworkTraining


class Weights(Config):
    """Weights of the terms of the objective, eq. 8-9."""

    segmentation: float = loss_option(1.0, "of -E log p(y|tau, z)", ge=0)
    classification: float = loss_option(1.0, "of -E log p(r|tau)", ge=0)
    reconstruction: float = loss_option(1.0, "of the squared error of p(x|z); 0 builds no image decoder", ge=0)
    kl_z: float = loss_option(1.0, "of KL(q(z|x) || p(z))", ge=0)
    kl_tau: float = loss_option(1.0, "of KL(q(tau|r) || p(tau))", ge=0)
    norm: float = loss_option(0.0, "of the L2 norms of the predictor's parameters, its last layer left out", ge=0)


class ProSegConfig(NetworkTraining):
    """Options of ``proseg`` and ``proseg-prior``; the defaults are the paper's."""

    backbone: Backbone = option(Backbone(), "the network of the image encoder and of the image decoder")
    latent_channels: int = option(16, "channels of the latent map z", ge=2)
    tau_size: int | None = option(
        None, "dimensions of the latent tau, at least the number of raters; none: 8, or as many as raters", ge=2
    )
    use_z: bool = option(True, "the latent of the image; without it the predictor reads the encoder's feature maps")
    use_tau: bool = option(True, "the latent of the rater; without it there is no classifier either")

    segmentation_loss: Literal["cross-entropy", "dice"] = loss_option(
        "cross-entropy", "cross-entropy: mean over pixels; dice: over the whole batch, mean of the classes"
    )
    classification_loss: Literal["logits", "probabilities"] = loss_option(
        "logits", "what the cross-entropy takes for logits; probabilities: a second softmax on top of the first"
    )
    reconstruction_loss: Literal["mean", "mean-by-batch"] = loss_option(
        "mean", "squared error, mean over all values; mean-by-batch: divided by the batch size once more"
    )
    likelihood: Literal["mean", "sum"] = loss_option(
        "mean",
        "of a mask and of an image: the means over pixels of segmentation_loss and reconstruction_loss; sum, their log "
        "densities in nats, with kl_z_reduction = sum a reading of eq. 8 as a bound in nats: changes what they weigh "
        "against the divergences, not what tau's divergence weighs against the classifier",
        added=True,
    )
    kl_z_reduction: Literal["mean", "sum"] = loss_option(
        "mean",
        "over the channels and pixels of z; against an ELBO of sums, whose cross-entropy is the mean's H W times, mean "
        "weighs the divergence 1 / latent_channels times, sum H W times",
    )
    z_first_log_variance: float = option(
        0.0, "of q(z|x) before training; a low one spares a short training the search for its signal in the noise"
    )
    z_prior_log_variance: float = loss_option(0.0, "of p(z): N(0, e^value)")
    raters_per_image: Literal["all", "one"] = option("all", "present raters of each image in a step; one: at random")
    weights: Weights = option(Weights(), "of the terms of the objective")

    embedding_learning_rate: float = option(1e-4, "of Adam for the class embedding and the classifier", gt=0)

    draws_per_rater: int = prediction_option(1, "predictions for each rater, eq. 10", ge=1)
    prior_expert: Literal["classifier", "cycle"] = prediction_option(
        "classifier", "head of a sample of proseg-prior: the classifier's most probable rater, or the raters in turn"
    )

    @field_validator("likelihood")
    @classmethod
    def _densities(cls, value: str, info: ValidationInfo) -> str:
        said = info.data.get("segmentation_loss"), info.data.get("reconstruction_loss")
        if value == "sum" and said != ("cross-entropy", "mean"):
            raise ValueError("mean, or segmentation_loss = cross-entropy and reconstruction_loss = mean: it sums them")
        return value

    def tau_dimensions(self, raters: int) -> int:
        """T: as set, else 8, or the number of raters where that is more."""
        return max(8, raters) if self.tau_size is None else self.tau_size

    def resolved(self, description: Description) -> Self:
        """With the size of tau, so that saying the default is the default."""
        return self.model_copy(update={"tau_size": self.tau_dimensions(description.n_raters)})

    def check(self, description: Description) -> None:
        """Refuses a tau in which not every rater has a dimension."""
        raters = description.n_raters
        size = self.tau_dimensions(raters)
        if self.use_tau and size < raters:
            raise UsageError(
                "option 'tau_size' is too small", expected=f"at least the number of raters, {raters}", found=f"{size}"
            )
