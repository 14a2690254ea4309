"""Published collections of slices, from their prepared containers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container
from mrbench.data.splits import Fold, Split
from mrbench.errors import DataAbsentError, DataError
from mrbench.interfaces.dataset import Dataset
from mrbench_lidc import published
from mrbench_lidc.collection import BENCHMARK, PHISEG, PROBABILISTIC, Collection
from mrbench_lidc.config import LidcConfig


class Slices(Dataset[LidcConfig]):
    """Slices (1, 128, 128) of four anonymous readers, read from ``<name>.h5``."""

    collection: ClassVar[Collection]
    source: ClassVar[str]
    """The file that the container is made from."""

    def load(self) -> CaseSet:
        """The slices that the options choose, with the split ``strict`` and those that were published.

        Raises:
            DataAbsentError: the container is not in the data folder.
            DataError: it is there and wrong.
        """
        path = self.folder / f"{self.collection.name}.h5"
        if not path.is_file():
            raise self._absent(path)
        stored = open_container(path, "stream")
        if stored.description != self.collection.describe():
            raise self._other(path, stored.description.name)
        cases = self.collection.view(stored, self.config)
        return replace(cases, splits=self.splits(cases, stored))

    def splits(self, cases: CaseSet, stored: CaseSet) -> Mapping[str, Split]:
        """The splits of the chosen cases; ``stored`` has the ones of the container."""
        del stored
        return {"strict": published.strict(cases.subjects, self.config)}

    def _absent(self, path: Path) -> DataAbsentError:
        name = self.collection.name
        return DataAbsentError(
            f"data set {name!r} is not prepared",
            expected=f"{path.name} in the data folder, made from {self.source}",
            found=f"no such file in {path.parent}",
            hint=f"mrbench data prepare {name} --source FILE",
        )

    def _other(self, path: Path, name: str) -> DataError:
        return DataError(
            f"{path} holds another data set",
            expected=f"the declarations of {self.collection.name!r} as this version makes them",
            found=repr(name),
            hint=f"mrbench data prepare {self.collection.name} --source FILE",
        )


class Lidc1609(Slices):
    """The published benchmark: 1,609 slices of 214 studies and 211 patients."""

    collection = BENCHMARK
    source = "the pickle of the published benchmark, lidc_attributes.pkl (Medical Matting, D-Persona, ProSeg)"

    def splits(self, cases: CaseSet, stored: CaseSet) -> Mapping[str, Split]:
        """``strict`` by patient, and the papers' own: ``published`` by study, ``published-slice`` by slice."""
        return {**super().splits(cases, stored), **benchmark_splits(cases, self.config)}


class Lidc15096(Slices):
    """The Probabilistic U-Net's data in PyTorch. Its split was never published; ``strict`` is by study."""

    collection = PROBABILISTIC
    source = "the pickle of the Probabilistic U-Net in PyTorch, data_lidc.pickle"


class LidcPhiseg(Slices):
    """PHiSeg's data: the split ``published`` is the one in its file, ``strict`` is by series."""

    collection = PHISEG
    source = "the HDF5 file that PHiSeg's code makes, data_lidc.hdf5"

    def splits(self, cases: CaseSet, stored: CaseSet) -> Mapping[str, Split]:
        """``strict``, and ``published`` as in the container, without the slices that the options leave out."""
        places = {name: place for place, name in enumerate(cases.ids)}
        as_made = stored.split("published")
        folds = tuple(Fold(*(_kept(part, stored, places) for part in fold.parts().values())) for fold in as_made.folds)
        return {**super().splits(cases, stored), "published": Split("published", folds)}


def _kept(part: np.ndarray, stored: CaseSet, places: Mapping[str, int]) -> np.ndarray:
    found = (places.get(stored.ids[i]) for i in part)
    return np.array([place for place in found if place is not None], np.int64)


def benchmark_splits(cases: CaseSet, config: LidcConfig) -> dict[str, Split]:
    """The published folds of the benchmark's slices, whose names are the cases'."""
    return {
        "published": published.published(cases.ids, cases.subjects, config),
        "published-slice": published.published_slice(cases.subjects, config),
    }
