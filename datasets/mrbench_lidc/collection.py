"""What a published collection of slices declares, and the view of it that the options choose."""

from dataclasses import dataclass, replace

import numpy as np

from mrbench.data.caseset import CaseSet, Pixels
from mrbench.data.description import Description, Normalisation, Raters, Unit
from mrbench_lidc import CITATION, LICENCE
from mrbench_lidc.config import LidcConfig

RANKS = ("rank-1 (smallest)", "rank-2", "rank-3", "rank-4 (largest)")
SLOTS = ("slot-1", "slot-2", "slot-3", "slot-4")


@dataclass(frozen=True)
class Collection:
    """Slices with four masks each that somebody published.

    Attributes:
        name: of the data set.
        origin: where the slices come from.
        subset: what the name alone stands for; another subset adds its own name.
        normalisation: of its images.
        channels: none where it has masks alone.
        size: H and W.
        unit: of scoring.
    """

    name: str
    origin: str
    subset: str
    normalisation: Normalisation = "none"
    channels: tuple[str, ...] = ("CT",)
    size: int = 128
    unit: Unit = Unit.SLICE

    def describe(self, config: LidcConfig | None = None) -> Description:
        """The declarations under the options; without options those of the slices as they are stored."""
        ranked = config is not None and config.raters == "ranked"
        other = config is not None and config.subset != self.subset
        return Description(
            name=f"{self.name}-{config.subset}" if config is not None and other else self.name,
            version="1",
            classes=("background", "nodule"),
            channels=self.channels,
            raters=Raters.RANKED if ranked else Raters.EXCHANGEABLE,
            rater_names=RANKS if ranked else SLOTS,
            unit=self.unit,
            normalisation=self.normalisation,
            training_size=(self.size, self.size) if self.unit is Unit.VOLUME else None,
            augmentation=("flip", "rotate90"),
            licence=LICENCE,
            citation=CITATION,
            origin=self.origin,
        )

    def view(self, stored: CaseSet, config: LidcConfig) -> CaseSet:
        """The slices that ``subset`` chooses, with the columns that ``raters`` and ``unmarked`` make; no splits.

        Ranks are by (area, stored slot), ascending, over the whole slice. Slices as stored keep their digest.

        Args:
            stored: all slices, with exchangeable raters who are all present.
            config: the options.
        """
        if config.raters == "exchangeable" and config.unmarked == "empty" and config.subset == "all":
            if self.subset == "all":
                return stored
            return replace(stored, description=self.describe(config), stored_digest=None)
        areas = np.array([_areas(stored.pixels.masks(i)) for i in range(len(stored))])
        marked = areas > 0
        rows = np.flatnonzero(marked.all(axis=1)) if config.subset == "four" else np.arange(len(stored))
        slots = np.tile(np.arange(areas.shape[1]), (len(rows), 1))
        order = np.argsort(areas[rows], axis=1, kind="stable") if config.raters == "ranked" else slots
        present = marked if config.unmarked == "absent" else stored.present
        return CaseSet(
            description=self.describe(config),
            pixels=_Chosen(stored.pixels, rows, order),
            ids=tuple(stored.ids[i] for i in rows),
            subjects=tuple(stored.subjects[i] for i in rows),
            present=np.take_along_axis(present[rows], order, axis=1),
            slices=tuple(stored.slices[i] for i in rows) if stored.slices else None,
            spacings=tuple(stored.spacings[i] for i in rows) if stored.spacings else None,
            attributes={
                name: np.take_along_axis(values[rows], order, axis=1) for name, values in stored.attributes.items()
            },
            metadata=tuple(stored.metadata[i] for i in rows) if stored.metadata else None,
        )


def _areas(masks: np.ndarray) -> np.ndarray:
    """Of masks ``(R, *spatial)``: (R,) pixels or voxels."""
    return np.count_nonzero(masks.reshape(len(masks), -1), axis=1)


@dataclass(frozen=True, eq=False)
class _Chosen:
    """Some cases of others, their masks in another order."""

    pixels: Pixels
    rows: np.ndarray
    order: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def image(self, index: int) -> np.ndarray:
        return self.pixels.image(int(self.rows[index]))

    def masks(self, index: int) -> np.ndarray:
        return self.pixels.masks(int(self.rows[index]))[self.order[index]]


BENCHMARK = Collection(
    name="lidc-1609",
    origin="lidc_attributes.pkl of Medical Matting, D-Persona and ProSeg: 1,609 slices of 214 studies of LIDC-IDRI",
    subset="four",
    normalisation="byte",
)
MASKS = Collection(
    name="lidc-1609-masks",
    origin="outlines of LIDC-IDRI on the 1,609 slices of the published benchmark, redrawn; no images",
    subset="four",
    channels=(),
)
PROBABILISTIC = Collection(
    name="lidc-15096",
    origin="data_lidc.pickle of the Probabilistic U-Net in PyTorch: 15,096 slices of LIDC-IDRI",
    subset="all",
)
PHISEG = Collection(name="lidc-phiseg", origin="data_lidc.hdf5 as PHiSeg's code makes it from LIDC-IDRI", subset="all")
