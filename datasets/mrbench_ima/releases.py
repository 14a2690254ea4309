"""The two data sets of the release; see :mod:`mrbench_ima.listing` for its files."""

from mrbench.data.released.labels import BINARY
from mrbench.data.released.release import Release
from mrbench_ima import IMA as IMA_CARD
from mrbench_ima import IMA_ALL as IMA_ALL_CARD
from mrbench_ima.listing import ListedFiles

IMA = Release(
    card=IMA_CARD,
    files=ListedFiles("IMAplusplus_multiannotator_subset_seg_metadata.csv", 2394),
    labels=BINARY,
    classes=("background", "lesion"),
    origin="IMA++, images with several masks",
    augmentation=("flip", "rotate90", "rotate"),
)

IMA_ALL = Release(
    card=IMA_ALL_CARD,
    files=ListedFiles("IMAplusplus_seg_metadata.csv", 14967),
    labels=BINARY,
    classes=IMA.classes,
    origin="IMA++, all images",
    augmentation=IMA.augmentation,
)
