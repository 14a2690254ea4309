"""From the prepared container to cases."""

from dataclasses import replace
from pathlib import Path

from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container
from mrbench.errors import DataAbsentError, DataError
from mrbench.interfaces.dataset import Dataset
from mrbench_npc.config import NpcConfig
from mrbench_npc.prepare import FILE, describe
from mrbench_npc.splits import make_splits


class Npc(Dataset[NpcConfig]):
    """Volumes (3, D, 128, 128) with four identified raters, streamed from ``npc.h5``.

    The unit is the volume, and slices for training are cut from the volumes of the training list, so the leak of the
    challenge's ``training_2d`` folder, slices of cases that were moved to validation, cannot occur.
    """

    def load(self) -> CaseSet:
        """The cases with the splits ``strict``, ``80-20-20`` and ``100-20``.

        Raises:
            DataAbsentError: ``npc.h5`` is not in the data folder.
            DataError: it is there and wrong.
        """
        path = self.folder / FILE
        if not path.is_file():
            raise _absent(self.folder)
        cases = open_container(path, "stream")
        if cases.description != describe(self.config):
            raise _other(path, cases.description.name, self.config)
        return replace(cases, splits=make_splits(cases.ids, self.config))


def _absent(folder: Path) -> DataAbsentError:
    return DataAbsentError(
        "data set 'npc' is not prepared",
        expected=f"{FILE} in the data folder, made from the MMIS-2024 challenge, task 1 (NPC-170): register at the "
        "challenge's site and download the folders training and validation (training_2d is not needed)",
        found=f"no such file in {folder}",
        hint="mrbench data prepare npc --source FOLDER, where FOLDER holds training and validation",
    )


def _other(path: Path, name: str, config: NpcConfig) -> DataError:
    return DataError(
        f"{path} holds another data set",
        expected=f"the declarations of {describe(config).name!r} as this version makes them",
        found=f"{name!r}" + (", an incomplete collection: set partial=true" if name == "npc-partial" else ""),
        hint="mrbench data prepare npc --source FOLDER",
    )
