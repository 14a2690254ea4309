"""Options of the bad plugins."""

from mrbench import Config
from mrbench.configuration import option


class BadConfig(Config):
    fault: str = option("nothing", "what is wrong")


class Helpless(Config):
    fault: str = option("nothing", "what is wrong")
    mystery: int = option(1, "")
