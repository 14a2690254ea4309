"""``predictions.h5``: packed draws and tables, written and read in blocks of cases, so that memory stays bounded.

Files may come from others: everything is read through :class:`GuardedFile`.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mrbench.data.hdf5 import GuardedFile
from mrbench.engine.cell import FORMAT
from mrbench.engine.predict import Predicted
from mrbench.errors import DataError, IncompatibleError
from mrbench.interfaces.draw import DrawKind
from mrbench.metrics.tables import CaseTables, pack, unpack

BLOCK_CASES = 128
BLOCK_BYTES = 2**26
"""A block is written at either size, whichever comes first."""

HINT = "mrbench run --force computes the cell again"


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
        self.bytes += sum(trial.packed.nbytes + trial.tables.intersection.nbytes for trial in trials)
        if len(self.ids) >= BLOCK_CASES or self.bytes >= BLOCK_BYTES:
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
        self.bytes = 0

    def _flush(self) -> None:
        block = self.file.create_group(_name(self.blocks))
        block["case"] = np.array([name.encode() for name in self.ids])
        block["subject"] = np.array([name.encode() for name in self.subjects])
        block["trials"] = np.array(self.counts, dtype=np.int32)
        for name, array in pack([trial.tables for trial in self.trials]).items():
            _write(block, f"tables/{name}", array)
        packed = [trial.packed for trial in self.trials]
        _write(block, "bits", np.concatenate([part.reshape(-1) for part in packed] or [np.zeros(0, np.uint8)]))
        self.blocks += 1
        self._clear()


def _name(block: int) -> str:
    return f"block{block:06d}"


def _write(group: Any, name: str, array: np.ndarray) -> None:
    large = array.size > 64
    group.create_dataset(name, data=array, compression="gzip" if large else None, shuffle=large and array.itemsize > 1)


def read_tables(path: Path) -> Iterator[tuple[str, str, list[CaseTables]]]:
    """Case, subject and the tables of its trials, block by block.

    Raises:
        DataError: not a readable predictions file.
        IncompatibleError: written by a version that this one does not read.
    """
    for block in _blocks(path):
        yield from block.cases()


@dataclass(frozen=True, eq=False)
class StoredDraw:
    """One draw as stored.

    Attributes:
        kind, rater: what it stands for; rater None where it has none.
        bits: ``(F, bytes)`` uint8.
    """

    kind: DrawKind
    rater: int | None
    bits: np.ndarray


def read_draws(path: Path) -> Iterator[tuple[str, list[StoredDraw]]]:
    """Case and the draws of its first trial: samples, rater predictions, consensus. Errors: :func:`read_tables`."""
    for block in _blocks(path):
        start, bits = 0, block.file.read(f"{block.name}/bits", kinds="u", shape=(None,), packed=True)
        for case_id, _, trials in block.cases():
            draws = []
            for number, tables in enumerate(trials):
                shape = (tables.n_predicted, len(tables.intersection), -(-tables.pixels // 8))
                size = shape[0] * shape[1] * shape[2]
                if start + size > len(bits):
                    raise block.file.fault("holds too few draws", expected=f"{start + size}", found=f"{len(bits)}")
                if number == 0:
                    draws = _draws(tables, bits[start : start + size].reshape(shape))
                start += size
            yield case_id, draws


def _draws(tables: CaseTables, bits: np.ndarray) -> list[StoredDraw]:
    kinds = [(DrawKind.SAMPLE, None)] * tables.n_samples
    kinds += [(DrawKind.RATER, rater) for rater in tables.predicted_rater.tolist()]
    kinds += [(DrawKind.CONSENSUS, None)] * tables.has_consensus
    return [StoredDraw(kind, rater, part) for (kind, rater), part in zip(kinds, bits, strict=True)]


@dataclass(frozen=True, eq=False)
class _Block:
    file: GuardedFile
    name: str

    def cases(self) -> Iterator[tuple[str, str, list[CaseTables]]]:
        names = self.file.names(f"{self.name}/tables", limit=64)
        shapes = {name: (None, None) if name == "layout" else (None,) for name in names}
        tables = unpack({name: self._read(f"tables/{name}", "iub", shapes[name]) for name in names})
        ids, subjects = (self._texts(name) for name in ("case", "subject"))
        counts = self._read("trials", "i", (len(ids),)).tolist()
        if len(subjects) != len(ids) or min(counts, default=0) < 0 or sum(counts) != len(tables):
            raise self.file.fault(f"holds another number of cases than of tables in /{self.name}")
        rest = iter(tables)
        for case_id, subject, count in zip(ids, subjects, counts, strict=True):
            yield case_id, subject, [next(rest) for _ in range(count)]

    def _read(self, name: str, kinds: str, shape: tuple[int | None, ...]) -> np.ndarray:
        return self.file.read(f"{self.name}/{name}", kinds=kinds, shape=shape, packed=True)

    def _texts(self, name: str) -> list[str]:
        return [text.decode("utf-8", "replace") for text in self._read(name, "S", (None,)).tolist()]


def _blocks(path: Path) -> Iterator[_Block]:
    with closing(GuardedFile(path, hint=HINT)) as file:
        found, blocks = file.attribute("mrbench_predictions"), file.attribute("blocks")
        if found is None or blocks is None:
            raise DataError(f"{path} holds no predictions", hint=HINT)
        if int(found) != FORMAT:
            raise IncompatibleError(f"{path} has another format", expected=str(FORMAT), found=str(found), hint=HINT)
        for number in range(int(blocks)):
            yield _Block(file, _name(number))
