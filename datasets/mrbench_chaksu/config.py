"""Options of the data set."""

from mrbench.data.released.options import PictureConfig

ChaksuConfig = PictureConfig.with_defaults(longest=512)
"""Photographs have up to 3264 pixels a side."""
