"""Options of the data sets."""

from mrbench.data.released.options import PictureConfig

ImaConfig = PictureConfig.with_defaults(longest=256)
"""Images have up to some 6000 pixels a side, each its own size."""
