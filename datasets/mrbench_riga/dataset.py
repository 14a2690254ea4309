"""From the prepared container to cases."""

from dataclasses import replace
from pathlib import Path

from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container
from mrbench.errors import DataAbsentError, DataError
from mrbench_riga.config import RigaConfig
from mrbench_riga.prepare import FILE, describe
from mrbench_riga.splits import make_splits


def load(config: RigaConfig, folder: Path) -> CaseSet:
    """Crops of the disc region (3, size, size) with six identified raters, streamed from ``riga.h5``.

    Three classes that exclude each other: the cup lies in the disc, so what the disc has beyond it is its rim, and the
    disc is both together. The splits are ``strict`` and ``magrabia``.

    Raises:
        DataAbsentError: ``riga.h5`` is not in the data folder.
        DataError: it is there and wrong, or of another size.
    """
    path = folder / FILE
    if not path.is_file():
        raise _absent(folder)
    cases = open_container(path, "stream")
    if cases.description != describe(config):
        raise _other(path, cases, config)
    return replace(cases, splits=make_splits(cases.ids, config))


def _absent(folder: Path) -> DataAbsentError:
    return DataAbsentError(
        "data set 'riga' is not prepared",
        expected=f"{FILE} in the data folder, made from RIGA in the form of label masks that MRNet published",
        found=f"no such file in {folder}",
        hint="mrbench data prepare riga --source FOLDER, where FOLDER holds DiscRegion and the three lists",
    )


def _other(path: Path, cases: CaseSet, config: RigaConfig) -> DataError:
    found = cases.description
    return DataError(
        f"{path} holds another data set",
        expected=f"{describe(config).name!r}: {describe(config).origin}",
        found=f"{found.name!r}: {found.origin}",
        hint=f"mrbench data prepare riga --source FOLDER --set size={config.size}"
        + (" --set partial=true" if config.partial else ""),
    )
