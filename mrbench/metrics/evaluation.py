"""Every metric of cases in memory: one or many, any number of classes, missing raters; no data set or run needed."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import Draw, DrawKind, binary_probability, one_hot
from mrbench.interfaces.metric import Metric
from mrbench.metrics.arrays import Array, is_floating, to_host
from mrbench.metrics.order import refuse_floats
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.metrics.scores import ScoreCollector
from mrbench.metrics.scoring import MetricValue, reduce_fold, score_case, without_value
from mrbench.metrics.tables import TableBuilder

Cases: TypeAlias = "Array | Sequence[Array]"
"""An array whose first axis counts the cases, or one array for each where their sizes differ."""

_ONE_CASE = "the first axis counts the cases; for a single one without it say one_case=True"


def evaluate(
    raters: Cases,
    samples: "Cases | None" = None,
    *,
    predictions: "Cases | None" = None,
    consensus: "Cases | None" = None,
    present: np.ndarray | Sequence[np.ndarray] | None = None,
    valid: "Cases | None" = None,
    one_case: bool = False,
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
    >>> float(evaluate(masks, masks, classes=3, metrics=["ged"])["ged"].value)
    0.0

    Masks of shape ``(4, 9, 64, 64)`` may be of 4 images and 9 raters, or of 4 raters and a volume of 9 slices. Which
    one is said, never guessed: they are 4 cases, unless ``one_case=True`` says that no array has the axis N.

    >>> float(evaluate(masks[0], masks[0], one_case=True, classes=3, metrics=["ged"])["ged"].value)
    0.0

    Args:
        raters: ``(N, R, *spatial)`` labels, integers or booleans; spatial is ``(H, W)`` or ``(D, H, W)``.
        samples: ``(N, S, *spatial)`` or ``(N, S, K, *spatial)``.
        predictions: for each rater, ``(N, R, *spatial)`` or ``(N, R, K, *spatial)``.
        consensus: ``(N, *spatial)`` or ``(N, K, *spatial)``.
        present: ``(N, R)`` bool, who looked at which case; None: everybody. Masks of absent raters are not looked at.
        valid: ``(N, *spatial)`` bool, the pixels that count, whatever stands in the others (void): counts leave them
            out, distances of boundaries take them for background. None: all.
        one_case: raters, draws, ``present`` and ``valid`` are of a single case, without the axis N.
        classes: K, background included.
        subjects: (N,) the patient of each case, whose cases are averaged first; None: a patient for each case.
        spacing: mm per axis of ``spatial``; None: distances are in pixels.
        protocol: how predictions become numbers.
        metrics: names; none: all.

    Raises:
        ValueError: no predictions, an unknown metric, floats as raters, or arrays that do not fit each other.
        DataError: more raters than can be counted, or a spacing of other axes than the images have.
    """
    chosen = _chosen(metrics)
    sides = {"samples": samples, "predictions": predictions, "consensus": consensus}
    given: dict[str, Any] = {"raters": raters, **sides, "present": present, "valid": valid, "subjects": subjects}
    cases = {name: [each] if one_case else each for name, each in given.items() if each is not None}
    _check(cases)
    scores = ScoreCollector()
    for case in range(len(cases["raters"])):
        own = {name: each[case] for name, each in cases.items()}
        tables = _tables(own, classes, spacing, f"case {case}")
        found = score_case([tables], chosen, protocol)
        without = without_value([tables], chosen, found)
        scores.append(str(case), str(own.get("subjects", case)), found, without)
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

    return {card.name: card.load() for card in mrbench_metrics()}


def _check(cases: dict[str, Any]) -> None:
    for case, masks in enumerate(cases["raters"]):
        _check_raters(masks, f"case {case}: raters must be")
    if not cases.keys() & {"samples", "predictions", "consensus"}:
        raise ValueError("evaluate takes samples, predictions or consensus; got none")
    n = len(cases["raters"])
    for name, each in cases.items():
        if len(each) != n:
            raise ValueError(f"{name} must have as many cases as raters, {n}; got {len(each)}; {_ONE_CASE}")


def _check_raters(masks: Array, wanted: str) -> None:
    refuse_floats(masks, f"{wanted} labels (integers or booleans)", "evaluate(raters, samples)")
    # One image without one_case=True would pass for as many cases as it has raters, each a line of pixels.
    if np.ndim(masks) not in (3, 4):
        raise ValueError(f"{wanted} (R, H, W) or (R, D, H, W); got shape {tuple(np.shape(masks))}; {_ONE_CASE}")


def _tables(own: dict[str, Any], classes: int, spacing: Sequence[float] | None, where: str) -> CaseTables:
    masks = to_host(own["raters"])
    looked = np.asarray(own.get("present", np.ones(len(masks))), bool)
    if looked.shape != masks.shape[:1]:
        raise ValueError(f"{where}: present must be of {len(masks)} raters; got shape {looked.shape}")
    if len(own.get("predictions", masks)) != len(masks):
        raise ValueError(f"{where}: predictions must be of {len(masks)} raters; got {len(own['predictions'])}")
    counted = _valid(own, masks.shape[1:], where)
    labels = np.where(looked.reshape(-1, *(1,) * (masks.ndim - 1)) & counted, masks, 0)
    builder = TableBuilder(_labels(labels, classes, f"{where}, raters"), looked, classes, spacing, counted)
    for draw in _draws(own, counted, classes, where):
        builder.add(draw)
    return builder.finish()


def _valid(own: dict[str, Any], spatial: tuple[int, ...], where: str) -> np.ndarray:
    valid = to_host(own["valid"]) if "valid" in own else np.ones(spatial, bool)
    if valid.shape != spatial or valid.dtype != bool or not valid.any():
        found = f"{valid.dtype} of shape {valid.shape}, {np.count_nonzero(valid)} pixels"
        raise ValueError(f"{where}: valid must be booleans {spatial}, true somewhere; got {found}")
    return valid


def _draws(own: dict[str, Any], valid: np.ndarray, classes: int, where: str) -> Iterator[Draw]:
    def probability(array: Array, name: str) -> np.ndarray:
        return _probability(to_host(array), valid, classes, f"{where}, {name}")

    for rater, each in enumerate(own.get("predictions", ())):
        yield Draw(DrawKind.RATER, probability(each, "predictions"), rater)
    for each in own.get("samples", ()):
        yield Draw(DrawKind.SAMPLE, probability(each, "samples"))
    if "consensus" in own:
        yield Draw(DrawKind.CONSENSUS, probability(own["consensus"], "consensus"))


def _probability(array: np.ndarray, valid: np.ndarray, classes: int, where: str) -> np.ndarray:
    spatial = valid.shape
    if array.shape == spatial and not is_floating(array):
        return one_hot(_labels(np.where(valid, array, 0), classes, where), classes)
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
