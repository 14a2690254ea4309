"""What a draw and the numbers of a method's draws must be."""

from collections import Counter
from typing import Any

import numpy as np

from mrbench.cards import Capability, MethodCard
from mrbench.errors import DivergedError, PluginError
from mrbench.interfaces.draw import Draw, DrawKind

TOLERANCE = 1e-3
"""How far a pixel's probabilities may be from summing to one."""

Seen = Counter[tuple[DrawKind, int | None]]
"""Numbers of draws by kind and rater."""


def check_draw(draw: Any, shape: tuple[int, ...], n_raters: int, where: str) -> None:
    """Refuses what is not a draw of ``(K, *spatial)`` probabilities.

    Args:
        where: method and case, for the error.

    Raises:
        PluginError: wrong type, shape, rater or range.
        DivergedError: NaN or infinite probabilities.
    """
    _check_type(draw, where)
    array = draw.probability
    if array.shape != shape:
        raise PluginError(f"{where}: a draw has a wrong shape", expected=f"{shape}", found=f"{array.shape}")
    if (draw.kind is DrawKind.RATER) != (draw.rater is not None and 0 <= draw.rater < n_raters):
        raise PluginError(f"{where}: a {draw.kind} draw names rater {draw.rater}", expected="a column for raters only")
    _check_probabilities(array, where)


def _check_type(draw: Any, where: str) -> None:
    if not isinstance(draw, Draw) or not isinstance(draw.probability, np.ndarray):
        found = f"a Draw with a {kind_of(draw.probability)}" if isinstance(draw, Draw) else f"a {kind_of(draw)}"
        raise PluginError(f"{where}: not a Draw with a NumPy array", expected="a Draw with a NumPy array", found=found)
    if not isinstance(draw.kind, DrawKind):
        raise PluginError(f"{where}: a draw of no kind", expected="a DrawKind", found=repr(draw.kind))
    if draw.probability.dtype.kind != "f":
        found = str(draw.probability.dtype)
        raise PluginError(f"{where}: probabilities are not floats", expected="float32", found=found)


def kind_of(value: Any) -> str:
    """What a value is, in a word: ``list``, ``torch.Tensor``."""
    own = type(value)
    return own.__qualname__ if own.__module__ == "builtins" else f"{own.__module__.partition('.')[0]}.{own.__name__}"


def _check_probabilities(array: np.ndarray, where: str) -> None:
    low, high, total = float(array.min()), float(array.max()), array.sum(axis=0)
    expected = "values in [0, 1] that sum to one over the classes"
    if not np.isfinite(total).all():
        found = f"{np.count_nonzero(~np.isfinite(array))} of {array.size} values are NaN or infinite"
        raise DivergedError(f"{where}: non-finite probabilities", expected=expected, found=found)
    if low < -TOLERANCE or high > 1 + TOLERANCE or np.abs(total - 1).max() > TOLERANCE * len(array):
        found = f"values in [{low:.4g}, {high:.4g}], sums in [{total.min():.4g}, {total.max():.4g}]"
        raise PluginError(f"{where}: not probabilities", expected=expected, found=found)


def check_method_numbers(seen: Seen, record: MethodCard, n_raters: int, samples: int, where: str) -> None:
    """Refuses numbers of a method's draws other than those that its capabilities declare.

    Raises:
        PluginError: no draw, another number of samples than asked for, a rater without a prediction, no consensus.
    """
    _check_samples(seen, record, samples, where)
    personal = Capability.PERSONAL in record.capabilities
    missing = [rater for rater in range(n_raters) if personal and not seen[DrawKind.RATER, rater]]
    if missing:
        raise PluginError(
            f"{where}: no prediction for raters {missing}", expected="one or more each", found=_told(seen)
        )
    if Capability.CONSENSUS in record.capabilities and seen[DrawKind.CONSENSUS, None] != 1:
        raise PluginError(f"{where}: wrong number of consensus draws", expected="1", found=_told(seen))


def _check_samples(seen: Seen, record: MethodCard, samples: int, where: str) -> None:
    if not seen:
        raise PluginError(f"{where}: the {record.kind} returned nothing", expected="draws", found=_told(seen))
    wanted = samples if Capability.DIVERSE in record.capabilities else 0
    if seen[DrawKind.SAMPLE, None] != wanted:
        raise PluginError(f"{where}: wrong number of samples", expected=f"{wanted}", found=_told(seen))


def _told(seen: Seen) -> str:
    totals: Counter[str] = Counter()
    for (kind, _), count in seen.items():
        totals[kind.value] += count
    return ", ".join(f"{count} {kind}" for kind, count in totals.items()) or "nothing"
