"""Options of the data sets."""

from mrbench.data.released.options import PictureConfig


class TwoObserversConfig(PictureConfig):
    """Two observers who drew in all images: columns are persons."""


DriveConfig = PictureConfig.with_defaults(raters="exchangeable")
"""Three observers drew DRIVE's two sets of masks (reviewdb.lincoln.ac.uk/RelatedLinks.aspx): columns are no persons."""
