"""What a fusion answers for a case, checked against its card and made into draws."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mrbench.cards import MethodCard
from mrbench.data.case import Case
from mrbench.engine.draw_rules import kind_of
from mrbench.engine.redraws import redraw_argument
from mrbench.engine.void import names_valid
from mrbench.errors import PluginError
from mrbench.interfaces.draw import Draw, DrawKind, one_hot
from mrbench.interfaces.fusion import Fuse, Trial
from mrbench.places import of_function, placed
from mrbench.seeds import derive_noise


@dataclass(frozen=True, eq=False)
class TrialDraws:
    """Draws and the raters who they are scored against, ``(R,)`` bool."""

    truth: np.ndarray
    draws: list[Draw]


def fused(fuse: Fuse, card: MethodCard, case: Case, *, classes: int, samples: int, seed: int) -> Iterator[TrialDraws]:
    """A fusion's trials of one case; none where nobody is present.

    Args:
        fuse: with its options and description.
        classes: K.
        samples: asked for.
        seed: of the prediction.

    Raises:
        PluginError: an answer of another kind, number, shape or type than its card and the case ask for, labels not
            below K, or a truth that is no set of raters present; names fusion, case, file and line.
        PluginError, NotApplicableError: as of :func:`mrbench.engine.redraws.redraw_argument`.
    """
    if not case.present.any():
        return
    own: dict[str, Any] = {"valid": case.valid} if names_valid(fuse) else {}
    own |= redraw_argument(fuse, card, case, seed)
    found = fuse(case.masks, case.present, samples, derive_noise(seed, case.id), **own)
    asked = Asked(card, case, classes, samples)
    for trial in [found] if isinstance(found, Trial) else () if found is None else asked.several(found):
        with placed(found, of_function(fuse)):
            checked = asked.checked(trial)
        yield checked


@dataclass(frozen=True, eq=False)
class Asked:
    """What a fusion was asked for: its card, the case, K and the number of samples."""

    card: MethodCard
    case: Case
    classes: int
    samples: int

    @property
    def spatial(self) -> tuple[int, ...]:
        """``(H, W)`` or ``(D, H, W)``."""
        return self.case.masks.shape[1:]

    def several(self, found: Any) -> Iterable[Any]:
        """What a fusion gave in place of one trial; errors of :func:`fused`."""
        if isinstance(found, Iterable) and not isinstance(found, np.ndarray | str | Mapping):
            return found
        expected = "a Trial, several, or None where there are too few raters"
        raise self._fault("the answer is no trial", expected, _told(found))

    def checked(self, trial: Any) -> TrialDraws:
        """The draws of a trial: samples, rater predictions, consensus; errors of :func:`fused`."""
        if not isinstance(trial, Trial):
            raise self._fault("not a Trial", "trials, none of too few raters", _told(trial))
        self._check_kinds(trial)
        draws = [
            *self._draws(DrawKind.SAMPLE, self._sampled(trial.samples)),
            *(draw for rater, given in (trial.raters or {}).items() for draw in self._of_rater(rater, given)),
            *self._draws(DrawKind.CONSENSUS, [] if trial.consensus is None else [trial.consensus]),
        ]
        return TrialDraws(self._truth(trial.truth), draws)

    def _check_kinds(self, trial: Trial) -> None:
        given = {"samples": trial.samples is not None, "raters": bool(trial.raters)}
        given |= {"consensus": trial.consensus is not None}
        expected, found = self.card.gives or "nothing", " ".join(word for word, is_there in given.items() if is_there)
        undeclared = [word for word in found.split() if word not in self.card.gives.split()]
        if undeclared:
            raise self._fault(f"gives {undeclared[0]}, which its card does not say", expected, found)
        # Raters depend on the data: who is predicted where they are no persons?
        missing = [word for word in self.card.gives.split() if word not in (*found.split(), "raters")]
        if missing or not found:
            what = f"a trial without {missing[0]}" if missing else "a trial without an answer"
            raise self._fault(what, expected, found or "nothing")

    def _sampled(self, samples: Any) -> list[Any]:
        if samples is None:
            return []
        if isinstance(samples, np.ndarray) and samples.ndim != self._axes(samples) + 1:
            raise self._fault("samples have a wrong shape", f"n = {self.samples} of {self._shapes}", _told(samples))
        found = self._listed(samples)
        if len(found) != self.samples:
            raise self._fault("wrong number of samples", str(self.samples), str(len(found)))
        return found

    def _of_rater(self, rater: Any, given: Any) -> list[Draw]:
        raters = len(self.case.present)
        if isinstance(rater, bool) or not isinstance(rater, int | np.integer) or not 0 <= rater < raters:
            raise self._fault("predicts a rater who is not there", f"columns from 0 to {raters - 1}", repr(rater))
        found = self._listed(given)
        if not found:
            raise self._fault(f"no answer for rater {rater}", "one or more", "none")
        return self._draws(DrawKind.RATER, found, int(rater))

    def _listed(self, given: Any) -> list[Any]:
        if isinstance(given, np.ndarray):
            return list(given) if given.ndim == self._axes(given) + 1 else [given]
        if isinstance(given, Sequence):
            return list(given)
        raise self._fault("answers are no array", "NumPy arrays, or a sequence of them", _told(given))

    def _draws(self, kind: DrawKind, answers: Sequence[Any], rater: int | None = None) -> list[Draw]:
        return [Draw(kind, self._probability(answer, kind), rater) for answer in answers]

    def _probability(self, answer: Any, kind: DrawKind) -> np.ndarray:
        # (K, *spatial)
        if not isinstance(answer, np.ndarray) or answer.dtype.kind not in "biuf":
            raise self._fault(f"a {kind} answer is neither labels nor probabilities", self._shapes, _told(answer))
        if answer.shape != (*(self.classes,) * (answer.dtype.kind == "f"), *self.spatial):
            raise self._fault(f"a {kind} answer has a wrong shape", self._shapes, _told(answer))
        return answer if answer.dtype.kind == "f" else self._certain(answer, kind)

    def _certain(self, labels: np.ndarray, kind: DrawKind) -> np.ndarray:
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= self.classes:
            expected = f"labels from 0 to {self.classes - 1}"
            raise self._fault(f"labels of a {kind} answer are not below K", expected, f"labels from {low} to {high}")
        return one_hot(labels, self.classes)

    def _axes(self, answer: np.ndarray) -> int:
        # Of one answer.
        return len(self.spatial) + (answer.dtype.kind == "f")

    @property
    def _shapes(self) -> str:
        return f"integer labels {self.spatial} or float probabilities {(self.classes, *self.spatial)}"

    def _truth(self, given: Any) -> np.ndarray:
        present = self.case.present
        if given is None:
            return present
        truth = np.asarray(given)
        if truth.shape != present.shape or truth.dtype != bool:
            raise self._fault("the truth of a trial is no set of raters", f"({len(present)},) bool", _told(truth))
        named, looked = np.flatnonzero(truth).tolist(), np.flatnonzero(present).tolist()
        if not named or not set(named) <= set(looked):
            what = f"the truth of a trial names {'absent raters' if named else 'no rater'}"
            raise self._fault(what, f"one or more of the raters present, {looked}", f"raters {named}")
        return truth

    def _fault(self, what: str, expected: str, found: str) -> PluginError:
        where = f"fusion {self.card.name!r}, case {self.case.id!r}"
        return PluginError(f"{where}: {what}", expected=expected, found=found)


def _told(found: Any) -> str:
    if isinstance(found, np.ndarray):
        return f"{found.shape} {found.dtype}"
    return f"a {kind_of(found)}"
