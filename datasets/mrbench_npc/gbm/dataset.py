"""From the prepared container to cases."""

from dataclasses import replace
from pathlib import Path

from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container
from mrbench.errors import DataAbsentError, DataError
from mrbench_npc.gbm.config import GbmConfig
from mrbench_npc.gbm.prepare import FILE, describe, make_split


def load(config: GbmConfig, folder: Path) -> CaseSet:
    """Volumes (C, D, H, W) as released, streamed from ``gbm.h5``; of four identified raters one is present in each.

    What needs two raters of one case, such as their agreement, does not apply. The one split is ``strict``.

    Raises:
        DataAbsentError: ``gbm.h5`` is not in the data folder.
        DataError: it is there and wrong.
    """
    path = folder / FILE
    if not path.is_file():
        raise _absent(folder)
    cases = open_container(path, "stream")
    declared = describe(cases.description.channels, cases.description.training_size)
    if cases.description != declared or (cases.present.sum(axis=1) != 1).any():
        raise DataError(
            f"{path} holds another data set",
            expected=f"the declarations of {declared.name!r} as this version makes them, one rater in each case",
            found=repr(cases.description.name),
            hint="mrbench data prepare gbm --source FOLDER",
        )
    raters = cases.present.argmax(axis=1).tolist()
    return replace(cases, splits={"strict": make_split(cases.subjects, raters, config)})


def _absent(folder: Path) -> DataAbsentError:
    return DataAbsentError(
        "data set 'gbm' is not prepared",
        expected=f"{FILE} in the data folder, made from the MMIS-2024 challenge, task 2 (GBM): register at the "
        "challenge's site, download the archives Annotator_1 to Annotator_4 and unpack them",
        found=f"no such file in {folder}",
        hint="mrbench data prepare gbm --source FOLDER, where FOLDER holds Annotator_1 to Annotator_4",
    )
