"""From an archive of images to cases."""

from typing import ClassVar

import numpy as np

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters
from mrbench.data.splits import Split, split_by_subject
from mrbench.errors import DataAbsentError
from mrbench.interfaces.dataset import Dataset
from mrbench_bubil import CITATION, LICENCE
from mrbench_bubil.config import BubilConfig
from mrbench_bubil.images import Images, read_images


class Bubil(Dataset[BubilConfig]):
    """One collection: image (1, H, W), a mask of every rater, all present everywhere.

    The raters are the same people throughout. The library names no subjects, so every image is its own: images of one
    culture or animal may stand on both sides of a split, and intervals take images as independent.

    Attributes:
        collection: phase, fluo or mri.
        channel: name of the image's channel.
        object: what is outlined.
        n_raters: R.
        side: H = W.
    """

    collection: ClassVar[str]
    channel: ClassVar[str]
    object: ClassVar[str]
    n_raters: ClassVar[int]
    side: ClassVar[int]

    @property
    def _file(self) -> str:
        return f"bubil_{self.collection}.npz"

    def load(self) -> CaseSet:
        """The cases, with a ``strict`` split by image, balanced in the mean area (pixels) of their objects.

        Raises:
            DataAbsentError: the archive is not in the data folder.
            DataError: it is there and wrong.
        """
        path = self.folder / self._file
        if not path.is_file():
            raise self._absent()
        images = read_images(path, self.n_raters, self.side)
        ids = tuple(f"{subset}-{name}" for subset, name in zip(images.subsets, images.names, strict=True))
        return CaseSet(
            description=self._description(images.raters),
            pixels=ArrayPixels(images.images[:, None], images.masks.astype(np.uint8)),
            ids=ids,
            subjects=ids,
            present=np.ones((len(ids), self.n_raters), bool),
            splits={"strict": self._split(ids, images)},
            metadata=_metadata(images),
        )

    def _split(self, ids: tuple[str, ...], images: Images) -> Split:
        return split_by_subject(
            ids,
            folds=self.config.folds,
            seed=self.config.split_seed,
            validation_share=self.config.validation_share,
            size=images.masks.sum(axis=(2, 3)).mean(axis=1).tolist(),
        )

    def _description(self, raters: tuple[str, ...]) -> Description:
        return Description(
            name=f"bubil-{self.collection}",
            version="1",
            classes=("background", self.object),
            channels=(self.channel,),
            raters=Raters.IDENTIFIED,
            rater_names=raters,
            normalisation="byte",
            augmentation=("flip", "rotate90"),
            native_grid=False,
            licence=LICENCE,
            citation=CITATION,
            origin="Boston University Biomedical Image Library; it names no subjects: every image is its own subject",
        )

    def _absent(self) -> DataAbsentError:
        return DataAbsentError(
            f"data set 'bubil-{self.collection}' is not there",
            expected=f"{self._file} in the data folder: images of the Boston University Biomedical Image Library "
            f"({CITATION})",
            found=f"no such file in {self.folder}",
            hint=f"name the folder that holds {self._file} with --data or $MRBENCH_DATA: "
            f"MRBENCH_DATA=FOLDER mrbench data verify bubil-{self.collection}",
        )


class BubilPhase(Bubil):
    """Cells under phase contrast; five persons, each with two tools."""

    collection, channel, object, n_raters, side = "phase", "phase contrast", "cell", 10, 128


class BubilFluo(Bubil):
    """Cells under fluorescence; three experts."""

    collection, channel, object, n_raters, side = "fluo", "fluorescence", "cell", 3, 64


class BubilMri(Bubil):
    """Vessel sections on MRI; five persons, each with two tools."""

    collection, channel, object, n_raters, side = "mri", "MRI", "vessel", 10, 32


def _metadata(images: Images) -> tuple[dict[str, str | float], ...]:
    return tuple(
        {"subset": subset, "native_px_per_px": native}
        for subset, native in zip(images.subsets, images.native.tolist(), strict=True)
    )
