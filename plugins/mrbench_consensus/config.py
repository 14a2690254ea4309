"""Options of the rows made of people."""

from mrbench.configuration import Config, prediction_option


class NoOptions(Config):
    """Nothing to choose."""


class StapleOptions(Config):
    """Options of ``staple``."""

    max_iterations: int = prediction_option(
        10_000,
        "iterations after which the estimate is taken as it stands; unlike raters of a few cases need hundreds",
        ge=1,
    )
