"""Options of the data set."""

from mrbench.data.released.options import PictureConfig

GleasonConfig = PictureConfig.with_defaults(longest=1024)
"""Cores have about 5000 pixels a side."""
