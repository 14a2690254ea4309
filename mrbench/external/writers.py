"""Predictions into files: a folder of images, or arrays in one file; what :mod:`mrbench.external.source` reads."""

import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import quote

import h5py
import numpy as np
from numpy.lib import format as npy

from mrbench.data.case import Case
from mrbench.data.description import Description, Unit
from mrbench.errors import UsageError
from mrbench.external.arrays import CASE, FIELDS, RATER
from mrbench.external.grid import Grid
from mrbench.external.images import nifti_bytes, png_bytes
from mrbench.external.stems import stems_of, write_stems

TRUTH = "truth"
"""The field of the raters' masks; nothing reads it back."""

VOID = "void"
"""The field of the pixels that count nowhere, 1 where they are; one mask, which nothing reads back."""

ONE_MASK = ("consensus", VOID)

FIELD_RATERS = {"raters": RATER, TRUTH: f"{TRUTH}_rater"}
"""Where it stands whom the masks of a field belong to."""

FORMATS = ("nifti", "png", "npz", "hdf5")


class Writer(Protocol):
    """Takes the predictions of one method on one data set, a field of a case at a time."""

    def add(self, case: Case, field: str, raters: Sequence[int | None], labels: Iterable[np.ndarray]) -> None:
        """Writes the masks of one field of a case.

        Args:
            case: that they are of.
            field: ``samples``, ``raters``, ``consensus``, ``truth`` or ``void``.
            raters: ``(n,)`` the column that each mask belongs to, None where it belongs to none.
            labels: n times ``(*spatial)`` uint8 below K.
        """
        ...

    def close(self) -> None: ...


def open_writer(path: Path, kind: str, cases: Sequence[str], description: Description) -> tuple[Writer, Path]:
    """A writer, and the path with its ending.

    Args:
        path: without an ending.
        kind: one of ``FORMATS``.
        cases: names of all cases that will be written.
        description: of the data set.

    Raises:
        UsageError: a format that cannot hold the data set, or whose package is not installed.
    """
    if kind in ("nifti", "png"):
        return FolderWriter(path, kind, cases, description), path
    path = path.with_name(path.name + {"npz": ".npz", "hdf5": ".h5"}[kind])
    names = description.rater_names
    return (NpzWriter(path, names) if kind == "npz" else Hdf5Writer(path, names)), path


class FolderWriter:
    """An image per mask: ``<case>/sample-000.png`` and so on; ``cases.csv`` says which case a folder is of."""

    def __init__(self, folder: Path, kind: str, cases: Sequence[str], description: Description) -> None:
        if kind == "png" and description.unit is Unit.VOLUME:
            raise UsageError("a PNG holds a slice, and the cases are volumes", hint="--format nifti, npz or hdf5")
        self.folder, self.names, self.classes = folder, description.rater_names, description.n_classes
        self.png, self.stems = kind == "png", stems_of(cases)
        folder.mkdir()
        write_stems(folder, self.stems)

    def add(self, case: Case, field: str, raters: Sequence[int | None], labels: Iterable[np.ndarray]) -> None:
        """Writes a file per mask."""
        folder = self.folder / self.stems[case.id]
        folder.mkdir(exist_ok=True)
        for name, values in zip(mask_names(field, raters, self.names), labels, strict=True):
            if self.png:
                (folder / f"{name}.png").write_bytes(png_bytes(values, 2 if field == VOID else self.classes))
            else:
                (folder / f"{name}.nii.gz").write_bytes(nifti_bytes(values, Grid.of(case)))

    def close(self) -> None:
        """Nothing is held open."""


def mask_names(field: str, raters: Sequence[int | None], rater_names: Sequence[str]) -> list[str]:
    """Names without endings of the files of one field of a case; ``raters`` says whose each mask is."""
    if field == "samples":
        return [f"sample-{number:03d}" for number in range(len(raters))]
    if field in ONE_MASK:
        return [field]
    head = TRUTH if field == TRUTH else "rater"
    names = [f"{head}-{quote(rater_names[rater], safe='')}" for rater in raters if rater is not None]
    if len(set(names)) == len(names):
        return names
    return [f"{name}-draw-{names[:place].count(name):03d}" for place, name in enumerate(names)]


class NpzWriter:
    """A NumPy archive with ``<case>/<field>`` members, deflated and written mask by mask."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.names, self.archive = names, zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED)
        self.told = False

    def add(self, case: Case, field: str, raters: Sequence[int | None], labels: Iterable[np.ndarray]) -> None:
        """Writes a member; in front of the first rater predictions, whom they are for."""
        if field == TRUTH or (field == "raters" and not self.told):
            name = RATER if field == "raters" else f"{case.id}/{FIELD_RATERS[TRUTH]}"
            named = np.array([self.names[rater] for rater in raters if rater is not None])
            self._member(name, lambda file: npy.write_array(file, named, allow_pickle=False))
            self.told |= field == "raters"
        shape = case.masks.shape[1:] if field in ONE_MASK else (len(raters), *case.masks.shape[1:])
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}

        def write(file: IO[bytes]) -> None:
            npy.write_array_header_2_0(file, header)
            for values in labels:
                file.write(np.ascontiguousarray(values).tobytes())

        self._member(f"{case.id}/{field}", write)

    def _member(self, name: str, write: Callable[[IO[bytes]], None]) -> None:
        # One moment for all members, so that the same predictions give the same bytes.
        info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        with self.archive.open(info, "w", force_zip64=True) as file:
            write(file)

    def close(self) -> None:
        """Writes the table of members."""
        self.archive.close()


class Hdf5Writer:
    """An HDF5 file with ``/<case>/<field>``, a gzip chunk per mask."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path, self.names, self.file = path, names, h5py.File(path, "x")

    def add(self, case: Case, field: str, raters: Sequence[int | None], labels: Iterable[np.ndarray]) -> None:
        """Writes an array; with the first rater predictions, whom they are for."""
        _check_group(case.id)
        spatial = case.masks.shape[1:]
        shape = spatial if field in ONE_MASK else (len(raters), *spatial)
        named = np.array([self.names[rater].encode() for rater in raters if rater is not None])
        if field == "raters" and RATER not in self.file:
            self.file[RATER] = named
        group = self.file.require_group(case.id)
        if field == TRUTH:
            group[FIELD_RATERS[TRUTH]] = named
        chunks = (1,) * (len(shape) - len(spatial)) + spatial
        array = group.create_dataset(field, shape, np.uint8, chunks=chunks, compression="gzip", compression_opts=4)
        for number, values in enumerate(labels):
            array[() if field in ONE_MASK else number] = values

    def close(self) -> None:
        """Writes what HDF5 still holds."""
        with suppress(ValueError):
            self.file.close()


def _check_group(case: str) -> None:
    parts = case.split("/")
    reserved = {CASE, RATER, *FIELDS, TRUTH, VOID, *FIELD_RATERS.values()}
    if {"", "."} & set(parts) or reserved & set(parts) or "\0" in case:
        raise UsageError(f"case {case!r} cannot name a group of an HDF5 file", hint="--format npz, png or nifti")
