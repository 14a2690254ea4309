"""``lidc-1609-masks``: the masks and ratings of the published slices, without their images.

``lidc_slices_masks.npz`` has N rows of R = 4 readers: ``masks`` (N, 4, 128, 128) bool; ``attributes`` (N, 4, 9)
integers, 0 where missing, with ``attribute_names`` (9,); ``patient_id`` and ``name``, ``<study>_slice<k>``, (N,).
Other fields are ignored.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrbench.data.archive import Field, read_archive
from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.errors import DataAbsentError, DataError
from mrbench_lidc import published
from mrbench_lidc.collection import MASKS
from mrbench_lidc.config import LidcConfig
from mrbench_lidc.slices import benchmark_splits

FILE = "lidc_slices_masks.npz"

_HINT = f"put the original {FILE} there again"
_FIELDS = {
    "masks": Field("b", ("N", 4, MASKS.size, MASKS.size)),
    "attributes": Field("iu", ("N", 4, 9)),
    "attribute_names": Field("U", (9,)),
    "patient_id": Field("U", ("N",)),
    "name": Field("U", ("N",)),
}


def load(config: LidcConfig, folder: Path) -> CaseSet:
    """The published slices' masks: image (0, 128, 128), four masks, nine ratings per reader; splits of ``lidc-1609``.

    Without images nothing can learn; fusions of the masks and agreement of the raters are what it is for.

    Raises:
        DataAbsentError: ``lidc_slices_masks.npz`` is not in the data folder.
        DataError: it is there and wrong.
    """
    path = folder / FILE
    if not path.is_file():
        raise _absent(folder)
    cases = MASKS.view(_read(path), config)
    strict = published.strict(cases.subjects, config)
    return replace(cases, splits={"strict": strict} | benchmark_splits(cases, config))


def _absent(folder: Path) -> DataAbsentError:
    return DataAbsentError(
        f"data set {MASKS.name!r} is not there",
        expected=f"{FILE} in the data folder",
        found=f"no such file in {folder}",
        hint=f"name the folder that holds {FILE} with --data or $MRBENCH_DATA",
    )


def _read(path: Path) -> CaseSet:
    fields = read_archive(path, _FIELDS, hint=_HINT, free_bytes=2**27)  # outlines alone pack more than 200-fold
    names, patients = tuple(fields["name"].tolist()), tuple(fields["patient_id"].tolist())
    _check(path, names, patients)
    ratings = fields["attributes"].astype(np.float64)
    ratings[ratings <= 0] = np.nan
    masks = fields["masks"].view(np.uint8)
    return CaseSet(
        description=MASKS.describe(),
        pixels=ArrayPixels(np.empty((len(masks), 0, *masks.shape[2:]), np.float32), masks),
        ids=names,
        subjects=patients,
        present=np.ones(masks.shape[:2], bool),
        slices=tuple(int(name.rpartition("_slice")[2]) for name in names),
        attributes={str(name): ratings[:, :, a] for a, name in enumerate(fields["attribute_names"].tolist())},
    )


def _check(path: Path, names: tuple[str, ...], patients: tuple[str, ...]) -> None:
    wrong = [name for name in names if re.fullmatch(r"[^_]+_slice[0-9]{1,6}", name) is None]
    if wrong or not all(patients):
        found = repr(wrong[0]) if wrong else "an empty patient_id"
        raise DataError(f"{path} has wrong names", expected="<study>_slice<k> and a patient", found=found, hint=_HINT)
