"""From the prepared container to cases."""

from dataclasses import replace
from pathlib import Path

from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container
from mrbench.errors import DataAbsentError, DataError
from mrbench_npc.config import NpcConfig
from mrbench_npc.prepare import container_name, describe
from mrbench_npc.splits import SLICES, make_splits


def load(config: NpcConfig, folder: Path) -> CaseSet:
    """Volumes (3, D, 128, 128) with four identified raters, streamed; splits ``strict``, ``80-20-20`` and ``100-20``.

    The unit is the volume. Slices for training are cut from the volumes of the training list, or, with
    ``slices=training_2d``, are the challenge's own as volumes of depth one. Each belongs to the subject of its volume,
    so that a slice of a volume that was moved to validation is in no list, and a list that held it would be refused.

    Raises:
        DataAbsentError: the container is not in the data folder.
        DataError: it is there and wrong.
    """
    path = folder / container_name(config)
    if not path.is_file():
        raise _absent(folder, config)
    cases = open_container(path, "stream")
    if cases.description != describe(config):
        raise _other(path, cases.description.name, config)
    return replace(cases, splits=make_splits(cases.ids, cases.subjects, config))


def _absent(folder: Path, config: NpcConfig) -> DataAbsentError:
    ready = config.slices == SLICES
    return DataAbsentError(
        "data set 'npc' is not prepared" + (f" with slices={SLICES}" if ready else ""),
        expected=f"{container_name(config)} in the data folder, made from the MMIS-2024 challenge, task 1 (NPC-170): "
        "register at the challenge's site and download the folders training and validation "
        f"({SLICES} is {'needed' if ready else 'not needed'})",
        found=f"no such file in {folder}",
        hint=_hint(config),
    )


def _other(path: Path, name: str, config: NpcConfig) -> DataError:
    return DataError(
        f"{path} holds another data set",
        expected=f"the declarations of {describe(config).name!r} as this version makes them",
        found=f"{name!r}" + (", an incomplete collection: set partial=true" if name.endswith("-partial") else ""),
        hint=_hint(config),
    )


def _hint(config: NpcConfig) -> str:
    ready = config.slices == SLICES
    folders = f"training, validation and {SLICES}" if ready else "training and validation"
    setting = f" --set slices={SLICES}" if ready else ""
    return f"mrbench data prepare npc --source FOLDER{setting}, where FOLDER holds {folders}"
