"""The two integer tables of a case, from which every overlap metric follows under every scoring protocol.

Building them is one pass over the pixels; nothing reads a mask afterwards.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from mrbench.errors import DataError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics.counting import (
    THRESHOLDS,
    count_class,
    joint_histogram,
    levels,
    pack_masks,
    popcount,
    threshold_counts,
)
from mrbench.metrics.overlap import Overlaps

MAX_RATERS = 62
"""A rater pattern is one int64."""


class Predictions(NamedTuple):
    """A set of predicted masks that is scored as a whole."""

    rows: np.ndarray
    """``(S,)`` of the intersection matrix."""
    votes: np.ndarray
    """``(E, 4)`` as in :class:`CaseTables`."""
    soft: np.ndarray
    """``(F, 5, 3)`` as in :class:`CaseTables`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class MaskRows:
    """Who the M masks of one trial of one case are: S samples, P rater predictions, maybe a consensus, R raters.

    Attributes:
        n_samples: S.
        predicted_rater: ``(P,)`` int64, the rater whom each rater prediction was made for.
        has_consensus: is there a consensus?
        truth: ``(R,)`` bool, the raters who are scored against.
    """

    n_samples: int
    predicted_rater: np.ndarray
    has_consensus: bool
    truth: np.ndarray

    @property
    def n_predicted(self) -> int:
        """Rows before the raters'."""
        return self.n_samples + len(self.predicted_rater) + self.has_consensus

    @cached_property
    def truth_raters(self) -> np.ndarray:
        """Columns of the raters who are scored against."""
        return np.flatnonzero(self.truth)

    @cached_property
    def truth_rows(self) -> np.ndarray:
        """Rows of the raters who are scored against."""
        return self.n_predicted + self.truth_raters

    @cached_property
    def sample_rows(self) -> np.ndarray:
        """Rows of the samples; where there are none, the consensus is the one sample."""
        return np.arange(self.n_samples) if self.n_samples else self._consensus_rows

    def rows_of(self, rater: int) -> np.ndarray:
        """Rows of the predictions made for a rater, draw 0 first; where there are none, the consensus."""
        own = self.n_samples + np.flatnonzero(self.predicted_rater == rater)
        return own if len(own) else self._consensus_rows

    @cached_property
    def set_raters(self) -> np.ndarray:
        """Columns of the raters for whom there is a prediction."""
        return np.array([r for r in range(len(self.truth)) if len(self.rows_of(r))], np.int64)

    @property
    def predicts_every_rater(self) -> bool:
        """Is there a prediction for each of the R raters?"""
        return len(self.set_raters) == len(self.truth)

    @cached_property
    def rater_rows(self) -> np.ndarray:
        """Row of draw 0 of each of ``set_raters``."""
        return np.array([self.rows_of(r)[0] for r in self.set_raters], np.int64)

    @property
    def _consensus_rows(self) -> np.ndarray:
        return np.arange(self.n_predicted - self.has_consensus, self.n_predicted)


@dataclass(frozen=True, eq=False, kw_only=True)
class CaseTables(MaskRows):
    """Everything that is stored for one trial of one case.

    F = K - 1 foreground classes; M = S + P + (0 or 1) + R masks in this order.

    Attributes:
        pixels: of the image.
        intersection: ``(F, M, M)`` int64 shared pixels; the diagonal holds the areas. Rows of raters who are not the
            truth are zero.
        votes: ``(E, 4)`` int64 rows [class, samples that mark the pixel, bit pattern of the raters who do, pixels],
            ascending; no rows where there are neither samples nor a consensus.
        rater_votes: the same for the set of draw 0 of each rater.
        soft: ``(F, 5, 3)`` int64 counts |A|, |B|, |A and B| of A = mean probability of the samples > t and B = share of
            the raters > t, for t in .1 .3 .5 .7 .9; zero where there are neither samples nor a consensus.
        rater_soft: the same for the set of draw 0 of each rater.
    """

    pixels: int
    intersection: np.ndarray
    votes: np.ndarray
    rater_votes: np.ndarray
    soft: np.ndarray
    rater_soft: np.ndarray

    @property
    def samples(self) -> Predictions:
        """The samples; a consensus-only method's one output."""
        return Predictions(self.sample_rows, self.votes, self.soft)

    @property
    def rater_set(self) -> Predictions:
        """Draw 0 of each rater, truth or not; of a consensus-only method, its output once per rater."""
        return Predictions(self.rater_rows, self.rater_votes, self.rater_soft)

    @property
    def areas(self) -> np.ndarray:
        """``(F, M)`` pixels of each mask."""
        return np.diagonal(self.intersection, axis1=1, axis2=2)

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """Foreground classes that are scored here: with K > 2, those that some mask of the case contains."""
        if len(self.intersection) == 1:
            return (1,)
        return tuple((np.flatnonzero(self.areas.any(axis=1)) + 1).tolist())

    def overlaps(self, label: int, rows: np.ndarray) -> Overlaps:
        """The overlaps of some predicted rows ``(S,)`` with the raters who are the truth; made once per set."""
        key = label, rows.tobytes()
        if key not in self._overlaps:
            index = np.concatenate([rows, self.truth_rows])
            self._overlaps[key] = Overlaps(self.intersection[label - 1][index[:, None], index], len(rows))
        return self._overlaps[key]

    @cached_property
    def _overlaps(self) -> dict[tuple[int, bytes], Overlaps]:
        return {}

    def vote_counts(self, label: int, predictions: Predictions) -> np.ndarray:
        """``(5, 3)`` as ``soft`` for one class, with A = share of the predictions that mark a pixel > t."""
        _, votes, pattern, pixels = predictions.votes[predictions.votes[:, 0] == label].T
        predicted = levels(votes, len(predictions.rows))
        return threshold_counts(predicted, levels(popcount(pattern), len(self.truth_rows)), pixels)


def binarise(probability: np.ndarray) -> np.ndarray:
    """``(F, *spatial)`` masks of the foreground classes from probabilities ``(K, *spatial)``.

    K = 2: above one half, strictly. K > 2: the most probable class, the lowest of equals.
    """
    if len(probability) == 2:
        return np.greater(probability[1:], 0.5)
    labels = probability.argmax(axis=0)
    return np.stack([labels == label for label in range(1, len(probability))])


@dataclass(frozen=True, eq=False)
class _Sum:
    """Sum of the foreground probabilities ``(F, pixels)`` of n predictions."""

    total: np.ndarray
    n: int = 0

    def add(self, foreground: np.ndarray) -> "_Sum":
        np.add(self.total, foreground, out=self.total)
        return _Sum(self.total, self.n + 1)

    def plus(self, other: "_Sum", times: int) -> "_Sum":
        """A sum of its own, with the other one ``times`` over."""
        return _Sum(self.total + times * other.total, self.n + times * other.n) if times and other.n else self

    def counts(self, rater_levels: np.ndarray) -> np.ndarray:
        """``(F, 5, 3)`` of the mean against the levels of the raters' share, ``(F, pixels)``; zero without any."""
        if not self.n:
            return np.zeros((len(rater_levels), len(THRESHOLDS), 3), np.int64)
        pairs = zip(self.total, rater_levels, strict=True)
        return np.stack([threshold_counts(levels(total, self.n), level) for total, level in pairs])


class TableBuilder:
    """Takes the draws of one trial of one case one at a time and keeps bits and running sums only.

    Args:
        masks: ``(R, *spatial)`` unsigned integers below K.
        truth: ``(R,)`` bool, the raters who are scored against.
        classes: K, background included.

    Raises:
        DataError: more raters than a pattern has bits.
    """

    def __init__(self, masks: np.ndarray, truth: np.ndarray, classes: int) -> None:
        if len(masks) > MAX_RATERS:
            raise DataError("a case has too many raters", expected=f"at most {MAX_RATERS}", found=f"{len(masks)}")
        self._truth = np.array(truth, bool)
        flat = masks.reshape(len(masks), -1)
        self._pixels, self._labels = flat.shape[1], np.arange(1, classes)
        self._raters = np.stack([self._pack(row * scored) for row, scored in zip(flat, self._truth, strict=True)])
        self._rater_levels = self._share_levels(flat[self._truth])
        self._samples: list[np.ndarray] = []
        self._predictions: list[np.ndarray] = []
        self._predicted_rater: list[int] = []
        self._consensus: list[np.ndarray] = []
        self._sums = {kind: _Sum(np.zeros((len(self._labels), self._pixels))) for kind in DrawKind}

    def _pack(self, labels: np.ndarray) -> np.ndarray:
        return pack_masks(labels == self._labels[:, None])

    def _share_levels(self, masks: np.ndarray) -> np.ndarray:
        level_of_votes = levels(np.arange(len(masks) + 1), len(masks))
        votes = [(masks == label).sum(axis=0, dtype=np.uint8) for label in self._labels]
        return np.stack([level_of_votes[vote] for vote in votes])

    def add(self, draw: Draw) -> None:
        """Takes the next draw, ``(K, *spatial)`` probabilities; a rater's first one is that rater's draw 0."""
        first = draw.kind is not DrawKind.RATER or draw.rater not in self._predicted_rater
        bits = pack_masks(binarise(draw.probability).reshape(len(self._labels), -1))
        if draw.kind is DrawKind.SAMPLE:
            self._samples.append(bits)
        elif draw.kind is DrawKind.CONSENSUS:
            self._consensus.append(bits)
        elif draw.rater is not None:
            self._predictions.append(bits)
            self._predicted_rater.append(draw.rater)
        if first:
            self._sums[draw.kind] = self._sums[draw.kind].add(draw.probability[1:].reshape(len(self._labels), -1))

    def packed(self) -> np.ndarray:
        """``(draws, F, ceil(pixels / 8))`` uint8 bits of the draws: samples, rater predictions, consensus."""
        draws = self._samples + self._predictions + self._consensus
        return np.array(draws, np.uint8).reshape(len(draws), *self._raters.shape[1:])

    def finish(self) -> CaseTables:
        """The tables of the draws so far."""
        rows = MaskRows(
            n_samples=len(self._samples),
            predicted_rater=np.array(self._predicted_rater, np.int64),
            has_consensus=bool(self._consensus),
            truth=self._truth,
        )
        intersection, votes, rater_votes = self._count(rows)
        samples, raters = self._set_sums(rows)
        return CaseTables(
            n_samples=rows.n_samples,
            predicted_rater=rows.predicted_rater,
            has_consensus=rows.has_consensus,
            truth=rows.truth,
            pixels=self._pixels,
            intersection=intersection,
            votes=votes,
            rater_votes=rater_votes,
            soft=samples.counts(self._rater_levels),
            rater_soft=raters.counts(self._rater_levels),
        )

    def _count(self, rows: MaskRows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        masks = np.concatenate([self.packed(), self._raters])
        weights = np.stack([np.bincount(r, minlength=len(masks)) for r in (rows.sample_rows, rows.rater_rows)])
        counted = [count_class(masks[:, f], weights, len(self._truth)) for f in range(len(self._labels))]
        votes, rater_votes = (
            [joint_histogram(votes[i], patterns, self._pixels) for _, votes, patterns in counted if weights[i].any()]
            for i in range(2)
        )
        return np.stack([shared for shared, _, _ in counted]), _labelled(votes), _labelled(rater_votes)

    def _set_sums(self, rows: MaskRows) -> tuple[_Sum, _Sum]:
        samples, raters, consensus = (self._sums[k] for k in (DrawKind.SAMPLE, DrawKind.RATER, DrawKind.CONSENSUS))
        return samples if samples.n else consensus, raters.plus(consensus, len(rows.rater_rows) - raters.n)


def _labelled(histograms: Sequence[np.ndarray]) -> np.ndarray:
    rows = [np.insert(entries, 0, label, axis=1) for label, entries in enumerate(histograms, start=1)]
    return np.concatenate([np.zeros((0, 4), np.int64), *rows])


_LAYOUT = (
    "classes",
    "samples",
    "predictions",
    "consensus",
    "raters",
    "pixels",
    "vote_entries",
    "rater_vote_entries",
)
_COLUMNS = ("label", "votes", "pattern", "pixels")


def pack(tables: Sequence[CaseTables]) -> dict[str, np.ndarray]:
    """Many cases as a few flat integer arrays of the smallest fitting type; :func:`unpack` gives the same tables back.

    ``layout`` has one row of sizes per case; all else is laid end to end in case order, intersections as upper
    triangles.
    """
    layout = np.array([_sizes(table) for table in tables], np.int64).reshape(-1, len(_LAYOUT))
    flat = {
        "layout": layout,
        "predicted_rater": _chain([table.predicted_rater for table in tables]),
        "truth": _chain([table.truth for table in tables]),
        "intersection": _chain([_triangle(table.intersection) for table in tables]),
        "soft": _chain([table.soft for table in tables]),
        "rater_soft": _chain([table.rater_soft for table in tables]),
    }
    for field in ("votes", "rater_votes"):
        entries = np.concatenate([np.zeros((0, 4), np.int64), *(getattr(table, field) for table in tables)])
        flat |= {f"{field}_{column}": values for column, values in zip(_COLUMNS, entries.T, strict=True)}
    return {name: _smallest(array) for name, array in flat.items()}


def _sizes(table: CaseTables) -> list[int]:
    return [
        len(table.intersection),
        table.n_samples,
        len(table.predicted_rater),
        int(table.has_consensus),
        len(table.truth),
        table.pixels,
        len(table.votes),
        len(table.rater_votes),
    ]


def _chain(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int64), *(array.reshape(-1) for array in arrays)])


def _triangle(intersection: np.ndarray) -> np.ndarray:
    above, right = np.triu_indices(intersection.shape[1])
    return intersection[:, above, right]


def _smallest(array: np.ndarray) -> np.ndarray:
    return array.astype(np.min_scalar_type(int(array.max(initial=0))))


def unpack(arrays: Mapping[str, np.ndarray]) -> list[CaseTables]:
    """The inverse of :func:`pack`. Trusts nothing: sizes, ranges and sums are checked before any metric sees them.

    Raises:
        DataError: the arrays cannot have come from :func:`pack`.
    """
    stream = _Stream(arrays)
    tables = [stream.next_case(case, sizes) for case, sizes in enumerate(stream.layout)]
    stream.check_end()
    for case, table in enumerate(tables):
        _check(table, case)
    return tables


def _refuse(what: str, expected: str, found: str) -> DataError:
    return DataError(
        f"stored tables are damaged: {what}", expected=expected, found=found, hint="predict again: mrbench run"
    )


class _Stream:
    """Takes the packed arrays apart, front to back."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        layout = _integers(arrays, "layout")
        if layout.ndim != 2 or layout.shape[1] != len(_LAYOUT):
            raise _refuse("layout", f"(cases, {len(_LAYOUT)})", f"shape {layout.shape}")
        self.layout: list[dict[str, int]] = [dict(zip(_LAYOUT, row, strict=True)) for row in layout.tolist()]
        votes = [f"{field}_{column}" for field in ("votes", "rater_votes") for column in _COLUMNS]
        names = ("predicted_rater", "truth", "intersection", "soft", "rater_soft", *votes)
        self._arrays = {name: _integers(arrays, name) for name in names}
        self._at = dict.fromkeys(names, 0)

    def take(self, name: str, *shape: int) -> np.ndarray:
        size, start = math.prod(shape), self._at[name]
        part = self._arrays[name][start : start + size]
        if part.ndim != 1 or len(part) < size:
            raise _refuse(name, f"{start + size} entries or more, in one row", f"shape {self._arrays[name].shape}")
        self._at[name] += size
        return part.reshape(shape)

    def next_case(self, case: int, sizes: Mapping[str, int]) -> CaseTables:
        f, r, p = sizes["classes"], sizes["raters"], sizes["predictions"]
        if not (f >= 1 and 1 <= r <= MAX_RATERS and sizes["consensus"] <= 1 <= sizes["pixels"]):
            raise _refuse(f"layout of case {case}", f"a class, 1..{MAX_RATERS} raters, pixels", f"{dict(sizes)}")
        m = sizes["samples"] + p + sizes["consensus"] + r
        return CaseTables(
            n_samples=sizes["samples"],
            predicted_rater=self.take("predicted_rater", p),
            has_consensus=bool(sizes["consensus"]),
            truth=self.take("truth", r) > 0,
            pixels=sizes["pixels"],
            intersection=_square(self.take("intersection", f, m * (m + 1) // 2), m),
            votes=self._entries("votes", sizes["vote_entries"]),
            rater_votes=self._entries("rater_votes", sizes["rater_vote_entries"]),
            soft=self.take("soft", f, len(THRESHOLDS), 3),
            rater_soft=self.take("rater_soft", f, len(THRESHOLDS), 3),
        )

    def _entries(self, field: str, size: int) -> np.ndarray:
        return np.stack([self.take(f"{field}_{column}", size) for column in _COLUMNS], axis=1)

    def check_end(self) -> None:
        for name, array in self._arrays.items():
            if array.shape != (self._at[name],):
                raise _refuse(name, f"shape ({self._at[name]},)", f"shape {array.shape}")


def _integers(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    array = np.asarray(arrays[name]) if name in arrays else None
    if array is None or array.dtype.kind not in "biu":
        raise _refuse(name, "an integer array", "nothing" if array is None else f"{array.dtype}")
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < 1 << 62:
        raise _refuse(name, "counts of at least 0, below 2^62", f"{array.min()}..{array.max()}")
    return array.astype(np.int64)


def _square(triangle: np.ndarray, m: int) -> np.ndarray:
    above, right = np.triu_indices(m)
    square = np.empty((len(triangle), m, m), np.int64)
    square[:, above, right] = square[:, right, above] = triangle
    return square


def _check(table: CaseTables, case: int) -> None:
    faults = (
        ("predicted_rater", bool(np.all(table.predicted_rater < len(table.truth)))),
        ("intersection", _are_intersections(table)),
        *((f"{name} table", _are_votes(table, getattr(table, name), rows)) for name, rows in _sets(table).items()),
        *((name, _are_threshold_counts(table, getattr(table, name))) for name in ("soft", "rater_soft")),
    )
    for name, fits in faults:
        if not fits:
            raise _refuse(f"{name} of case {case}", "counts that masks can have", "counts that contradict each other")


def _sets(table: CaseTables) -> dict[str, np.ndarray]:
    return {"votes": table.sample_rows, "rater_votes": table.rater_rows}


def _are_intersections(table: CaseTables) -> bool:
    areas = table.areas
    most = np.minimum(areas[:, :, None], areas[:, None, :])
    least = areas[:, :, None] + areas[:, None, :] - table.pixels
    within = (table.intersection <= most) & (table.intersection >= least) & (areas[:, :, None] <= table.pixels)
    return bool(within.all() and not areas[:, table.n_predicted :][:, ~table.truth].any())


def _are_votes(table: CaseTables, entries: np.ndarray, rows: np.ndarray) -> bool:
    if len(rows) == 0:
        return len(entries) == 0
    label, votes, pattern, pixels = entries.T
    classes = len(table.intersection)
    truth = sum(1 << int(r) for r in table.truth_raters)
    ranges = (label >= 1) & (label <= classes) & (votes <= len(rows)) & (pattern & ~truth == 0)
    ranges &= (pixels > 0) & (pixels <= table.pixels)
    if not ranges.all():
        return False
    return all(int(pixels[label == f].sum()) == table.pixels for f in range(1, classes + 1))


def _are_threshold_counts(table: CaseTables, counts: np.ndarray) -> bool:
    first, second, both = counts[..., 0], counts[..., 1], counts[..., 2]
    return bool(np.all((both <= np.minimum(first, second)) & (np.maximum(first, second) <= table.pixels)))
