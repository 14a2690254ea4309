"""The cases of a page: images, masks, draws and votes as packed and deflated blocks that a browser opens one by one.

A case's block is a chain of parts, each deflated by itself: the image and the raters' masks, then every method's.
Planes are laid out class by class, slice by slice; a plane of bits is padded to whole bytes.
"""

import base64
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.engine.cell import PREDICTIONS
from mrbench.engine.predictions import StoredDraw, read_draws
from mrbench.engine.record import checked_file
from mrbench.errors import DataError
from mrbench.hatching import hatched
from mrbench.interfaces.draw import DrawKind
from mrbench.report.cases import CaseValues
from mrbench.report.palette import rater_colour, rater_dash
from mrbench.results.method_run import MethodRun

MAX_SLICES = 24
"""Slices of a volume that a page holds at most."""

SAMPLE, CONSENSUS = -1, -2
"""Stand for a draw's kind where a rater prediction has its rater."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Cases, ready for a page.

    Attributes:
        index: what the page's script must know, as JSON types.
        blocks: one base64 text per case.
        notes: what a reader must know.
    """

    index: Mapping[str, Any]
    blocks: Sequence[str]
    notes: Sequence[str]


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a case lies in its data set, and which of its slices are shown.

    Attributes:
        spatial: shape of the case.
        slices: numbers of those shown, ascending; ``(0,)`` where the case is a slice.
        most: place in ``slices`` of the one that the raters mark most.
    """

    index: int
    spatial: tuple[int, ...]
    slices: tuple[int, ...]
    most: int

    def planes(self, masks: np.ndarray) -> np.ndarray:
        """``(..., T, H x W)`` of the slices shown, from ``(..., *spatial)``."""
        h, w = self.spatial[-2:]
        stack = masks.reshape(*masks.shape[: masks.ndim - len(self.spatial)], -1, h, w)
        chosen = np.take(stack, self.slices, axis=-3)
        return chosen.reshape(*chosen.shape[:-2], h * w)


def pack_cases(
    methods: Mapping[str, MethodRun],
    cases: CaseSet,
    chosen: Sequence[CaseValues],
    metrics: Sequence[str],
    samples: int,
) -> Blocks:
    """The chosen cases with the draws of all methods.

    Args:
        methods: by label.
        metrics: those whose values per case are shown.
        samples: shown of each method.

    Raises:
        DataError: predictions that are not of these cases; names the file.
    """
    numbers = {case_id: number for number, case_id in enumerate(cases.ids)}
    places = {(case.fold, case.id): _place(cases, _known(case.id, numbers)) for case in chosen}
    parts = {key: [_deflated(*_truth(cases, place))] for key, place in places.items()}
    drawn: dict[tuple[int, str], list[Any]] = {key: [] for key in places}
    for method in methods.values():
        found = dict(_drawn(method, cases, places, samples))
        for key in places:
            head, content = found.get(key, (None, b""))
            drawn[key].append(head)
            parts[key].append(content)
    heads = [
        _head(case, cases, places[case.fold, case.id], list(methods), metrics)
        | {"draws": drawn[case.fold, case.id], "lengths": [len(part) for part in parts[case.fold, case.id]]}
        for case in chosen
    ]
    blocks = [base64.b64encode(b"".join(parts[case.fold, case.id])).decode("ascii") for case in chosen]
    return Blocks({"cases": heads, **_names(cases, methods)}, blocks, list(_notes(cases, places)))


def _known(case_id: str, numbers: Mapping[str, int]) -> int:
    if case_id not in numbers:
        raise DataError(f"the predictions hold a case {case_id!r} that the data set does not have")
    return numbers[case_id]


def _place(cases: CaseSet, index: int) -> _Place:
    masks = cases.pixels.masks(index)
    spatial = masks.shape[1:]
    if not cases.is_volume:
        return _Place(index, spatial, (0,), 0)
    marked = (masks > 0).sum(axis=(0, 2, 3))  # (D,)
    most = int(marked.argmax()) if marked.any() else len(marked) // 2
    slices = _slices(marked > 0, most)
    return _Place(index, spatial, slices, slices.index(most))


def _slices(marked: np.ndarray, most: int) -> tuple[int, ...]:
    # Those that somebody marks, with one beyond at either end.
    found = np.flatnonzero(marked) if marked.any() else np.array([most])
    first, last = max(0, int(found[0]) - 1), min(len(marked) - 1, int(found[-1]) + 1)
    if last - first < MAX_SLICES:
        return tuple(range(first, last + 1))
    spread = np.linspace(first, last, MAX_SLICES).round().astype(int)
    spread[np.abs(spread - most).argmin()] = most
    return tuple(spread.tolist())


def _truth(cases: CaseSet, place: _Place) -> Iterator[np.ndarray]:
    image = cases.pixels.image(place.index)
    # Masks without an image stand on black.
    grey = _grey(image[0] if len(image) else np.zeros(image.shape[1:], np.uint8))
    yield place.planes(hatched(grey, cases.valid(place.index)))
    masks = cases.pixels.masks(place.index)
    labels = np.arange(1, cases.description.n_classes)
    for row in masks:
        yield np.packbits(place.planes(row == labels.reshape(-1, *[1] * row.ndim)), axis=-1)


def _grey(image: np.ndarray) -> np.ndarray:
    values = np.nan_to_num(image.astype(np.float32))
    low, high = np.percentile(values, (0.1, 99.9))  # one odd pixel must not darken the rest
    if high <= low:
        low, high = float(values.min()), float(values.max())
    scaled = np.zeros_like(values) if high <= low else (values - low) / (high - low) * 255
    return np.clip(scaled, 0, 255).astype(np.uint8)


def _deflated(*planes: np.ndarray) -> bytes:
    return zlib.compress(b"".join(plane.tobytes() for plane in planes), 6)


Key = tuple[int, str]


def _drawn(
    method: MethodRun, cases: CaseSet, places: Mapping[Key, _Place], samples: int
) -> Iterator[tuple[Key, tuple[dict[str, Any], bytes]]]:
    folds = {fold for fold, _ in places}
    for result in method.shown():
        if result.spec.fold not in folds or result.folder is None:
            continue
        path = checked_file(result.folder, PREDICTIONS)
        for case_id, draws in read_draws(path):
            key = result.spec.fold, case_id
            if key in places and draws:
                _check(draws, cases, places[key], f"{path}, case {case_id!r}")
                yield key, _part(draws, places[key], samples)


def _check(draws: Sequence[StoredDraw], cases: CaseSet, place: _Place, where: str) -> None:
    expected = (cases.description.n_classes - 1, -(-int(np.prod(place.spatial)) // 8))
    if draws[0].bits.shape != expected:
        found = f"{draws[0].bits.shape}"
        raise DataError(f"{where} has draws of another shape", expected=f"{expected} classes and bytes", found=found)
    raters = {draw.rater for draw in draws if draw.rater is not None}
    if max(raters, default=0) >= cases.description.n_raters:
        raise DataError(f"{where} has predictions for raters that are not there", found=f"{max(raters)}")


def _part(draws: Sequence[StoredDraw], place: _Place, samples: int) -> tuple[dict[str, Any], bytes]:
    """The draws that are shown, and the votes of all that count into the mean: samples, else rater predictions."""
    over = DrawKind.SAMPLE if any(draw.kind is DrawKind.SAMPLE for draw in draws) else DrawKind.RATER
    voters = [draw for draw in _first_of_raters(draws) if draw.kind is over]
    shown = list(_shown(draws, samples))
    planes = [np.packbits(_planes(draw, place), axis=-1) for draw in shown]
    head: dict[str, Any] = {"shown": [_code(draw) for draw in shown], "over": over.value, "of": 0}
    if len(voters) > 1:
        votes = np.sum([_planes(draw, place) for draw in voters], axis=0, dtype=np.uint32)
        head["voters"], head["of"] = len(voters), min(255, len(voters))
        planes.append((votes * head["of"] // len(voters)).astype(np.uint8))
    return head, _deflated(*planes)


def _planes(draw: StoredDraw, place: _Place) -> np.ndarray:
    # (F, T, H x W) bool
    bits = np.unpackbits(draw.bits, axis=1, count=int(np.prod(place.spatial)))
    return place.planes(bits.reshape(len(bits), *place.spatial)).astype(bool)


def _first_of_raters(draws: Sequence[StoredDraw]) -> Iterator[StoredDraw]:
    seen: set[int] = set()
    for draw in draws:
        if draw.rater is None or draw.rater not in seen:
            yield draw
            seen |= set() if draw.rater is None else {draw.rater}


def _shown(draws: Sequence[StoredDraw], samples: int) -> Iterator[StoredDraw]:
    left = samples
    for draw in _first_of_raters(draws):
        if draw.kind is DrawKind.SAMPLE:
            left -= 1
        if draw.kind is not DrawKind.SAMPLE or left >= 0:
            yield draw


def _code(draw: StoredDraw) -> int:
    if draw.rater is not None:
        return draw.rater
    return SAMPLE if draw.kind is DrawKind.SAMPLE else CONSENSUS


def _head(
    case: CaseValues, cases: CaseSet, place: _Place, labels: Sequence[str], metrics: Sequence[str]
) -> dict[str, Any]:
    values = [case.values.get(label, {}) for label in labels]
    return {
        "id": case.id,
        "subject": case.subject,
        "fold": case.fold,
        "h": place.spatial[-2],
        "w": place.spatial[-1],
        "slices": [number + 1 for number in place.slices] if cases.is_volume else [],
        "depth": place.spatial[0] if cases.is_volume else 1,
        "most": place.most,
        "present": cases.present[place.index].tolist(),
        "values": [[_rounded(own.get(name)) for name in metrics] for own in values],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _names(cases: CaseSet, labels: Iterable[str]) -> dict[str, Any]:
    description = cases.description
    return {
        "classes": list(description.classes[1:]),
        "raters": list(description.rater_names),
        "colours": [rater_colour(rater) for rater in range(description.n_raters)],
        "dashes": [rater_dash(rater) for rater in range(description.n_raters)],
        "entries": [{"label": label} for label in labels],
    }


def _notes(cases: CaseSet, places: Mapping[Key, _Place]) -> Iterator[str]:
    channels = cases.description.channels
    if len(channels) > 1:
        yield f"The image is the first of {len(channels)} channels, {channels[0]!r}."
    if any(place.slices[-1] - place.slices[0] >= len(place.slices) for place in places.values()):
        yield f"Of volumes in which more than {MAX_SLICES} slices matter, {MAX_SLICES} of them are here, evenly spread."
    if any(cases.valid(place.index) is not None for place in places.values()):
        yield "Hatched pixels are void: somebody did not judge them, and they count in no score."
    if cases.is_volume:
        yield "Slices that no rater marks are left out, but for one at either end."
