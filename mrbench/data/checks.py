"""What a data set must be before anything is computed from it: faults are errors, oddities are warnings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.description import Description, Unit
from mrbench.errors import DataError

ABSENT_SHARE = 0.1
"""Raters present in a smaller share of the cases are called nearly always absent."""

EQUAL_SHARE = 0.25
"""Raters whose masks are equal in a larger share of the cases both marked are called duplicates."""

SHIFT_ERRORS = 4.0
"""Standard errors by which the contrast must gain from a shift of one pixel before it is reported."""

_SHIFTS = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))


def check_cases(cases: CaseSet) -> list[str]:
    """Reads every case once, in bounded memory, and returns warnings.

    Warnings name a case: raters whose masks are copies of each other's, images that are copies, raters nearly always
    absent, classes that nobody marked, images and masks shifted against each other by a pixel, no ``strict`` split.

    Raises:
        DataError: naming the case: no case, duplicate names, columns of wrong length, images or masks of wrong type
            or shape, labels outside 0..K-1, labels in void pixels, nothing but void, images that are not finite,
            masks of an absent rater, no rater present, no foreground anywhere, splits that overlap or split a subject.
    """
    check_columns(cases)
    check_splits(cases)
    survey = _Survey(cases.description)
    for index in range(len(cases)):
        survey.add(_checked(cases, index))
    if not survey.marked - {0}:
        raise DataError(
            f"data set {cases.description.name!r} has no foreground in any of its {len(cases)} cases",
            expected="at least one mask with a label above 0",
            found=f"only label 0, first in case {cases.ids[0]!r}",
        )
    return [*_split_warnings(cases), *_absence_warnings(cases), *survey.warnings()]


def check_columns(cases: CaseSet) -> None:
    """Refuses an empty data set, duplicate names and columns that do not fit the number of cases or raters."""
    name, n, raters = cases.description.name, len(cases), cases.description.n_raters
    if n == 0:
        raise DataError(f"data set {name!r} is empty", expected="at least one case", found="none")
    _check_names(cases)
    lengths = {
        "subjects": len(cases.subjects),
        "images and masks": len(cases.pixels),
        "slices": len(cases.slices) if cases.slices else n,
        "spacings": len(cases.spacings) if cases.spacings else n,
        "metadata": len(cases.metadata) if cases.metadata else n,
    }
    for column, length in lengths.items():
        _expect(f"data set {name!r} has a wrong number of {column}", n, length)
    _expect(f"data set {name!r} has a wrong shape of present", (n, raters), cases.present.shape)
    _expect(f"data set {name!r} has a wrong type of present", "bool", str(cases.present.dtype))
    for attribute, values in cases.attributes.items():
        _expect(f"data set {name!r} has a wrong shape of attribute {attribute!r}", (n, raters), values.shape)
    _check_presence(cases)


def check_splits(cases: CaseSet) -> None:
    """Refuses splits that overlap, leave the data set or split a subject; ``published`` rules may do the last."""
    for split in cases.splits.values():
        split.check(cases.subjects, owner=cases.description.name)


def check_image(image: np.ndarray, description: Description, where: str) -> None:
    """Refuses an image that is not ``(C, H, W)`` or ``(C, D, H, W)`` numbers, by the declared unit and channels."""
    axes = "(C, D, H, W)" if description.unit is Unit.VOLUME else "(C, H, W)"
    channels = len(description.channels)
    # A data set of masks alone has no channel.
    if image.ndim != len(axes.split(",")) or image.shape[0] != channels or 0 in image.shape[1:]:
        raise DataError(f"{where} has a wrong image shape", expected=f"{axes}, C = {channels}", found=str(image.shape))
    if image.dtype.kind not in "uif":
        raise DataError(f"{where} has a wrong image type", expected="integers or floats", found=str(image.dtype))


def check_masks(masks: np.ndarray, spatial: tuple[int, ...], description: Description, where: str) -> None:
    """Refuses masks that are not ``(R, *spatial)`` integers in 0..K-1."""
    expected = (description.n_raters, *spatial)
    if masks.shape != expected:
        raise DataError(
            f"{where} has a wrong mask shape", expected=f"(R, *spatial) = {expected}", found=str(masks.shape)
        )
    if masks.dtype.kind not in "ui":
        raise DataError(f"{where} has masks that are not integers", expected="uint8", found=str(masks.dtype))
    low, high = int(masks.min()), int(masks.max())
    if low < 0 or high >= description.n_classes:
        raise DataError(
            f"{where} has a label outside its classes",
            expected=f"0..{description.n_classes - 1} ({', '.join(description.classes)})",
            found=f"{low if low < 0 else high}",
        )


def check_valid(valid: np.ndarray | None, masks: np.ndarray, where: str) -> None:
    """Refuses what does not say of each pixel whether it counts, a case without any, and labels where none counts."""
    if valid is None:
        return
    if valid.shape != masks.shape[1:] or valid.dtype != bool:
        found = f"{valid.dtype} {valid.shape}"
        raise DataError(f"{where} has wrong valid pixels", expected=f"bool {masks.shape[1:]}", found=found)
    if not valid.any():
        raise DataError(f"{where} is void all over", expected="a pixel that counts", found="none", hint="leave it out")
    if (n := np.count_nonzero(masks[:, ~valid])) > 0:
        raise DataError(f"{where} has labels in void pixels", expected="0 from every rater", found=f"{n} above 0")


def _check_names(cases: CaseSet) -> None:
    seen: set[str] = set()
    for case_id in cases.ids:
        if case_id in seen:
            raise DataError(
                f"data set {cases.description.name!r} has two cases named {case_id!r}", expected="unique names"
            )
        seen.add(case_id)


def _check_presence(cases: CaseSet) -> None:
    for index in np.flatnonzero(~cases.present.any(axis=1)):
        raise DataError(
            f"{_where(cases, int(index))} has no rater",
            expected="at least one rater present",
            found=f"{cases.description.n_raters} absent",
        )


def _expect(what: str, expected: Any, found: Any) -> None:
    if expected != found:
        raise DataError(what, expected=str(expected), found=str(found))


def _where(cases: CaseSet, index: int) -> str:
    return f"case {cases.ids[index]!r} of data set {cases.description.name!r}"


def _checked(cases: CaseSet, index: int) -> Case:
    where = _where(cases, index)
    check_image(cases.pixels.image(index), cases.description, where)
    case = cases[index]
    check_masks(case.masks, case.image.shape[1:], cases.description, where)
    check_valid(case.valid, case.masks, where)
    if not np.isfinite(case.image).all():
        raise DataError(
            f"{where} has an image that is not finite",
            expected="finite numbers after normalisation",
            found=f"{np.count_nonzero(~np.isfinite(case.image))} NaN or infinite",
        )
    if case.masks[~case.present].any():
        raise DataError(f"{where} has a mask of an absent rater", expected="zeros", found="labels above 0")
    return case


def _split_warnings(cases: CaseSet) -> list[str]:
    if "strict" in cases.splits:
        return []
    return [f"data set {cases.description.name!r} has no split named 'strict'; case {cases.ids[0]!r} is in no fold"]


def _absence_warnings(cases: CaseSet) -> list[str]:
    counts = cases.present.sum(axis=0)
    return [
        f"rater {name!r} is nearly always absent: present in {count} of {len(cases)} cases"
        + (f", first in {cases.ids[int(cases.present[:, r].argmax())]!r}" if count else "")
        for r, (name, count) in enumerate(zip(cases.description.rater_names, counts.tolist(), strict=True))
        if count < ABSENT_SHARE * len(cases)
    ]


@dataclass
class _Survey:
    """What one pass over the cases gathers: a few numbers per case, never pixels."""

    description: Description
    marked: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.parts: tuple[Copies | Twins | ImageShift, ...] = (Copies(), Twins(self.description), ImageShift())

    def add(self, case: Case) -> None:
        self.marked |= set(np.flatnonzero(np.bincount(case.masks.reshape(-1), minlength=1)).tolist())
        for part in self.parts:
            part.add(case)

    def warnings(self) -> list[str]:
        unmarked = [name for k, name in enumerate(self.description.classes) if k and k not in self.marked]
        found = [f"class {name!r} is marked in no case" for name in unmarked]
        return found + [line for part in self.parts for line in part.warnings()]


class Copies:
    """Images that are copies of another case's."""

    def __init__(self) -> None:
        self.first: dict[bytes, tuple[str, str]] = {}
        self.copies: list[tuple[str, str, bool]] = []

    def add(self, case: Case) -> None:
        if case.image.size == 0:
            return
        key = blake2b(repr(case.image.shape).encode() + case.image.tobytes(), digest_size=16).digest()
        name, subject = self.first.setdefault(key, (case.id, case.subject))
        if name != case.id:
            self.copies.append((case.id, name, subject != case.subject))

    def warnings(self) -> list[str]:
        if not self.copies:
            return []
        copy, original, _ = self.copies[0]
        across = sum(crosses for _, _, crosses in self.copies)
        return [
            f"{len(self.copies)} images are copies of another case's, {across} of them of another subject's: "
            f"first case {copy!r} of case {original!r}"
        ]


class Twins:
    """Raters whose masks are copies of each other's."""

    def __init__(self, description: Description) -> None:
        raters = description.n_raters
        self.names = description.rater_names
        self.both = np.zeros((raters, raters), int)
        self.equal = np.zeros((raters, raters), int)
        self.example: dict[tuple[int, int], str] = {}

    def add(self, case: Case) -> None:
        marked = case.present & case.masks.reshape(len(case.masks), -1).any(axis=1)
        rows = np.flatnonzero(marked).tolist()
        for place, r in enumerate(rows):
            for s in rows[place + 1 :]:
                self.both[r, s] += 1
                if np.array_equal(case.masks[r], case.masks[s]):
                    self.equal[r, s] += 1
                    self.example.setdefault((r, s), case.id)

    def warnings(self) -> list[str]:
        return [
            f"raters {self.names[r]!r} and {self.names[s]!r} have the same mask in {self.equal[r, s]} of the "
            f"{self.both[r, s]} cases that both marked: first in case {example!r}"
            for (r, s), example in sorted(self.example.items())
            if self.equal[r, s] >= 2 and self.equal[r, s] > EQUAL_SHARE * self.both[r, s]
        ]


class ImageShift:
    """Does the raters' consensus stand out more when it is moved by one pixel?"""

    def __init__(self) -> None:
        self.n = 0
        self.total = np.zeros(len(_SHIFTS))
        self.squares = np.zeros(len(_SHIFTS))
        self.example: list[tuple[float, str]] = [(0.0, "")] * len(_SHIFTS)

    def add(self, case: Case) -> None:
        gains = contrast_gains(case)
        if gains is None:
            return
        self.n += 1
        self.total += gains
        self.squares += gains**2
        self.example = [max(old, (float(gain), case.id)) for old, gain in zip(self.example, gains, strict=True)]

    def warnings(self) -> list[str]:
        if self.n < 2:
            return []
        mean = self.total / self.n
        error = np.sqrt(np.maximum(self.squares / self.n - mean**2, 1e-12) / (self.n - 1))
        best = int(np.argmax(mean))
        if mean[best] <= SHIFT_ERRORS * error[best]:
            return []
        y, x = _SHIFTS[best]
        return [
            f"images and masks look shifted against each other: the consensus stands out more when it is moved by "
            f"{y:+d} rows and {x:+d} columns, most in case {self.example[best][1]!r}"
        ]


def contrast_gains(case: Case) -> np.ndarray | None:
    """By how much the contrast of the consensus grows when it is moved by one pixel in each of eight directions.

    The consensus is what at least half of the raters present marked with any label; its contrast is the difference of
    the means inside and outside, within its box and three pixels around, in units of the spread there, summed over
    channels. Rows and columns move; slices do not. None where nobody agrees on a pixel or the image is constant.
    """
    votes = (case.masks[case.present] > 0).mean(axis=0)
    window = _window(votes >= 0.5)
    if window is None:
        return None
    inside = (votes >= 0.5)[window].astype(np.float32)
    image = case.image[(slice(None), *window)].astype(np.float64)
    image = (image - image.mean(axis=_spatial(image), keepdims=True)).astype(np.float32)
    spread = image.std(axis=_spatial(image))
    if inside.all() or not spread.any():
        return None
    contrast = _contrast_of(image, np.where(spread > 0, spread, np.inf))
    return np.array([contrast(np.roll(inside, shift, axis=(-2, -1))) for shift in _SHIFTS]) - contrast(inside)


def _spatial(image: np.ndarray) -> tuple[int, ...]:
    return tuple(range(1, image.ndim))


def _window(inside: np.ndarray) -> tuple[slice, ...] | None:
    if not inside.any():
        return None
    box = []
    for axis in range(inside.ndim):
        along = np.flatnonzero(inside.any(axis=tuple(a for a in range(inside.ndim) if a != axis)))
        margin = 3 if axis >= inside.ndim - 2 else 0
        box.append(slice(max(0, int(along[0]) - margin), int(along[-1]) + 1 + margin))
    return tuple(box)


def _contrast_of(image: np.ndarray, spread: np.ndarray) -> Callable[[np.ndarray], float]:
    pixels = image.reshape(len(image), -1)

    def contrast(inside: np.ndarray) -> float:
        n, total = float(inside.sum()), inside.size
        # The image has zero mean here: the outside's sum is minus the inside's.
        sums = pixels @ inside.reshape(-1)
        return float((np.abs(sums * (1 / n + 1 / (total - n))) / spread).sum())

    return contrast
