"""Options of the data set."""

from mrbench.configuration import Config, option


class FolderConfig(Config):
    """Which container."""

    file: str = option("", "the container that mrbench data import wrote: a path, or a name in the data folder")
