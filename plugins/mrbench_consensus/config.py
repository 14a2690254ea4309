"""Options of the human reference rows."""

from typing import Literal

from pydantic import field_validator

from mrbench.configuration import Config, prediction_option
from mrbench.data.description import Description
from mrbench.errors import UsageError


class StapleOptions(Config):
    """Options of ``staple``."""

    start: Literal["share", "identity"] = prediction_option(
        "share", "share: of the raters, for each label; identity: each rater is right with probability 0.99999"
    )
    prior: tuple[float, ...] | None = prediction_option(
        None, "probability of each class, background first, as in 0.9,0.1; none: how frequent the raters' labels are"
    )
    disagreement_only: bool = prediction_option(
        False, "estimate from the pixels on which raters differ; where all agree their label is certain"
    )
    tolerance: float = prediction_option(
        1e-7, "largest change of a probability of a rater's label given the true one at which the iteration stops", ge=0
    )
    max_iterations: int = prediction_option(
        10_000,
        "iterations after which the estimate is taken as it stands; unlike raters of a few cases need hundreds",
        ge=1,
    )

    @field_validator("prior")
    @classmethod
    def _checked(cls, prior: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if prior is not None and not (min(prior, default=0) > 0 and abs(sum(prior) - 1) <= 1e-6):
            raise ValueError("probabilities above 0 that sum to 1")
        return prior

    def check(self, description: Description) -> None:
        """Refuses a prior that is not one probability of each class."""
        if self.prior is not None and len(self.prior) != description.n_classes:
            raise UsageError(
                "option 'prior' does not fit the classes",
                expected=f"{description.n_classes} probabilities: {', '.join(description.classes)}",
                found=", ".join(map(str, self.prior)),
            )
