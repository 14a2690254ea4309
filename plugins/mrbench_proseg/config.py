"""Options of ProSeg."""

from typing import Any, Literal, Self

from pydantic import ValidationInfo, field_validator, model_validator

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
        "cross-entropy", "cross-entropy: reduced as likelihood says; dice: over the whole batch, mean of the classes"
    )
    classification_loss: Literal["logits", "probabilities"] = loss_option(
        "logits", "what the cross-entropy takes for logits; probabilities: a second softmax on top of the first"
    )
    reconstruction_loss: Literal["mean", "mean-by-batch"] = loss_option(
        "mean",
        "squared error, reduced as likelihood says; mean-by-batch: mean, divided by the batch size again",
    )
    kl_z_reduction: Literal["mean", "sum"] = loss_option(
        "mean",
        "over the channels and pixels of z; against an ELBO of sums, whose cross-entropy is the mean's H W times, mean "
        "weighs the divergence 1 / latent_channels times, sum H W times",
    )
    likelihood: Literal["mean", "sum"] = loss_option(
        "mean",
        "of masks and images: mean over their pixels; sum: their log densities in nats, beside a divergence of z that "
        "is summed too (kl_z_reduction), one reading of eq. 8. It mends reconstruction against divergence of z only, "
        "not tau: classifier and divergence of tau weigh the same beside each other under both",
        added=True,
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

    @model_validator(mode="before")
    @classmethod
    def _summed(cls, values: Any) -> Any:
        """Sums the divergence of z beside summed likelihoods, where it is not said otherwise."""
        summed = isinstance(values, dict) and values.get("likelihood") == "sum"
        return {"kl_z_reduction": "sum", **values} if summed else values

    @field_validator("likelihood")
    @classmethod
    def _in_nats(cls, value: str, info: ValidationInfo) -> str:
        needed = {"segmentation_loss": "cross-entropy", "reconstruction_loss": "mean", "kl_z_reduction": "sum"}
        if value == "sum" and any(info.data.get(name) != needed[name] for name in needed):
            told = ", ".join(f"{name} = {said}" for name, said in needed.items())
            raise ValueError(f"mean, or sum with {told}, so that all terms are in nats")
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
