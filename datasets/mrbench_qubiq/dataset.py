"""From the prepared container to cases."""

from dataclasses import replace
from pathlib import Path

from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container
from mrbench.errors import DataAbsentError, DataError
from mrbench_qubiq.config import QubiqConfig
from mrbench_qubiq.prepare import container_name, describe
from mrbench_qubiq.splits import make_splits


def load(config: QubiqConfig, folder: Path) -> CaseSet:
    """Slices (C, H, W) of one task with its three to seven raters, at the size that they were released in.

    The splits are ``strict`` and ``training-validation``.

    Raises:
        DataAbsentError: the task's container is not in the data folder.
        DataError: it is there and wrong.
    """
    path = folder / container_name(config)
    if not path.is_file():
        raise _absent(folder, config)
    cases = open_container(path)
    declared = replace(describe(config), training_size=cases.description.training_size)
    if replace(cases.description, raters=declared.raters) != declared:
        raise _other(path, cases.description.name, config)
    same = cases.description == declared
    return replace(
        cases,
        description=declared,
        splits=make_splits(cases.ids, config),
        stored_digest=cases.stored_digest if same else None,
    )


def _absent(folder: Path, config: QubiqConfig) -> DataAbsentError:
    return DataAbsentError(
        f"task {config.task!r} of data set 'qubiq' is not prepared",
        expected=f"{container_name(config)} in the data folder, made from the QUBIQ challenge: register at the "
        "challenge's site and download the training and validation archives",
        found=f"no such file in {folder}",
        hint=f"mrbench data prepare qubiq --source FOLDER --set task={config.task}, where FOLDER holds the collections",
    )


def _other(path: Path, name: str, config: QubiqConfig) -> DataError:
    return DataError(
        f"{path} holds another data set",
        expected=f"the declarations of {describe(config).name!r} as this version makes them",
        found=f"{name!r}" + (", an incomplete collection: set partial=true" if name.endswith("-partial") else ""),
        hint=f"mrbench data prepare qubiq --source FOLDER --set task={config.task}",
    )
