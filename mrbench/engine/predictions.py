"""``predictions.h5``: packed draws and tables, written and read in blocks of cases, so that memory stays bounded."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mrbench.engine.cell import FORMAT
from mrbench.engine.predict import Predicted
from mrbench.errors import DataError, IncompatibleError
from mrbench.interfaces.draw import DrawKind
from mrbench.metrics.tables import CaseTables, pack, unpack

BLOCK = 128
"""Cases per block."""

KINDS = tuple(DrawKind)


class PredictionWriter:
    """Writes the predictions of a cell, case by case."""

    def __init__(self, path: Path) -> None:
        self.file = h5py.File(path, "w")
        self.file.attrs["mrbench_predictions"] = FORMAT
        self.blocks = 0
        self._clear()

    def add(self, case_id: str, subject: str, trials: Sequence[Predicted]) -> None:
        """Adds one case with its trials."""
        self.ids.append(case_id)
        self.subjects.append(subject)
        self.counts.append(len(trials))
        self.trials += trials
        if len(self.ids) == BLOCK:
            self._flush()

    def close(self) -> None:
        """Writes what is left."""
        if self.ids:
            self._flush()
        self.file.attrs["blocks"] = self.blocks
        self.file.close()

    def _clear(self) -> None:
        self.ids: list[str] = []
        self.subjects: list[str] = []
        self.counts: list[int] = []
        self.trials: list[Predicted] = []

    def _flush(self) -> None:
        block = self.file.create_group(f"block{self.blocks:06d}")
        block["case"] = np.array(self.ids, dtype=h5py.string_dtype())
        block["subject"] = np.array(self.subjects, dtype=h5py.string_dtype())
        block["trials"] = np.array(self.counts, dtype=np.int32)
        tables = block.create_group("tables")
        for name, array in pack([trial.tables for trial in self.trials]).items():
            _write(tables, name, array)
        self._write_draws(block.create_group("draws"))
        self.blocks += 1
        self._clear()

    def _write_draws(self, group: Any) -> None:
        packed = [trial.packed for trial in self.trials]
        _write(group, "bits", np.concatenate([part.reshape(-1) for part in packed] or [np.zeros(0, np.uint8)]))
        _write(group, "shape", np.array([part.shape for part in packed], np.int64).reshape(-1, 3))
        _write(group, "kind", np.array([KINDS.index(k) for t in self.trials for k in t.kinds], np.uint8))
        _write(group, "rater", np.array([r for t in self.trials for r in t.raters], np.int16))


def _write(group: Any, name: str, array: np.ndarray) -> None:
    large = array.size > 64
    group.create_dataset(name, data=array, compression="gzip" if large else None, shuffle=large and array.itemsize > 1)


def read_tables(path: Path) -> Iterator[tuple[str, str, list[CaseTables]]]:
    """Case, subject and the tables of its trials, block by block.

    Raises:
        DataError: not a readable predictions file.
        IncompatibleError: written by a version that this one does not read.
    """
    try:
        with h5py.File(path, "r") as file:
            _check_format(file, path)
            for number in range(int(file.attrs["blocks"])):
                yield from _read_block(file[f"block{number:06d}"])
    except (OSError, KeyError) as error:
        raise DataError(f"cannot read the predictions {path}", found=str(error), hint="mrbench run --force") from error


def _check_format(file: Any, path: Path) -> None:
    found = file.attrs.get("mrbench_predictions")
    if found != FORMAT:
        raise IncompatibleError(f"{path} has another format", expected=str(FORMAT), found=str(found))


def _read_block(block: Any) -> Iterator[tuple[str, str, list[CaseTables]]]:
    tables = iter(unpack({name: item[()] for name, item in block["tables"].items()}))
    for case_id, subject, count in zip(
        block["case"].asstr()[()], block["subject"].asstr()[()], block["trials"][()], strict=True
    ):
        yield case_id, subject, [next(tables) for _ in range(count)]


def read_draws(path: Path) -> Iterator[tuple[str, list[tuple[DrawKind, int, np.ndarray]]]]:
    """Case and its first trial's draws: kind, rater (-1: none) and packed bits ``(F, bytes)``."""
    with h5py.File(path, "r") as file:
        _check_format(file, path)
        for number in range(int(file.attrs["blocks"])):
            block = file[f"block{number:06d}"]
            trials = iter(_trial_draws(block["draws"]))
            for case_id, count in zip(block["case"].asstr()[()], block["trials"][()], strict=True):
                draws = [next(trials) for _ in range(count)]
                yield case_id, draws[0] if draws else []


def _trial_draws(group: Any) -> Iterator[list[tuple[DrawKind, int, np.ndarray]]]:
    bits, kinds, raters = group["bits"][()], group["kind"][()], group["rater"][()]
    start = first = 0
    for shape in group["shape"][()]:
        size, count = int(np.prod(shape)), int(shape[0])
        packed = bits[start : start + size].reshape(shape)
        rows = range(first, first + count)
        yield [(KINDS[kinds[row]], int(raters[row]), packed[row - first]) for row in rows]
        start, first = start + size, first + count
