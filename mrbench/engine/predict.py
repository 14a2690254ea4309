"""Draws for the test cases, checked against what the method declares, counted into tables as they come."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mrbench.cards import Capability, MethodCard
from mrbench.data.case import Case
from mrbench.data.description import Description
from mrbench.engine.draw_rules import Seen, check_draw, check_method_numbers
from mrbench.engine.trials import fused
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.fusion import Fuse
from mrbench.metrics.tables import TableBuilder
from mrbench.places import of_function, placed

if TYPE_CHECKING:
    from mrbench.engine.draws import Answering


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


def _nowhere(kind: DrawKind | None) -> str:  # noqa: ARG001
    return ""


def _any_numbers(seen: Seen, where: str) -> None:
    pass


@dataclass(frozen=True, eq=False)
class Predictor:
    """A method, or a fusion, behind one door: case in, trials of draws out.

    Attributes:
        record: what it declares.
        description: of the data set.
        samples: asked for per case.
        trials: the raters who are the truth, ``(R,)`` bool, and the draws, for each trial of a case.
        check_numbers: refuses numbers of a trial's draws by kind and rater; the text says whose.
        place: file and line of the code that gives draws of a kind; None: of whichever it gives.
    """

    record: MethodCard
    description: Description
    samples: int
    trials: Trials
    check_numbers: Callable[[Seen, str], None] = _any_numbers
    place: Callable[[DrawKind | None], str] = _nowhere

    @classmethod
    def of_method(cls, description: Description, samples: int, source: "Answering") -> "Predictor":
        """A method has one trial, with all present raters as its truth. It sees the image and never a mask."""
        from mrbench.engine.draws import draws_of

        def trials(case: Case) -> Iterable[tuple[np.ndarray, Iterable[Draw]]]:
            yield case.present, draws_of(source, case.without_masks(), samples)

        def check_numbers(seen: Seen, where: str) -> None:
            check_method_numbers(seen, source.card, description.n_raters, samples, where)

        return cls(source.card, description, samples, trials, check_numbers, source.place)

    @classmethod
    def of_fusion(
        cls, record: MethodCard, description: Description, samples: int, fuse: Fuse, seed: int
    ) -> "Predictor":
        """A fusion with its options and description sees the masks, read only; ``seed`` is the prediction's."""

        def trials(case: Case) -> Iterable[tuple[np.ndarray, Iterable[Draw]]]:
            valid = None if case.valid is None else _read_only(case.valid)
            seen = replace(case, masks=_read_only(case.masks), present=_read_only(case.present), valid=valid)
            for trial in fused(fuse, record, seen, classes=description.n_classes, samples=samples, seed=seed):
                yield trial.truth, trial.draws

        def place(kind: DrawKind | None) -> str:  # noqa: ARG001
            return of_function(fuse)

        return cls(record, description, samples, trials, place=place)

    def predict(self, case: Case) -> list[Predicted]:
        """Every trial of one case.

        Raises:
            PluginError: draws or trials that are not what the method declares; names the case, the rule, file and line.
            DivergedError: probabilities that are not finite.
        """
        classes, in_turn = self.description.n_classes, Capability.TAKES_TURNS in self.record.capabilities
        found = self.draws(case)
        return [
            count(case.masks, truth, classes, case.spacing, draws, case.valid, in_turn=in_turn)
            for truth, draws in found
        ]

    def draws(self, case: Case) -> Iterator[tuple[np.ndarray, Iterator[Draw]]]:
        """The truth ``(R,)`` and the draws of every trial of one case, each checked as it comes. Errors: as predict."""
        for truth, draws in self.trials(case):
            yield truth, self._checked(draws, case)

    def _checked(self, draws: Iterable[Draw], case: Case) -> Iterator[Draw]:
        where, seen = _where(self.record, case), Seen()
        shape = (self.description.n_classes, *case.masks.shape[1:])
        for draw in draws if isinstance(draws, Iterable) else ():
            with placed(None, self.place(getattr(draw, "kind", None))):
                check_draw(draw, shape, self.description.n_raters, where)
            seen[draw.kind, draw.rater] += 1
            yield draw
        with placed(None, self.place(None)):
            self.check_numbers(seen, where)


def count(
    masks: np.ndarray,
    truth: np.ndarray,
    classes: int,
    spacing: Sequence[float] | None,
    draws: Iterable[Draw],
    valid: np.ndarray | None,
    *,
    in_turn: bool = False,
) -> Predicted:
    """What is kept of a trial's draws; arguments and errors as of :class:`~mrbench.metrics.tables.TableBuilder`.

    Args:
        in_turn: are samples taken in turn, and so no independent draws?
    """
    builder = TableBuilder(masks, truth, classes, spacing, valid)
    for draw in draws:
        builder.add(draw)
    return Predicted(replace(builder.finish(), in_turn=in_turn), builder.packed())


def _where(record: MethodCard, case: Case) -> str:
    return f"{record.kind} {record.name!r}, case {case.id!r}"


def _read_only(array: np.ndarray) -> np.ndarray:
    # What is scored against must not change under a plugin's hands.
    view = array.view()
    view.flags.writeable = False
    return view
