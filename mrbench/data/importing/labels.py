"""From the values in mask files to classes: 0 is background, 255 is what most programs write for one class."""

import shlex
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mrbench.data.container import MAX_CLASSES
from mrbench.errors import DataError, UsageError

MAX_VALUES = 32
"""Different values in one mask, and the first value that is no number of a class; pictures have more."""

USUAL = frozenset({1, 255, 65535})
"""What programs write for the foreground where there is one class."""


@dataclass(frozen=True)
class Labels:
    """Which value is which class.

    Attributes:
        values: in mask files, ascending, one per class; ``values[k]`` becomes k.
        classes: names of the K classes, background first.
        also: other values of class 1.
        said: what stands for each class, where somebody said it.
    """

    values: tuple[int, ...]
    classes: tuple[str, ...]
    also: tuple[int, ...] = ()
    said: str = ""

    def classes_of(self, stored: np.ndarray) -> np.ndarray:
        """The same shape as uint8 classes; every value is one that was seen before."""
        return self._table[stored]

    def knows(self, stored: np.ndarray) -> bool:
        """Is every value one of these?"""
        return int(stored.max()) < len(self._known) and bool(self._known[stored].all())

    @cached_property
    def _known(self) -> np.ndarray:
        every = [*self.values, *self.also]
        return np.isin(np.arange(max(every) + 1), every)

    @cached_property
    def _table(self) -> np.ndarray:
        table = np.zeros(len(self._known), np.uint8)
        table[list(self.values)] = range(len(self.values))
        table[list(self.also)] = 1
        return table

    def told(self) -> str:
        """For people: value and class."""
        if self.said:
            return self.said
        pairs = list(zip(self.values, self.classes, strict=True))
        said = [f"{value} {name}" for value, name in pairs]
        return ", ".join(said) + (f" ({' and '.join(map(str, self.also))} too)" if self.also else "")


def values_in(counts: np.ndarray, where: str) -> tuple[int, ...]:
    """The different values of a mask, ascending, from the pixels of each value from 0 on.

    Raises:
        DataError: more than labels have.
    """
    found = np.flatnonzero(counts)
    if len(found) > MAX_VALUES:
        raise DataError(
            f"{where} is no mask",
            expected=f"labels: at most {MAX_VALUES} different values",
            found=f"{len(found)} different values, from {found[0]} to {found[-1]}",
            hint="save masks without blurring, scaling or JPEG; or --threshold T takes what is at least T",
        )
    return tuple(found.tolist())


def understand_labels(by_rater: Mapping[str, Set[tuple[int, ...]]], names: Sequence[str], folder: Path) -> Labels:
    """The classes behind the sets of values that masks hold.

    Values below 32 are classes in ascending order. Others are where somebody names them; else one is the foreground.

    Args:
        by_rater: the different sets, each of one or more masks.
        names: of the foreground classes, as given, maybe with the background in front; none: they are numbered.
        folder: for messages.

    Raises:
        UsageError: another number of names than classes.
        DataError: no background or no foreground anywhere, or values of which nobody can tell what they mean.
    """
    seen = set().union(*by_rater.values())
    values = tuple(sorted(set().union(*seen)))
    if values == (0,):
        raise DataError(f"no mask in {folder} marks anything", expected="a value above 0 somewhere", found="0 alone")
    if values[0] != 0:
        raise DataError(
            f"no mask in {folder} has background",
            expected="0 where nothing is marked",
            found=_spelt(values),
            hint=f"say which value it is: --labels {values[0]}=background,{values[-1]}=NAME",
        )
    if len(values) > MAX_CLASSES:
        raise DataError(
            f"the masks in {folder} hold too many classes", expected=f"at most {MAX_CLASSES}", found=_spelt(values)
        )
    if names:
        return _named(values, names, folder, one_class=_is_one_class(seen))
    if len(values) == 2 or _is_one_class(seen):
        return Labels(values[:2], ("background", "foreground"), values[2:])
    if values[-1] >= MAX_VALUES:
        raise _unclear(values, by_rater, folder)
    return Labels(values, ("background", *(f"class-{value}" for value in values[1:])))


def _unclear(values: Sequence[int], by_rater: Mapping[str, Set[tuple[int, ...]]], folder: Path) -> DataError:
    own = {rater: tuple(sorted(set().union(*sets))) for rater, sets in by_rater.items()}
    alike = len(set(own.values())) == 1
    said = _spelt(values) if alike else "; ".join(f"{rater} {_spelt(found)}" for rater, found in sorted(own.items()))
    *classes, last = values
    if last in USUAL and classes[-1] < MAX_VALUES and (alike or any(set(classes) < set(one) for one in own.values())):
        return DataError(
            f"the masks in {folder} hold {last} beside classes, which is 'not judged' (void) in many sets",
            expected=f"classes below {MAX_VALUES}, and a word on {last}",
            found=said,
            hint=f"mrbench data import {shlex.quote(str(folder))} --void {last}, and these pixels count nowhere; "
            f"where {last} is a class, name all: --classes {','.join(['NAME'] * (len(values) - 1))}",
        )
    return DataError(
        f"cannot tell which classes the masks in {folder} hold",
        expected=f"values below {MAX_VALUES}, or 0 and one other value, the same from every rater",
        found=said,
        hint=f"say what each value is, the same class for several where raters write differently: --labels "
        f"{','.join(f'{value}={_NAMES[value == 0]}' for value in values[:5])}; or cut grey masks: --threshold "
        f"{(values[-1] + 1) // 2}, with --invert where dark is the foreground{_votes(values)}",
    )


_NAMES = ("NAME", "background")


def _votes(values: Sequence[int]) -> str:
    """A word where values are evenly spaced up to white: counts of votes, as a grey picture."""
    n = len(values) - 1
    evenly = (
        n > 1
        and values[-1] in (255, 65535)
        and all(abs(value - place * values[-1] / n) <= 1 for place, value in enumerate(values))
    )
    return f". Counts of the votes of {n} raters look so: then import the masks of each rater" if evenly else ""


def _is_one_class(seen: Collection[tuple[int, ...]]) -> bool:
    """Does every mask write its foreground with one value that programs use for one class, if not all the same?"""
    return all(len(set(one) - {0}) < 2 and set(one) <= USUAL | {0} for one in seen)


def _named(values: tuple[int, ...], names: Sequence[str], folder: Path, *, one_class: bool) -> Labels:
    foreground = tuple(names[1:]) if names[0].lower() == "background" and len(names) > 1 else tuple(names)
    classes = ("background", *foreground)
    if len(set(classes)) < len(classes) or not all(classes):
        raise UsageError("two classes have one name, or one has none", expected="a name each", found=", ".join(names))
    if len(values) == len(classes):
        return Labels(values, classes)
    if one_class and len(classes) == 2:
        return Labels(values[:2], classes, values[2:])
    if values[-1] < len(classes):  # a class that nobody marked
        return Labels(tuple(range(len(classes))), classes)
    raise UsageError(
        f"the masks in {folder} hold {len(values) - 1} values above 0, and {len(foreground)} classes are named",
        expected="--classes NAME for each value above 0, in their order",
        found=_spelt(values),
    )


def _spelt(values: Sequence[int]) -> str:
    return "values " + ", ".join(map(str, values[:12])) + (f", ... {values[-1]}" if len(values) > 12 else "")
