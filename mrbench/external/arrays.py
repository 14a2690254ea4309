"""Predictions as named arrays in one file, whatever the format: stacked over the cases, or per case."""

import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from mrbench.data.description import Description, Unit
from mrbench.errors import DataError
from mrbench.external.content import FileContent
from mrbench.external.form import Form
from mrbench.external.grid import Grid
from mrbench.external.raters import rater_columns
from mrbench.external.values import as_probability, check_shape
from mrbench.interfaces.draw import Draw, DrawKind

FIELDS = {"samples": DrawKind.SAMPLE, "raters": DrawKind.RATER, "consensus": DrawKind.CONSENSUS}
"""Names of the arrays, in the order in which they are scored."""

CASE, RATER = "case", "rater"
"""The name of each case, in a stacked file; whom each rater prediction was made for, where that is not the column."""

DOCUMENT = "docs/external.md says what the arrays are"


class Array(Protocol):
    """An array that is read in parts."""

    shape: tuple[int, ...]
    kind: str
    """NumPy's letter of its type."""

    def item(self, index: tuple[int, ...]) -> np.ndarray:
        """The part at an index over the leading axes."""
        ...


class Arrays(Protocol):
    """Named arrays in one file; a name may have parts with slashes between."""

    path: Path

    def __contains__(self, name: str) -> bool: ...

    def cases(self, known: Sequence[str]) -> Sequence[str]:
        """Names before ``/samples``, ``/raters`` or ``/consensus``; of others than ``known`` maybe a part."""
        ...

    def array(self, name: str) -> Array:
        """The array of that name: integers, booleans or floats."""
        ...

    def texts(self, name: str) -> list[str]:
        """The texts or whole numbers of an array of one axis, as texts."""
        ...

    def close(self) -> None: ...


def as_texts(values: np.ndarray) -> list[str]:
    """Texts, bytes or whole numbers, ``(n,)``, as texts.

    Raises:
        ValueError: a character that there is not.
    """
    if values.dtype.kind == "U" and np.frombuffer(values.tobytes(), np.uint32).max(initial=0) > sys.maxunicode:
        raise ValueError("a character beyond Unicode")  # which Python would fail on without a word
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values.tolist()]


class ArraySource:
    """Predictions in a file of arrays.

    *Stacked* where there is ``case``, ``(N,)`` names: ``samples`` ``(N, S, *spatial)``, ``raters``
    ``(N, P, *spatial)``, ``consensus`` ``(N, *spatial)``. Else *per case*: ``<case>/samples`` ``(S, *spatial)`` and so
    on. Floats may have an axis of classes before ``*spatial``. ``rater``, ``(P,)`` names or columns, says whom the
    predictions were made for.

    Raises:
        DataError: a stacked file that names a case twice.
    """

    def __init__(self, arrays: Arrays, content: FileContent, description: Description) -> None:
        self.arrays, self.content, self.description = arrays, content, description
        self.stacked = CASE in arrays
        self.places = self._places(arrays.texts(CASE)) if self.stacked else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self.arrays.close()

    def cases(self, known: Sequence[str]) -> Sequence[str]:
        """Names of the cases found."""
        return list(self.places) if self.stacked else self.arrays.cases(known)

    def left_alone(self) -> Sequence[str]:
        """None: a file is one thing."""
        return ()

    def digest(self) -> str:
        """SHA-256 of the file."""
        return self.content.digest()

    def check_unchanged(self) -> None:
        """Refuses a file that was replaced or written to since it was opened."""
        self.content.check_unchanged()

    def form(self, case: str) -> Form:
        """Which predictions of a case there are, by the shapes of the arrays."""
        counts = {name: self._count(name, case) for name in FIELDS if self._name(name, case) in self.arrays}
        for name, count in counts.items():
            if count == 0:
                raise self._fault(f"has an empty array {self._name(name, case)!r}", expected="at least one prediction")
        raters = self._raters(counts["raters"]) if "raters" in counts else ()
        return Form(counts.get("samples", 0), raters, "consensus" in counts)

    def draws(self, case: str, grid: Grid) -> Iterator[Draw]:
        """The predictions of a case, one read at a time; arrays state no more than a shape to compare with."""
        form = self.form(case)
        raters: dict[str, tuple[int | None, ...]] = {
            "samples": (None,) * form.samples,
            "raters": form.raters,
            "consensus": (None,) * form.consensus,
        }
        for name, kind in FIELDS.items():
            for number, rater in enumerate(raters[name]):
                yield Draw(kind, self._read(name, case, number, grid.spatial), rater)

    def _places(self, names: Sequence[str]) -> dict[str, int]:
        places = {name: place for place, name in enumerate(names)}
        if len(places) < len(names):
            twice = next(name for place, name in enumerate(names) if places[name] != place)
            raise self._fault("names a case twice", expected="one row per case", found=twice[:80])
        return places

    def _read(self, name: str, case: str, number: int, spatial: tuple[int, ...]) -> np.ndarray:
        array = self.arrays.array(self._name(name, case))
        place = (self.places[case],) if self.stacked else ()
        index = place if name == "consensus" else (*place, number)
        classes = self.description.n_classes
        where = f"{self.arrays.path}: {name} of case {case!r}"
        check_shape(array.shape[len(index) :], array.kind, spatial, classes, where)
        return as_probability(array.item(index), spatial, classes, where)

    def _name(self, name: str, case: str) -> str:
        return name if self.stacked else f"{case}/{name}"

    def _count(self, name: str, case: str) -> int:
        shape = self.arrays.array(self._name(name, case)).shape
        axes = (["N"] if self.stacked else []) + {"samples": ["S"], "raters": ["P"], "consensus": []}[name]
        spatial = ["D", "H", "W"] if self.description.unit is Unit.VOLUME else ["H", "W"]
        if len(shape) - len(axes) - len(spatial) not in (0, 1):
            raise self._fault(
                f"has a wrong number of axes in {self._name(name, case)!r}",
                expected=f"({', '.join(axes + spatial)}) or ({', '.join([*axes, 'K', *spatial])})",
                found=str(shape),
            )
        if self.stacked and shape[0] != len(self.places):
            raise self._fault(
                f"has another number of cases in {name!r}", expected=f"{len(self.places)}", found=str(shape[0])
            )
        return 1 if name == "consensus" else shape[len(axes) - 1]

    def _raters(self, count: int) -> tuple[int, ...]:
        names = self.description.rater_names
        if RATER in self.arrays:
            if len(self._named) != count:
                raise self._fault(f"has another length in {RATER!r}", expected=f"{count}", found=f"{len(self._named)}")
            return self._named
        if count != len(names):
            raise self._fault(
                "does not say whom its rater predictions were made for",
                expected=f"{len(names)} ({', '.join(names)}), or an array {RATER!r} with {count} names or columns",
                found=f"{count}",
            )
        return tuple(range(count))

    @cached_property
    def _named(self) -> tuple[int, ...]:
        labels = self.arrays.texts(RATER)
        return rater_columns(labels, self.description.rater_names, f"{RATER!r} of {self.arrays.path}")

    def _fault(self, what: str, *, expected: str = "", found: str = "") -> DataError:
        return DataError(f"{self.arrays.path} {what}", expected=expected, found=found, hint=DOCUMENT)
