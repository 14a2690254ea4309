"""From an archive of images to cases."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters
from mrbench.data.splits import Split, split_by_subject
from mrbench.errors import DataAbsentError
from mrbench_bubil import CITATION, LICENCE
from mrbench_bubil.config import BubilConfig
from mrbench_bubil.images import Images, read_images


@dataclass(frozen=True)
class Collection:
    """What is known of a collection.

    Attributes:
        name: phase, fluo or mri.
        channel: name of the image's channel.
        object: what is outlined.
        n_raters: R.
        side: H = W.
    """

    name: str
    channel: str
    object: str
    n_raters: int
    side: int

    @property
    def file(self) -> str:
        """The archive's name."""
        return f"bubil_{self.name}.npz"


PHASE = Collection("phase", "phase contrast", "cell", 10, 128)
FLUO = Collection("fluo", "fluorescence", "cell", 3, 64)
MRI = Collection("mri", "MRI", "vessel", 10, 32)


def load_phase(config: BubilConfig, folder: Path) -> CaseSet:
    """Cells under phase contrast; five persons, each with two tools."""
    return load(PHASE, config, folder)


def load_fluo(config: BubilConfig, folder: Path) -> CaseSet:
    """Cells under fluorescence; three experts."""
    return load(FLUO, config, folder)


def load_mri(config: BubilConfig, folder: Path) -> CaseSet:
    """Vessel sections on MRI; five persons, each with two tools."""
    return load(MRI, config, folder)


def load(collection: Collection, config: BubilConfig, folder: Path) -> CaseSet:
    """One collection: image (1, H, W), a mask of every rater, all present everywhere.

    The raters are the same people throughout. The library names no subjects, so every image is its own: images of one
    culture or animal may stand on both sides of a split, and intervals take images as independent. The split ``strict``
    is by image, balanced in the mean area (pixels) of their objects.

    Raises:
        DataAbsentError: the archive is not in the data folder.
        DataError: it is there and wrong.
    """
    path = folder / collection.file
    if not path.is_file():
        raise _absent(collection, folder)
    images = read_images(path, collection.n_raters, collection.side)
    ids = tuple(f"{subset}-{name}" for subset, name in zip(images.subsets, images.names, strict=True))
    return CaseSet(
        description=_description(collection, images.raters),
        pixels=ArrayPixels(images.images[:, None], images.masks.astype(np.uint8)),
        ids=ids,
        subjects=ids,
        present=np.ones((len(ids), collection.n_raters), bool),
        splits={"strict": _split(ids, images, config)},
        metadata=_metadata(images),
    )


def _split(ids: tuple[str, ...], images: Images, config: BubilConfig) -> Split:
    return split_by_subject(
        ids,
        folds=config.folds,
        seed=config.split_seed,
        validation_share=config.validation_share,
        size=images.masks.sum(axis=(2, 3)).mean(axis=1).tolist(),
    )


def _description(collection: Collection, raters: tuple[str, ...]) -> Description:
    return Description(
        name=f"bubil-{collection.name}",
        version="1",
        classes=("background", collection.object),
        channels=(collection.channel,),
        raters=Raters.IDENTIFIED,
        rater_names=raters,
        normalisation="byte",
        augmentation=("flip", "rotate90"),
        native_grid=False,
        licence=LICENCE,
        citation=CITATION,
        origin="Boston University Biomedical Image Library; it names no subjects: every image is its own subject",
    )


def _absent(collection: Collection, folder: Path) -> DataAbsentError:
    return DataAbsentError(
        f"data set 'bubil-{collection.name}' is not there",
        expected=f"{collection.file} in the data folder: images of the Boston University Biomedical Image Library "
        f"({CITATION})",
        found=f"no such file in {folder}",
        hint=f"name the folder that holds {collection.file} with --data or $MRBENCH_DATA: "
        f"MRBENCH_DATA=FOLDER mrbench data verify bubil-{collection.name}",
    )


def _metadata(images: Images) -> tuple[dict[str, str | float], ...]:
    return tuple(
        {"subset": subset, "native_px_per_px": native}
        for subset, native in zip(images.subsets, images.native.tolist(), strict=True)
    )
