"""Draws for the test cases, checked against what the method declares, counted into tables as they come."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mrbench.data.case import Case
from mrbench.data.description import Description
from mrbench.errors import DivergedError, PluginError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.fusion import Fusion, Trial
from mrbench.interfaces.method import Context, Method
from mrbench.metrics.tables import CaseTables, TableBuilder
from mrbench.records import Capability, MethodRecord
from mrbench.seeds import derive_noise

TOLERANCE = 1e-3
"""How far a pixel's probabilities may be from summing to one."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """What is kept of one trial of one case.

    Attributes:
        tables: for the metrics.
        packed: the binarised draws as bits, as :meth:`TableBuilder.packed` gives them.
        kinds, raters: of each draw; rater -1 where it has none.
    """

    tables: CaseTables
    packed: np.ndarray
    kinds: tuple[DrawKind, ...]
    raters: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Predictor:
    """A method, or a fusion, behind one door: case in, trials of draws out.

    Attributes:
        record: what it declares.
        description: of the data set.
        samples: asked for per case.
        seed: of the prediction.
    """

    record: MethodRecord
    description: Description
    samples: int
    seed: int
    method: Method[Any] | None = None
    fusion: Fusion[Any] | None = None
    context: Context | None = None

    def predict(self, case: Case) -> list[Predicted]:
        """Every trial of one case; a method has one, with all present raters as its truth.

        Raises:
            PluginError: draws that are not what the method declares; names the case and the rule.
            DivergedError: probabilities that are not finite.
        """
        return [
            self._count(case, truth, self._checked(draws, case, complete=self.fusion is None))
            for truth, draws in self._trials(case)
        ]

    def _trials(self, case: Case) -> Iterator[tuple[np.ndarray, Iterable[Draw]]]:
        if self.fusion is not None:
            noise = derive_noise(self.seed, case.id)
            trials: Iterable[Trial] = self.fusion.fuse(case.masks, case.present, self.samples, noise)
            yield from ((trial.truth, trial.draws) for trial in trials)
        else:
            assert self.method is not None
            assert self.context is not None
            yield case.present, self.method.predict(case.without_masks(), self.samples, self.context)

    def _count(self, case: Case, truth: np.ndarray, draws: Iterable[Draw]) -> Predicted:
        builder = TableBuilder(case.masks, truth, classes=self.description.n_classes)
        kinds, raters = [], []
        for draw in draws:
            builder.add(draw)
            kinds.append(draw.kind)
            raters.append(-1 if draw.rater is None else draw.rater)
        return Predicted(builder.finish(), builder.packed(), tuple(kinds), tuple(raters))

    def _checked(self, draws: Iterable[Draw], case: Case, *, complete: bool) -> Iterator[Draw]:
        where = f"method {self.record.name!r}, case {case.id!r}"
        seen: Counter[tuple[DrawKind, int | None]] = Counter()
        shape = (self.description.n_classes, *case.masks.shape[1:])
        for draw in draws if isinstance(draws, Iterable) else ():
            check_draw(draw, shape, self.description.n_raters, where)
            seen[draw.kind, draw.rater] += 1
            yield draw
        if complete:
            _check_complete(seen, self.record, self.description, self.samples, where)


def check_draw(draw: Any, shape: tuple[int, ...], n_raters: int, where: str) -> None:
    """Refuses what is not a draw of ``(K, *spatial)`` probabilities.

    Raises:
        PluginError: wrong type, shape, rater or range.
        DivergedError: NaN or infinite probabilities.
    """
    if not isinstance(draw, Draw) or not isinstance(draw.probability, np.ndarray):
        raise PluginError(f"{where}: not a Draw with a NumPy array", found=type(draw).__name__)
    array = draw.probability
    if array.shape != shape:
        raise PluginError(f"{where}: a draw has a wrong shape", expected=f"{shape}", found=f"{array.shape}")
    if (draw.kind is DrawKind.RATER) != (draw.rater is not None and 0 <= draw.rater < n_raters):
        raise PluginError(f"{where}: a {draw.kind} draw names rater {draw.rater}", expected="a column for raters only")
    low, high, total = float(array.min()), float(array.max()), array.sum(axis=0)
    if not np.isfinite(total).all():
        raise DivergedError(f"{where}: non-finite probabilities")
    if low < -TOLERANCE or high > 1 + TOLERANCE or np.abs(total - 1).max() > TOLERANCE * len(array):
        raise PluginError(
            f"{where}: not probabilities",
            expected="values in [0, 1] that sum to one over the classes",
            found=f"values in [{low:.4g}, {high:.4g}], sums in [{total.min():.4g}, {total.max():.4g}]",
        )


def _check_complete(
    seen: Counter[tuple[DrawKind, int | None]],
    record: MethodRecord,
    description: Description,
    samples: int,
    where: str,
) -> None:
    found = ", ".join(f"{count} {kind}" for kind, count in _by_kind(seen).items()) or "nothing"
    if not seen:
        raise PluginError(f"{where}: the method returned nothing", expected="an iterator of draws")
    wanted = samples if Capability.DIVERSE in record.capabilities else 0
    if seen[DrawKind.SAMPLE, None] != wanted:
        raise PluginError(f"{where}: wrong number of samples", expected=f"{wanted}", found=found)
    personal = Capability.PERSONAL in record.capabilities
    missing = [r for r in range(description.n_raters) if personal and not seen[DrawKind.RATER, r]]
    if missing:
        raise PluginError(f"{where}: no prediction for raters {missing}", expected="one or more each", found=found)
    if Capability.CONSENSUS in record.capabilities and seen[DrawKind.CONSENSUS, None] != 1:
        raise PluginError(f"{where}: wrong number of consensus draws", expected="1", found=found)


def _by_kind(seen: Counter[tuple[DrawKind, int | None]]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for (kind, _), count in seen.items():
        totals[kind.value] += count
    return totals
