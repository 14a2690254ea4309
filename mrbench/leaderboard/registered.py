"""Registered data: what entries of a board are tested on, in ``registry.json``, to which a person adds a line.

A line holds, for each fold, a digest of the test cases and how far apart the raters are on them. Both follow from the
data alone and from no method, so that an entry of other data, or with a case more or less, is seen.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from mrbench.digests import digest_json
from mrbench.engine.cell import PluginKey
from mrbench.errors import DataError
from mrbench.files import replaced
from mrbench.leaderboard.entry import Count, DataFacts, Digest, Entry, Name, Number, Options, Word
from mrbench.leaderboard.scores import digest_of_cases
from mrbench.leaderboard.store import read_plain
from mrbench.metrics.scores import Scores

REGISTERED = "registry.json"
MAX_BYTES = 2**22
DISTANCE = "ged_aa"
"""The metric of how far apart the raters are: the same for whatever is scored."""

TOLERANCE = 1e-9

_closed = with_config(ConfigDict(extra="forbid"))


@_closed
@dataclass(frozen=True)
class FoldCases:
    """The test cases of a fold under a scoring protocol.

    Attributes:
        cases: their number.
        digest: of their names with their subjects.
        raters_apart: mean distance of the raters from each other; None where no entry told it.
    """

    cases: Count
    digest: Digest
    raters_apart: Number | None = None


@_closed
@dataclass(frozen=True)
class RegisteredData:
    """A data set's content under a split.

    Attributes:
        data: what it declares; the pages show this, not what an entry says.
        dataset_options, dataset_changed: all of its options, and those set; likewise.
        folds: test cases by fold and scoring protocol.
    """

    dataset: PluginKey
    data_digest: Digest
    split: Name
    split_digest: Digest
    data: DataFacts
    dataset_options: Options
    dataset_changed: Options
    folds: Annotated[dict[Annotated[int, Field(ge=0, le=10_000)], dict[Word, FoldCases]], Field(max_length=1000)]

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What entries name it by."""
        return self.dataset, self.data_digest, self.split, self.split_digest


@_closed
@dataclass(frozen=True)
class _File:
    format: Literal[1]
    data: tuple[RegisteredData, ...]


@dataclass(frozen=True)
class Registered:
    """The lines of a board."""

    data: tuple[RegisteredData, ...] = ()

    @cached_property
    def _lines(self) -> dict[tuple[str, str, str, str], RegisteredData]:
        return {line.key: line for line in self.data}

    def of(self, entry: Entry) -> RegisteredData | None:
        """The line that an entry is bound to."""
        return self._lines.get(key_of(entry))

    def named(self, dataset: str) -> list[RegisteredData]:
        """All lines of a data set's name."""
        return [line for line in self.data if line.dataset == dataset]

    @property
    def folds(self) -> set[tuple[object, ...]]:
        """All that is registered, fold by fold."""
        return {
            (*line.key, fold, protocol) for line in self.data for fold, own in line.folds.items() for protocol in own
        }

    @property
    def digest(self) -> str:
        """Of all lines."""
        return digest_json(_adapter().dump_python(_File(1, self.data), mode="json"))

    def with_line(self, line: RegisteredData) -> "Registered":
        """With one line more, or with what it adds to the one that is there.

        Raises:
            DataError: a fold is registered with other test cases.
        """
        old = self._lines.get(line.key)
        others = [one for one in self.data if one.key != line.key]
        return Registered(tuple(sorted([*others, _merged(old, line) if old else line], key=lambda one: one.key)))


def key_of(entry: Entry) -> tuple[str, str, str, str]:
    """What an entry says that it was tested on."""
    tested = entry.spec.tested
    return tested.dataset, tested.data_digest, tested.split, tested.split_digest


def in_words(dataset: str, data: str, split: str, split_digest: str) -> str:  # noqa: ARG001
    """Data and split by the beginnings of their digests."""
    return f"data {data[:12]}, split {split} {split_digest[:12]}"


def read_registered(board: Path) -> Registered:
    """The registered data of a board; none where there is no file.

    Raises:
        DataError: it cannot be read; names the field.
    """
    path = board / REGISTERED
    if not path.exists():
        return Registered()
    try:
        return Registered(_adapter().validate_json(read_plain(path, MAX_BYTES), strict=True).data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))[:200]
        raise DataError(f"cannot read {path}", found=f"{where}: {first['msg']}"[:300]) from None
    except OSError as error:
        raise DataError(f"cannot read {path}", found=error.strerror or str(error)) from None


def write_registered(board: Path, registered: Registered) -> None:
    """Writes ``registry.json`` whole or not at all."""
    content = _adapter().dump_json(_File(1, registered.data), indent=1)
    with replaced(board / REGISTERED) as temporary:
        temporary.write_bytes(content + b"\n")


def line_of(entry: Entry, cells: Iterable[tuple[int, str, Scores]]) -> RegisteredData:
    """The line that an entry's data would have.

    Args:
        cells: fold, protocol and scores of its finished cells.

    Raises:
        DataError: cells of one fold with other test cases.
    """
    tested = entry.spec.tested
    empty = RegisteredData(
        *key_of(entry),
        data=entry.data,
        dataset_options=dict(tested.dataset_options),
        dataset_changed=dict(tested.dataset_changed),
        folds={},
    )
    line = empty
    for fold, protocol, scores in cells:
        line = _merged(line, replace(empty, folds={fold: {protocol: cases_of_fold(scores, human=entry.human)}}))
    return line


def cases_of_fold(scores: Scores, *, human: bool) -> FoldCases:
    """What scores were computed on; a human reference may stand among the raters or leave one out."""
    apart = scores.of(DISTANCE)
    known = not human and len(apart) > 0
    return FoldCases(
        len(scores.scored_cases()), digest_of_cases(scores), float(apart.statistics[:, 0].mean()) if known else None
    )


def differences(line: RegisteredData, fold: int, protocol: str, found: FoldCases) -> Iterator[tuple[str, str, str]]:
    """What was tested on otherwise than is registered: field, expected and found."""
    expected = line.folds.get(fold, {}).get(protocol)
    if expected is None:
        yield "cells", "registered folds and protocols", f"fold {fold} under {protocol}"
    elif expected.digest != found.digest:
        what = f"{expected.cases} cases, digest {expected.digest[:12]}"
        yield f"fold {fold}, test cases", what, f"{found.cases} cases, digest {found.digest[:12]}"
    elif not _alike(expected.raters_apart, found.raters_apart):
        yield f"fold {fold}, {DISTANCE} of the raters", repr(expected.raters_apart), repr(found.raters_apart)


def _alike(one: float | None, other: float | None) -> bool:
    return one is None or other is None or abs(one - other) <= TOLERANCE


def _merged(old: RegisteredData, new: RegisteredData) -> RegisteredData:
    folds = {fold: dict(own) for fold, own in old.folds.items()}
    for fold, protocols in new.folds.items():
        for protocol, found in protocols.items():
            known = folds.setdefault(fold, {}).get(protocol, found)
            for field, expected, other in differences(
                replace(old, folds={fold: {protocol: known}}), fold, protocol, found
            ):
                raise DataError(f"{old.dataset}, {field}: registered otherwise", expected=expected, found=other)
            told = known.raters_apart if known.raters_apart is not None else found.raters_apart
            folds[fold][protocol] = replace(known, raters_apart=told)
    return replace(old, folds=dict(sorted(folds.items())))


@cache
def _adapter() -> TypeAdapter[_File]:
    return TypeAdapter(_File)
