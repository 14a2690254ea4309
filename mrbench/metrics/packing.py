"""Tables of many cases as a few flat arrays, and back, whoever wrote them."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from mrbench.errors import DataError
from mrbench.interfaces.case_tables import CaseTables, Predictions
from mrbench.metrics.calibration import BINS, fraction_bits
from mrbench.metrics.counting import THRESHOLDS
from mrbench.metrics.protocol import MAX_PREDICTIONS
from mrbench.metrics.tables import MAX_RATERS

_LAYOUT = (
    "classes",
    "samples",
    "predictions",
    "consensus",
    "raters",
    "dimensions",
    "vote_entries",
    "rater_vote_entries",
    "calibration_entries",
    "rater_calibration_entries",
)
_VOTES = ("label", "votes", "pattern", "pixels")
_CALIBRATION = ("label", "bin", "pattern", "pixels", "sum", "square")
_ENTRIES = {"votes": _VOTES, "rater_votes": _VOTES, "calibration": _CALIBRATION, "rater_calibration": _CALIBRATION}

OPTIONAL = frozenset({"void", "in_turn"})
"""A number per case, 0 where there is no such array."""

MAX_DIMENSIONS = 4
"""Of a case's shape."""


def pack(tables: Sequence[CaseTables]) -> dict[str, np.ndarray]:
    """Many cases as a few flat arrays of the smallest fitting integers; :func:`unpack` gives the same tables back.

    ``layout`` has one row of sizes per case; all else is laid end to end in case order, intersections as upper
    triangles. Spacing alone is float64, NaN where unknown; ``void`` is there where a case has void pixels,
    ``in_turn`` where samples take turns. The masks are no part of it.

    Raises:
        ValueError: tables of a part of the samples.
    """
    layout = np.array([_sizes(table) for table in tables], np.int64).reshape(-1, len(_LAYOUT))
    flat = {
        "layout": layout,
        "predicted_rater": _chain([table.predicted_rater for table in tables]),
        "truth": _chain([table.truth for table in tables]),
        "intersection": _chain([_triangle(table.intersection) for table in tables]),
        "shape": _chain([np.array(table.shape, np.int64) for table in tables]),
        "soft": _chain([_whole(table.soft) for table in tables]),
        "rater_soft": _chain([table.rater_soft for table in tables]),
        "rater_means": _chain([table.rater_means for table in tables]),
    }
    if any(table.void for table in tables):
        flat["void"] = np.array([table.void for table in tables], np.int64)
    if any(table.in_turn for table in tables):
        flat["in_turn"] = np.array([table.in_turn for table in tables], np.int64)
    for field, columns in _ENTRIES.items():
        entries = np.concatenate([np.zeros((0, len(columns)), np.int64), *(_whole(getattr(t, field)) for t in tables)])
        flat |= {f"{field}_{column}": values for column, values in zip(columns, entries.T, strict=True)}
    spacing = [table.spacing or (math.nan,) * len(table.shape) for table in tables]
    return {name: _smallest(array) for name, array in flat.items()} | {"spacing": np.array(sum(spacing, ()), float)}


def _whole(counts: np.ndarray | None) -> np.ndarray:
    if counts is None:
        raise ValueError("tables of a part of the samples cannot be stored")
    return counts


def _sizes(table: CaseTables) -> list[int]:
    return [
        len(table.intersection),
        table.n_samples,
        len(table.predicted_rater),
        int(table.has_consensus),
        len(table.truth),
        len(table.shape),
        *(len(_whole(getattr(table, field))) for field in _ENTRIES),
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
        names = ("predicted_rater", "truth", "intersection", "shape", "soft", "rater_soft", "rater_means")
        self._arrays = {name: _row(_integers(arrays, name), name) for name in names}
        self._arrays |= {field: _entries(arrays, field, columns) for field, columns in _ENTRIES.items()}
        for name in OPTIONAL & arrays.keys():
            self._arrays[name] = _row(_integers(arrays, name), name)
        self._arrays["spacing"] = _row(_lengths(arrays, "spacing"), "spacing")
        self._at = dict.fromkeys(self._arrays, 0)

    def take(self, name: str, *shape: int) -> np.ndarray:
        return self.take_rows(name, math.prod(shape)).reshape(shape)

    def take_rows(self, name: str, rows: int) -> np.ndarray:
        array, start = self._arrays[name], self._at[name]
        if len(array) < start + rows:
            raise _refuse(name, f"{start + rows} entries or more", f"{len(array)}")
        self._at[name] += rows
        return array[start : start + rows]

    def next_case(self, case: int, sizes: Mapping[str, int]) -> CaseTables:
        f, r, p, d = sizes["classes"], sizes["raters"], sizes["predictions"], sizes["dimensions"]
        if not (f >= 1 and 1 <= r <= MAX_RATERS and sizes["consensus"] <= 1 <= d <= MAX_DIMENSIONS):
            expected = f"a class, 1..{MAX_RATERS} raters, 1..{MAX_DIMENSIONS} dimensions"
            raise _refuse(f"layout of case {case}", expected, f"{dict(sizes)}")
        m = sizes["samples"] + p + sizes["consensus"] + r
        if m - r > 2 * MAX_PREDICTIONS:  # of a method as many samples, and rater predictions besides
            raise _refuse(f"layout of case {case}", f"at most {2 * MAX_PREDICTIONS} predictions", f"{m - r}")
        return CaseTables(
            n_samples=sizes["samples"],
            predicted_rater=self.take("predicted_rater", p),
            has_consensus=bool(sizes["consensus"]),
            truth=self.take("truth", r) > 0,
            shape=self._shape(d, case),
            spacing=_spacing(self.take("spacing", d)),
            intersection=_square(self.take("intersection", f, m * (m + 1) // 2), m),
            votes=self.take_rows("votes", sizes["vote_entries"]),
            rater_votes=self.take_rows("rater_votes", sizes["rater_vote_entries"]),
            soft=self.take("soft", f, len(THRESHOLDS), 3),
            rater_soft=self.take("rater_soft", f, len(THRESHOLDS), 3),
            rater_means=self.take("rater_means", f, r, 2),
            calibration=self.take_rows("calibration", sizes["calibration_entries"]),
            rater_calibration=self.take_rows("rater_calibration", sizes["rater_calibration_entries"]),
            void=self._optional("void"),
            in_turn=self._optional("in_turn") > 0,
        )

    def _optional(self, name: str) -> int:
        return int(self.take_rows(name, 1)[0]) if name in self._arrays else 0

    def _shape(self, dimensions: int, case: int) -> tuple[int, ...]:
        shape = tuple(self.take("shape", dimensions).tolist())
        if not 1 <= math.prod(shape) < 1 << 62:
            raise _refuse(f"shape of case {case}", "pixels", f"{shape}")
        return shape

    def check_end(self) -> None:
        for name, array in self._arrays.items():
            if len(array) != self._at[name]:
                raise _refuse(name, f"{self._at[name]} entries", f"{len(array)}")


def _integers(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    array = np.asarray(arrays[name]) if name in arrays else None
    if array is None or array.dtype.kind not in "biu":
        raise _refuse(name, "an integer array", "nothing" if array is None else f"{array.dtype}")
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < 1 << 62:
        raise _refuse(name, "counts of at least 0, below 2^62", f"{array.min()}..{array.max()}")
    return array.astype(np.int64)


def _lengths(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    array = np.asarray(arrays[name]) if name in arrays else None
    if array is None or array.dtype.kind != "f":
        raise _refuse(name, "an array of floats", "nothing" if array is None else f"{array.dtype}")
    if not (np.isnan(array) | (np.isfinite(array) & (array > 0))).all():
        raise _refuse(name, "lengths above 0, or NaN", "others")
    return array.astype(np.float64)


def _row(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim != 1:
        raise _refuse(name, "one row", f"shape {array.shape}")
    return array


def _entries(arrays: Mapping[str, np.ndarray], field: str, columns: Sequence[str]) -> np.ndarray:
    found = [_row(_integers(arrays, f"{field}_{column}"), f"{field}_{column}") for column in columns]
    for column, array in zip(columns, found, strict=True):
        if len(array) != len(found[0]):
            raise _refuse(f"{field}_{column}", f"{len(found[0])} entries", f"{len(array)}")
    return np.stack(found, axis=1)


def _spacing(lengths: np.ndarray) -> tuple[float, ...] | None:
    return None if np.isnan(lengths).any() else tuple(lengths.tolist())


def _square(triangle: np.ndarray, m: int) -> np.ndarray:
    return triangle[:, _places(m)]


@lru_cache(maxsize=8)
def _places(m: int) -> np.ndarray:
    """``(m, m)`` where each entry of a symmetric matrix stands in its upper triangle."""
    above, right = np.triu_indices(m)
    places = np.empty((m, m), np.intp)
    places[above, right] = places[right, above] = np.arange(len(above))
    return places


def _check(table: CaseTables, case: int) -> None:
    if table.void >= table.size:
        raise _refuse(f"void of case {case}", f"fewer than {table.size} pixels", f"{table.void}")
    faults = (
        ("predicted_rater", bool(np.all(table.predicted_rater < len(table.truth)))),
        ("intersection", _are_intersections(table)),
        *((f"{name} table", _are_votes(table, getattr(table, name), rows)) for name, rows in _sets(table).items()),
        *((name, _are_threshold_counts(table, getattr(table, name))) for name in ("soft", "rater_soft")),
        ("rater_means", _are_rater_means(table)),
        ("calibration", _are_calibration(table, table.samples)),
        ("rater_calibration", _are_calibration(table, table.rater_set)),
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
    return bool((votes <= len(rows)).all()) and _are_pixel_counts(table, label, pattern, pixels)


def _are_pixel_counts(table: CaseTables, label: np.ndarray, pattern: np.ndarray, pixels: np.ndarray) -> bool:
    classes = len(table.intersection)
    truth = sum(1 << int(r) for r in table.truth_raters)
    ranges = (label >= 1) & (label <= classes) & (pattern & ~truth == 0) & (pixels > 0) & (pixels <= table.pixels)
    if not ranges.all():
        return False
    return all(int(pixels[label == f].sum()) == table.pixels for f in range(1, classes + 1))


def _are_calibration(table: CaseTables, predictions: Predictions) -> bool:
    entries = predictions.calibration
    if entries is None or len(predictions.rows) == 0:
        return entries is not None and len(entries) == 0
    label, bins, pattern, pixels, total, square = entries.T
    if not ((bins < BINS).all() and _are_pixel_counts(table, label, pattern, pixels)):
        return False
    return bool(((square <= total) & (total <= pixels << fraction_bits(table.pixels))).all())


def _are_rater_means(table: CaseTables) -> bool:
    area, shared = table.rater_means[..., 0], table.rater_means[..., 1]
    own = np.minimum(area, table.areas[:, table.n_predicted :])
    return bool(((shared <= own) & (area <= table.pixels)).all())


def _are_threshold_counts(table: CaseTables, counts: np.ndarray) -> bool:
    first, second, both = counts[..., 0], counts[..., 1], counts[..., 2]
    return bool(np.all((both <= np.minimum(first, second)) & (np.maximum(first, second) <= table.pixels)))
