"""Every metric of cases in memory: batched, any number of classes, missing raters; no data set and no run needed."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np

from mrbench.interfaces.draw import Draw, DrawKind, binary_probability, one_hot
from mrbench.interfaces.metric import Metric
from mrbench.metrics.arrays import Array, is_floating, to_host
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.metrics.scores import ScoreCollector
from mrbench.metrics.scoring import MetricValue, reduce_fold, score_case, without_value
from mrbench.metrics.tables import CaseTables, TableBuilder

Cases: TypeAlias = "Array | Sequence[Array]"
"""An array whose first axis counts the cases, or one array for each where their sizes differ."""


def evaluate(
    raters: Cases,
    *,
    samples: "Cases | None" = None,
    predictions: "Cases | None" = None,
    consensus: "Cases | None" = None,
    present: np.ndarray | None = None,
    classes: int = 2,
    subjects: Sequence[object] | None = None,
    spacing: Sequence[float] | None = None,
    protocol: ScoringProtocol = STRICT,
    metrics: Sequence[str] = (),
) -> dict[str, MetricValue]:
    """Every built-in metric that applies, reduced over the cases as a run reduces a fold.

    Predictions are labels (integers below K, or booleans where K = 2) or probabilities (floats): ``(K, *spatial)``, or
    ``(*spatial)`` of the foreground where K = 2. What does not apply is left out: metrics of raters need predictions of
    raters, and a class that nobody marks in a case has no value there where K > 2.

    >>> import numpy as np
    >>> from mrbench.metrics import evaluate
    >>> masks = np.random.default_rng(0).integers(0, 3, (5, 4, 16, 16))
    >>> float(evaluate(masks, samples=masks, classes=3, metrics=["ged"])["ged"].value)
    0.0

    Args:
        raters: ``(N, R, *spatial)`` labels.
        samples: ``(N, S, *spatial)`` or ``(N, S, K, *spatial)``.
        predictions: for each rater, ``(N, R, *spatial)`` or ``(N, R, K, *spatial)``.
        consensus: ``(N, *spatial)`` or ``(N, K, *spatial)``.
        present: ``(N, R)`` bool, who looked at which case; None: everybody. Masks of absent raters are not looked at.
        classes: K, background included.
        subjects: (N,) the patient of each case, whose cases are averaged first; None: a patient for each case.
        spacing: mm per axis of ``spatial``; None: distances are in pixels.
        protocol: how predictions become numbers.
        metrics: names; none: all.

    Raises:
        ValueError: no predictions, an unknown metric, or arrays that do not fit each other.
        DataError: more raters than can be counted.
    """
    chosen = _chosen(metrics)
    given = {"samples": samples, "predictions": predictions, "consensus": consensus}
    sides = {name: cases for name, cases in given.items() if cases is not None}
    _check_lengths(raters, sides, present, subjects)
    scores = ScoreCollector()
    for case in range(len(raters)):
        looked = np.ones(len(raters[case]), bool) if present is None else np.asarray(present[case], bool)
        own = {name: to_host(cases[case]) for name, cases in sides.items()}
        tables = _tables(to_host(raters[case]), looked, own, classes, spacing, f"case {case}")
        subject = str(case if subjects is None else subjects[case])
        found = score_case([tables], chosen, protocol)
        scores.append(str(case), subject, found, *without_value([tables], chosen, found))
    return reduce_fold(scores.scores().that_apply(), chosen, protocol)


def _chosen(names: Sequence[str]) -> dict[str, Metric]:
    known = _built_in()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"metrics are of {', '.join(known)}; got {unknown[0]!r}")
    return {name: known[name] for name in names or known}


@cache
def _built_in() -> dict[str, Metric]:
    from mrbench.metrics.plugin import mrbench_metrics

    return {record.name: record.load()() for record in mrbench_metrics()}


def _check_lengths(
    raters: Cases, sides: dict[str, Cases], present: np.ndarray | None, subjects: Sequence[object] | None
) -> None:
    if not sides:
        raise ValueError("evaluate takes samples, predictions or consensus; got none")
    for name, cases in {**sides, "present": present, "subjects": subjects}.items():
        if cases is not None and len(cases) != len(raters):
            raise ValueError(f"{name} must have as many cases as raters, {len(raters)}; got {len(cases)}")


def _tables(
    masks: np.ndarray,
    looked: np.ndarray,
    sides: dict[str, np.ndarray],
    classes: int,
    spacing: Sequence[float] | None,
    where: str,
) -> CaseTables:
    if looked.shape != masks.shape[:1]:
        raise ValueError(f"{where}: present must be of {len(masks)} raters; got shape {looked.shape}")
    if len(sides.get("predictions", masks)) != len(masks):
        raise ValueError(f"{where}: predictions must be of {len(masks)} raters; got {len(sides['predictions'])}")
    labels = np.where(looked.reshape(-1, *(1,) * (masks.ndim - 1)), masks, 0)
    builder = TableBuilder(_labels(labels, classes, f"{where}, raters"), looked, classes, spacing)
    for draw in _draws(sides, masks.shape[1:], classes, where):
        builder.add(draw)
    return builder.finish()


def _draws(sides: dict[str, np.ndarray], spatial: tuple[int, ...], classes: int, where: str) -> Iterator[Draw]:
    for rater, each in enumerate(sides.get("predictions", ())):
        yield Draw(DrawKind.RATER, _probability(each, spatial, classes, f"{where}, predictions"), rater)
    for each in sides.get("samples", ()):
        yield Draw(DrawKind.SAMPLE, _probability(each, spatial, classes, f"{where}, samples"))
    if "consensus" in sides:
        yield Draw(DrawKind.CONSENSUS, _probability(sides["consensus"], spatial, classes, f"{where}, consensus"))


def _probability(array: np.ndarray, spatial: tuple[int, ...], classes: int, where: str) -> np.ndarray:
    if array.shape == spatial and not is_floating(array):
        return one_hot(_labels(array, classes, where), classes)
    if is_floating(array) and (array.shape == (classes, *spatial) or (array.shape == spatial and classes == 2)):
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ValueError(f"{where}: probabilities must be in [0, 1]")
        return array if array.shape != spatial else binary_probability(array)
    raise ValueError(
        f"{where}: labels {spatial} or probabilities {(classes, *spatial)}; got {array.dtype} of shape {array.shape}"
    )


def _labels(array: np.ndarray, classes: int, where: str) -> np.ndarray:
    if array.dtype.kind not in "biu" or (array.size and not 0 <= int(array.min()) <= int(array.max()) < classes):
        raise ValueError(f"{where}: labels must be integers below {classes}; got {array.dtype} up to {array.max()}")
    return array.astype(np.uint8) if classes <= 256 else array.astype(np.uint32)
