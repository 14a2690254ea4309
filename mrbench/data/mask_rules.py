"""What somebody says of the values in masks, where the values alone do not tell: options of import and score."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mrbench.data.mask_values import NEAR, Colour, MaskValues, StoredMask, are_whole, stored_labels
from mrbench.errors import DataError, UsageError

BACKGROUND = "background"
MAX_CLASS = 255

ENTRY = re.compile(r"(-?[0-9]{1,9}|#[0-9a-fA-F]{6})\s*=\s*(\S.*)")
"""A value or a colour, and its class."""

TOLD = 6
"""Values or colours that a message names."""

EXAMPLE = "--labels 0=background,127=liver,'#ff0000=tumour'"


@dataclass(frozen=True)
class LabelMap:
    """Which value or colour is which class; 0 and black are background where nothing else is said.

    Attributes:
        values: class of each value; of a palette, of each index that no colour names.
        colours: class of each colour.
        classes: names of the K classes, background first.
    """

    values: Mapping[int, int]
    colours: Mapping[Colour, int]
    classes: tuple[str, ...]

    def told(self) -> str:
        """For people: every class with what is written for it."""
        keys = [(k, str(value)) for value, k in self.values.items()]
        keys += [(k, spelt(colour)) for colour, k in self.colours.items()]
        said = [[text for k, text in keys if k == number] for number in range(len(self.classes))]
        return ", ".join(
            f"{' and '.join(texts) or ('0' if self.values else 'black')} {name}"
            for texts, name in zip(said, self.classes, strict=True)
        )

    def of(self, stored: StoredMask, where: str) -> np.ndarray:
        """uint8 classes in the shape of the mask.

        Raises:
            DataError: a value or a colour that has no class here.
        """
        if stored.palette is not None:
            return self._by_index(stored.values, stored.palette, where)
        if not stored.coloured:
            return _looked_up(_whole(stored.values, where), self._of_grey, where, str)
        grey = bool((stored.values == stored.values[..., :1]).all())
        if grey:
            return _looked_up(stored.values[..., 0].astype(np.int64), self._of_grey, where, str)
        return _looked_up(_packed(stored.values), self._of_colour, where, "#{:06x}".format)

    @cached_property
    def _of_colour(self) -> Mapping[int, int]:
        return {0: 0} | {_packed_one(colour): k for colour, k in self.colours.items()}

    @cached_property
    def _of_grey(self) -> Mapping[int, int]:
        """Values, and colours that are greys."""
        greys = {red: k for (red, green, blue), k in self.colours.items() if red == green == blue}
        return {0: 0, **greys, **self.values}

    def _by_index(self, indices: np.ndarray, palette: np.ndarray, where: str) -> np.ndarray:
        colours = dict(enumerate(map(tuple, palette.tolist())))
        named = {index: self.colours[colour] for index, colour in colours.items() if colour in self.colours}
        black = {index: 0 for index, colour in colours.items() if colour == (0, 0, 0)}
        first = {0: 0} if self.values or not self.colours else {}

        def told(index: int) -> str:
            return f"{index} ({spelt(colours[index])})" if index in colours else str(index)

        return _looked_up(indices.astype(np.int64), {**black, **first, **self.values, **named}, where, told)


@dataclass(frozen=True)
class MaskRules:
    """How values become labels where somebody says it.

    Attributes:
        labels: classes of values and colours; None: by :mod:`mrbench.data.mask_values`.
        threshold: values of at least so much are foreground, all else is background; None: not so.
        invert: 0 is the foreground, and the other value is background.
    """

    labels: LabelMap | None = None
    threshold: float | None = None
    invert: bool = False

    def __bool__(self) -> bool:
        """Is anything said?"""
        return self != AS_STORED

    def read(self, stored: StoredMask, where: str) -> MaskValues:
        """The labels of a mask.

        Raises:
            DataError: values that have none by these rules; names the file.
        """
        if self.labels is not None:
            return MaskValues(self.labels.of(stored, where))
        found = stored_labels(stored, where) if self.threshold is None else _cut(stored, self.threshold, where)
        return _inverted(found, where) if self.invert else found

    def as_json(self) -> dict[str, Any]:
        """For digests and records."""
        told = None if self.labels is None else [self.labels.told(), list(self.labels.classes)]
        return {"labels": told, "threshold": self.threshold, "invert": self.invert}

    def told(self) -> str:
        """For people: what is said of the values; nothing where nothing is."""
        if self.labels is not None:
            return self.labels.told()
        cut = "" if self.threshold is None else f"values of at least {self.threshold:g} are foreground"
        return ", then ".join(filter(None, [cut, "0 is the foreground" if self.invert else ""]))


AS_STORED = MaskRules()
"""Nothing is said: the values tell."""


def read_rules(labels: Sequence[str], threshold: float | None, invert: bool, classes: Sequence[str] = ()) -> MaskRules:
    """The rules that a command line gives.

    Args:
        labels: texts ``VALUE=CLASS`` or ``#rrggbb=CLASS``, several with commas between.
        threshold, invert: as of :class:`MaskRules`.
        classes: names of the K classes where they are known, background first; empty: the map makes them.

    Raises:
        UsageError: texts that are no such map, or options that exclude each other.
    """
    if labels and (invert or threshold is not None):
        raise UsageError(
            f"--labels says what every value means, and {'--invert' if invert else '--threshold'} says it again",
            expected="one of them",
            hint="--labels 0=lesion,255=background turns masks over",
        )
    if threshold is not None and not np.isfinite(threshold):
        raise UsageError(f"--threshold {threshold} is no threshold", expected="a finite number")
    return MaskRules(read_labels(labels, classes) if labels else None, threshold, invert)


def read_labels(texts: Sequence[str], known: Sequence[str] = ()) -> LabelMap:
    """The map in texts of a command line. A class is a name or a number; names take the numbers that are free.

    Raises:
        UsageError: an entry that is none, a value twice, no class but background, or a class that is not ``known``.
    """
    entries = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    pairs = [_entry(text) for text in entries]
    keys = [key.lower() if key.startswith("#") else str(int(key)) for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UsageError(f"--labels names {twice} twice", expected="one class for each value", found=", ".join(entries))
    names = [name for _, name in pairs]
    classes = tuple(known) if known else _classes(names)
    numbers = [_number(name, classes) for name in names]
    if not any(numbers):
        raise UsageError("--labels names no class but background", hint=EXAMPLE)
    found = list(zip(keys, numbers, strict=True))
    colours = {_colour(key): k for key, k in found if key.startswith("#")}
    return LabelMap({int(key): k for key, k in found if not key.startswith("#")}, colours, classes)


def _entry(text: str) -> tuple[str, str]:
    match = ENTRY.fullmatch(text)
    if match is None:
        raise UsageError(f"--labels cannot read {text[:80]!r}", expected="VALUE=CLASS or #rrggbb=CLASS", hint=EXAMPLE)
    if _is_number(match[2]) and int(match[2]) > MAX_CLASS:
        raise UsageError(f"--labels names class {match[2][:20]}", expected=f"numbers from 0 to {MAX_CLASS}, or names")
    return match[1], match[2]


def _classes(names: Sequence[str]) -> tuple[str, ...]:
    """Of the K classes: numbers say their place, names fill what is free in their order."""
    taken = {int(name) for name in names if _is_number(name)} | {0}
    called = dict.fromkeys(name for name in names if not _is_number(name) and name.lower() != BACKGROUND)
    free = (k for k in range(MAX_CLASS + 1) if k not in taken)
    by_number = dict(zip(free, called, strict=False))
    if len(by_number) < len(called):
        raise UsageError("--labels names too many classes", expected=f"at most {MAX_CLASS + 1}")
    last = max(taken | by_number.keys())
    return (BACKGROUND, *(by_number.get(k, f"class-{k}") for k in range(1, last + 1)))


def _number(name: str, classes: Sequence[str]) -> int:
    if name in classes:
        return list(classes).index(name)
    if name.lower() == BACKGROUND:
        return 0
    if _is_number(name) and int(name) < len(classes):
        return int(name)
    raise UsageError(f"--labels names the class {name!r}", expected=f"one of {', '.join(classes)}, or its number")


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _cut(stored: StoredMask, threshold: float, where: str) -> MaskValues:
    values = stored.values
    if stored.palette is not None:
        values = stored.palette[np.minimum(values, len(stored.palette) - 1)]
    if stored.coloured or stored.palette is not None:
        if (values != values[..., :1]).any():
            raise DataError(
                f"{where} is a mask in colours, which no threshold cuts",
                expected="grey values",
                hint="say which colour is which class: --labels '#rrggbb=NAME'",
            )
        values = values[..., 0]
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise DataError(f"{where} is a mask with NaN, which no threshold cuts", expected="numbers")
    return MaskValues((values >= threshold).astype(np.uint8))


def _inverted(found: MaskValues, where: str) -> MaskValues:
    values = np.unique(found.labels)
    if len(values) > 2 or (len(values) == 2 and values[0] != 0):
        raise DataError(
            f"{where} is a mask that cannot be inverted",
            expected="0 and one other value",
            found=_listed(values.tolist(), str),
            hint="say which value is which class: --labels 0=NAME,255=background",
        )
    return MaskValues((found.labels == 0).astype(np.uint8), found.colour)


def _whole(values: np.ndarray, where: str) -> np.ndarray:
    """Numbers as whole ones of eight bytes, whatever their sign."""
    if values.dtype.kind != "f":
        return values.astype(np.int64)
    if not np.isfinite(values).all() or not are_whole(values):
        raise DataError(
            f"{where} is a mask with fractions or NaN",
            expected=f"whole numbers for --labels, or floats within {NEAR:g} of one",
            hint="--threshold T takes what is at least T",
        )
    return np.rint(values).clip(-(2.0**62), 2.0**62).astype(np.int64)


def _looked_up(values: np.ndarray, classes: Mapping[int, int], where: str, told: Any) -> np.ndarray:
    keys = np.array(sorted(classes), np.int64)
    places = np.searchsorted(keys, values).clip(max=len(keys) - 1)
    unknown = keys[places] != values
    if unknown.any():
        others = np.unique(values[unknown]).tolist()
        raise DataError(
            f"{where} holds values that --labels gives no class",
            expected=f"one of {_listed(keys.tolist(), told)}",
            found=_listed(others, told),
            hint=f"name them too: --labels {_key(told(others[0]))}=NAME",
        )
    table = np.array([classes[key] for key in keys.tolist()], np.uint8)
    return table[places]


def _listed(values: Sequence[int], told: Any) -> str:
    said = ", ".join(map(told, values[:TOLD]))
    return said + (f" and {len(values) - TOLD} more" if len(values) > TOLD else "")


def _key(text: str) -> str:
    """Of a value or an index with its colour, what stands in front of the sign of equality, for a shell."""
    word = text.partition(" ")[0]
    return f"'{word}'" if word.startswith("#") else word


def _packed(colours: np.ndarray) -> np.ndarray:
    return colours.astype(np.int64) @ np.array([65536, 256, 1], np.int64)


def _packed_one(colour: Colour) -> int:
    red, green, blue = colour
    return red << 16 | green << 8 | blue


def _colour(text: str) -> Colour:
    number = int(text[1:], 16)
    return number >> 16, number >> 8 & 255, number & 255


def spelt(colour: Colour) -> str:
    """As the command line names a colour."""
    return f"#{_packed_one(colour):06x}"
