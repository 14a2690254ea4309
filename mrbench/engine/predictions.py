"""``predictions.h5``: packed masks and tables, written and read in blocks of cases, so that memory stays bounded.

Nothing but the file is needed to score it again: the raters' masks are in it too, and are read when a metric asks for
them. Files may come from others: everything is read through :class:`GuardedFile`.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from mrbench.data.hdf5 import GuardedFile
from mrbench.engine.cell import COMPUTED_AGAIN
from mrbench.engine.output_file import OutputFile
from mrbench.engine.predict import Predicted
from mrbench.errors import DataError, IncompatibleError
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import DrawKind
from mrbench.metrics.packing import pack, unpack

FORMAT = 2
"""Version of the file."""

BLOCK_CASES = 128
BLOCK_BYTES = 2**26
"""A block is written at either size, whichever comes first."""

MAX_BLOCKS = 1_000_000
"""Of a file."""


class PredictionWriter:
    """Writes the predictions of a cell, case by case, in a ``with``; where that ends by an error, the file has no end.

    Raises:
        OSError: at the end too: the file cannot be written; names it.
    """

    def __init__(self, path: Path) -> None:
        with ExitStack() as opened:
            self.output = opened.enter_context(OutputFile(path))
            self.file = opened.enter_context(h5py.File(self.output, "w"))
            self.file.attrs["mrbench_predictions"] = FORMAT
            self._opened = opened.pop_all()
        self.blocks = self.cases = 0
        self._clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._opened:
            if error is None:
                self._end()
        if error is None:
            self.output.check()

    def add(self, case_id: str, subject: str, trials: Sequence[Predicted]) -> None:
        """Adds one case with its trials.

        Raises:
            OSError: the file cannot be written; names it.
        """
        self.ids.append(case_id)
        self.subjects.append(subject)
        self.counts.append(len(trials))
        self.trials += trials
        self.cases += 1
        self.bytes += sum(2 * trial.packed.nbytes + trial.tables.intersection.nbytes for trial in trials)
        if len(self.ids) >= BLOCK_CASES or self.bytes >= BLOCK_BYTES:
            self._flush()

    def _end(self) -> None:
        if self.ids:
            self._flush()
        self.file.attrs["blocks"] = self.blocks
        self.file.attrs["cases"] = self.cases

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
        _write(block, "bits", _chain([trial.packed for trial in self.trials]))
        _write(block, "rater_bits", _chain([_rater_bits(trial.tables) for trial in self.trials]))
        self.blocks += 1
        self._clear()
        self.output.check()


def _name(block: int) -> str:
    return f"block{block:06d}"


def _chain(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.uint8), *(part.reshape(-1) for part in parts)])


def _rater_bits(tables: CaseTables) -> np.ndarray:
    # Of those who are the truth: a fusion that leaves one rater out has a trial for each.
    return tables.kept_bits[tables.truth_rows]


def _write(group: Any, name: str, array: np.ndarray) -> None:
    large = array.size > 64
    group.create_dataset(name, data=array, compression="gzip" if large else None, shuffle=large and array.itemsize > 1)


def read_tables(path: Path, blocks: range | None = None) -> Iterator[tuple[str, str, list[CaseTables]]]:
    """Case, subject and the tables of its trials, block by block; masks are read when they are asked for.

    Args:
        blocks: those to read; default all.

    Raises:
        DataError: not a readable predictions file.
        IncompatibleError: written by a version that this one does not read.
    """
    for block in _blocks(path, blocks):
        yield from block.cases()


def read_sizes(path: Path) -> tuple[int, int]:
    """Numbers of blocks and of cases. Errors: :func:`read_tables`."""
    with closing(GuardedFile(path, hint=COMPUTED_AGAIN)) as file:
        return _check_format(file)


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
    for case_id, _, trials in read_tables(path):
        yield case_id, draws_of(trials[0]) if trials else []


def draws_of(tables: CaseTables) -> list[StoredDraw]:
    """The draws of one trial: samples, rater predictions, consensus. Errors: :func:`read_tables`."""
    kinds = [(DrawKind.SAMPLE, None)] * tables.n_samples
    kinds += [(DrawKind.RATER, rater) for rater in tables.predicted_rater.tolist()]
    kinds += [(DrawKind.CONSENSUS, None)] * tables.has_consensus
    bits = tables.kept_bits[: tables.n_predicted]
    return [StoredDraw(kind, rater, part) for (kind, rater), part in zip(kinds, bits, strict=True)]


class _Masks:
    """The masks of a block, read from its file when they are first asked for."""

    def __init__(self, path: Path, block: str) -> None:
        self.path, self.block = path, block

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        with closing(GuardedFile(self.path, hint=COMPUTED_AGAIN)) as file:
            names = f"{self.block}/bits", f"{self.block}/rater_bits"
            draws, raters = (file.read(name, kinds="u", shape=(None,), packed=True) for name in names)
        return draws, raters

    def of(self, tables: CaseTables, draws_at: int, raters_at: int) -> np.ndarray:
        """``(M, F, bytes)`` uint8 of the trial whose masks start there; rows of raters who are not the truth are 0."""
        shape = len(tables.intersection), -(-tables.size // 8)
        draws, raters = self._arrays
        found = (
            self._part(draws, draws_at, (tables.n_predicted, *shape)),
            self._part(raters, raters_at, (len(tables.truth_rows), *shape)),
        )
        rows = np.zeros((tables.n_predicted + len(tables.truth), *shape), np.uint8)  # once it is known that they fit
        rows[: tables.n_predicted], rows[tables.truth_rows] = found
        return rows

    def _part(self, array: np.ndarray, start: int, shape: tuple[int, ...]) -> np.ndarray:
        end = start + math.prod(shape)
        if array.dtype != np.uint8 or end > len(array):
            raise DataError(
                f"{self.path} holds too few masks", expected=f"{end} bytes", found=f"{len(array)}", hint=COMPUTED_AGAIN
            )
        return array[start:end].reshape(shape)


@dataclass(frozen=True, eq=False)
class _Block:
    file: GuardedFile
    name: str

    def cases(self) -> Iterator[tuple[str, str, list[CaseTables]]]:
        tables = self._tables()
        ids, subjects = (self._texts(name) for name in ("case", "subject"))
        counts = self._read("trials", "i", (len(ids),)).tolist()
        if len(subjects) != len(ids) or min(counts, default=0) < 0 or sum(counts) != len(tables):
            raise self.file.fault(f"holds another number of cases than of tables in /{self.name}")
        rest = self._with_masks(tables)
        for case_id, subject, count in zip(ids, subjects, counts, strict=True):
            yield case_id, subject, [next(rest) for _ in range(count)]

    def _tables(self) -> list[CaseTables]:
        names = self.file.names(f"{self.name}/tables", limit=64)
        shapes = {name: (None, None) if name == "layout" else (None,) for name in names}
        arrays = {name: self._read(f"tables/{name}", "iubf", shapes[name]) for name in names}
        try:
            return unpack(arrays)
        except DataError as error:
            raise self.file.fault(f"is damaged: {error.what}", expected=error.expected, found=error.found) from error

    def _with_masks(self, trials: Sequence[CaseTables]) -> Iterator[CaseTables]:
        masks, draws_at, raters_at = _Masks(self.file.path, self.name), 0, 0
        for tables in trials:
            yield replace(tables, bits=partial(masks.of, tables, draws_at, raters_at))
            size = len(tables.intersection) * -(-tables.size // 8)
            draws_at += tables.n_predicted * size
            raters_at += len(tables.truth_rows) * size

    def _read(self, name: str, kinds: str, shape: tuple[int | None, ...]) -> np.ndarray:
        return self.file.read(f"{self.name}/{name}", kinds=kinds, shape=shape, packed=True)

    def _texts(self, name: str) -> list[str]:
        return [text.decode("utf-8", "replace") for text in self._read(name, "S", (None,)).tolist()]


def _blocks(path: Path, chosen: range | None = None) -> Iterator[_Block]:
    with closing(GuardedFile(path, hint=COMPUTED_AGAIN)) as file:
        blocks, _ = _check_format(file)
        for number in range(blocks) if chosen is None else chosen:
            yield _Block(file, _name(number))


def _check_format(file: GuardedFile) -> tuple[int, int]:
    found = file.attribute("mrbench_predictions")
    if found is None:
        raise DataError(f"{file.path} holds no predictions", hint=COMPUTED_AGAIN)
    if found != FORMAT:
        raise IncompatibleError(
            f"{file.path} has another format", expected=str(FORMAT), found=str(found), hint=COMPUTED_AGAIN
        )
    blocks, cases = file.attribute("blocks"), file.attribute("cases")
    if not (isinstance(blocks, np.integer) and isinstance(cases, np.integer)):
        raise DataError(f"{file.path} was not written to its end", hint=COMPUTED_AGAIN)
    found = len(file.names("", limit=MAX_BLOCKS))
    if found != blocks:
        raise file.fault("holds another number of blocks than it says", expected=str(blocks), found=str(found))
    return int(blocks), int(cases)
