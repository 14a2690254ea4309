"""Options in a module that is not light."""

import h5py  # noqa: F401
from bad_config import BadConfig

__all__ = ["BadConfig"]
