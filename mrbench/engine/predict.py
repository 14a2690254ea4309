"""Draws for the test cases, checked against what the method declares, counted into tables as they come."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mrbench.data.case import Case
from mrbench.data.description import Description
from mrbench.errors import DivergedError, PluginError
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.fusion import Fusion
from mrbench.metrics.tables import TableBuilder
from mrbench.records import Capability, MethodRecord
from mrbench.seeds import derive_noise

if TYPE_CHECKING:
    from mrbench.interfaces.method import Context, Method

TOLERANCE = 1e-3
"""How far a pixel's probabilities may be from summing to one."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """What is kept of one trial of one case.

    Attributes:
        tables: for the metrics.
        packed: ``(draws, F, bytes)`` bits of the binarised draws: samples, rater predictions, consensus.
    """

    tables: CaseTables
    packed: np.ndarray


Trials = Callable[[Case], Iterable[tuple[np.ndarray, Iterable[Draw]]]]


@dataclass(frozen=True, eq=False)
class Predictor:
    """A method, or a fusion, behind one door: case in, trials of draws out.

    Attributes:
        record: what it declares.
        description: of the data set.
        samples: asked for per case.
        trials: the raters who are the truth, ``(R,)`` bool, and the draws, for each trial of a case.
    """

    record: MethodRecord
    description: Description
    samples: int
    trials: Trials

    @classmethod
    def of_method(
        cls, record: MethodRecord, description: Description, samples: int, method: "Method[Any]", context: "Context"
    ) -> "Predictor":
        """A method has one trial, with all present raters as its truth. It sees the image and never a mask."""
        from mrbench.engine.draws import draws_of

        def trials(case: Case) -> Iterable[tuple[np.ndarray, Iterable[Draw]]]:
            yield case.present, draws_of(method, case.without_masks(), samples, context)

        return cls(record, description, samples, trials)

    @classmethod
    def of_fusion(
        cls, record: MethodRecord, description: Description, samples: int, fusion: Fusion[Any], seed: int
    ) -> "Predictor":
        """A fusion sees the masks, read only; ``seed`` is the prediction's."""

        def trials(case: Case) -> Iterable[tuple[np.ndarray, Iterable[Draw]]]:
            masks, present = _read_only(case.masks), _read_only(case.present)
            for trial in fusion.fuse(masks, present, samples, derive_noise(seed, case.id)):
                yield trial.truth, trial.draws

        return cls(record, description, samples, trials)

    def predict(self, case: Case) -> list[Predicted]:
        """Every trial of one case.

        Raises:
            PluginError: draws that are not what the method declares; names the case and the rule.
            DivergedError: probabilities that are not finite.
        """
        return [self._count(case, truth, draws) for truth, draws in self.draws(case)]

    def draws(self, case: Case) -> Iterator[tuple[np.ndarray, Iterator[Draw]]]:
        """The truth ``(R,)`` and the draws of every trial of one case, each checked as it comes. Errors: as predict."""
        for truth, draws in self.trials(case):
            yield truth, self._checked(draws, case, complete=self.record.kind == "method")

    def _count(self, case: Case, truth: np.ndarray, draws: Iterable[Draw]) -> Predicted:
        builder = TableBuilder(case.masks, truth, self.description.n_classes, case.spacing)
        for draw in draws:
            builder.add(draw)
        return Predicted(builder.finish(), builder.packed())

    def _checked(self, draws: Iterable[Draw], case: Case, *, complete: bool) -> Iterator[Draw]:
        where = f"method {self.record.name!r}, case {case.id!r}"
        seen: Counter[tuple[DrawKind, int | None]] = Counter()
        shape = (self.description.n_classes, *case.masks.shape[1:])
        for draw in draws if isinstance(draws, Iterable) else ():
            check_draw(draw, shape, self.description.n_raters, where)
            seen[draw.kind, draw.rater] += 1
            yield draw
        if complete:
            check_complete(seen, self.record, self.description, self.samples, where)


def _read_only(array: np.ndarray) -> np.ndarray:
    # What is scored against must not change under a plugin's hands.
    view = array.view()
    view.flags.writeable = False
    return view


def check_draw(draw: Any, shape: tuple[int, ...], n_raters: int, where: str) -> None:
    """Refuses what is not a draw of ``(K, *spatial)`` probabilities.

    Raises:
        PluginError: wrong type, shape, rater or range.
        DivergedError: NaN or infinite probabilities.
    """
    if not isinstance(draw, Draw) or not isinstance(draw.probability, np.ndarray):
        raise PluginError(f"{where}: not a Draw with a NumPy array", found=type(draw).__name__)
    if not isinstance(draw.kind, DrawKind):
        raise PluginError(f"{where}: a draw of no kind", expected="a DrawKind", found=repr(draw.kind))
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


def check_complete(
    seen: Counter[tuple[DrawKind, int | None]],
    record: MethodRecord,
    description: Description,
    samples: int,
    where: str,
) -> None:
    """Refuses numbers of a method's draws, by kind and rater, other than those that its capabilities declare.

    Raises:
        PluginError: no draw, another number of samples than asked for, a rater without a prediction, no consensus.
    """
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
