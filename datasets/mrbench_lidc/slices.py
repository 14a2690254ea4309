"""Published collections of slices, from their prepared containers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container
from mrbench.data.splits import Fold, Split
from mrbench.errors import DataAbsentError, DataError
from mrbench_lidc import published
from mrbench_lidc.collection import BENCHMARK, PHISEG, PROBABILISTIC, Collection
from mrbench_lidc.config import LidcConfig


def load_1609(config: LidcConfig, folder: Path) -> CaseSet:
    """The published benchmark: 1,609 slices of 214 studies and 211 patients.

    Splits: ``strict`` by patient, and the papers' own: ``published`` by study, ``published-slice`` by slice. Errors as
    for :func:`load_15096`.
    """
    file = "the pickle of the published benchmark, lidc_attributes.pkl (Medical Matting, D-Persona, ProSeg)"
    cases = BENCHMARK.view(_stored(BENCHMARK, folder, file), config)
    return replace(cases, splits=_strict(cases, config) | benchmark_splits(cases, config))


def load_15096(config: LidcConfig, folder: Path) -> CaseSet:
    """The Probabilistic U-Net's data in PyTorch. Its split was never published; ``strict`` is by study.

    Slices (1, 128, 128) of four anonymous readers, read from ``<name>.h5``, those that the options choose.

    Raises:
        DataAbsentError: the container is not in the data folder.
        DataError: it is there and wrong.
    """
    file = "the pickle of the Probabilistic U-Net in PyTorch, data_lidc.pickle"
    cases = PROBABILISTIC.view(_stored(PROBABILISTIC, folder, file), config)
    return replace(cases, splits=_strict(cases, config))


def load_phiseg(config: LidcConfig, folder: Path) -> CaseSet:
    """PHiSeg's data: the split ``published`` is the one in its file, ``strict`` is by series.

    ``published`` is as in the container, without the slices that the options leave out. Errors as for
    :func:`load_15096`.
    """
    stored = _stored(PHISEG, folder, "the HDF5 file that PHiSeg's code makes, data_lidc.hdf5")
    cases = PHISEG.view(stored, config)
    places = {name: place for place, name in enumerate(cases.ids)}
    as_made = stored.split("published")
    folds = tuple(Fold(*(_kept(part, stored, places) for part in fold.parts().values())) for fold in as_made.folds)
    return replace(cases, splits=_strict(cases, config) | {"published": Split("published", folds)})


def _stored(collection: Collection, folder: Path, source: str) -> CaseSet:
    path = folder / f"{collection.name}.h5"
    if not path.is_file():
        raise _absent(path, collection.name, source)
    stored = open_container(path, "stream")
    if stored.description != collection.describe():
        raise _other(path, collection.name, stored.description.name)
    return stored


def _strict(cases: CaseSet, config: LidcConfig) -> dict[str, Split]:
    return {"strict": published.strict(cases.subjects, config)}


def _absent(path: Path, name: str, source: str) -> DataAbsentError:
    return DataAbsentError(
        f"data set {name!r} is not prepared",
        expected=f"{path.name} in the data folder, made from {source}",
        found=f"no such file in {path.parent}",
        hint=f"mrbench data prepare {name} --source FILE",
    )


def _other(path: Path, name: str, found: str) -> DataError:
    return DataError(
        f"{path} holds another data set",
        expected=f"the declarations of {name!r} as this version makes them",
        found=repr(found),
        hint=f"mrbench data prepare {name} --source FILE",
    )


def _kept(part: np.ndarray, stored: CaseSet, places: Mapping[str, int]) -> np.ndarray:
    found = (places.get(stored.ids[i]) for i in part)
    return np.array([place for place in found if place is not None], np.int64)


def benchmark_splits(cases: CaseSet, config: LidcConfig) -> dict[str, Split]:
    """The published folds of the benchmark's slices, whose names are the cases'."""
    return {
        "published": published.published(cases.ids, cases.subjects, config),
        "published-slice": published.published_slice(cases.subjects, config),
    }
