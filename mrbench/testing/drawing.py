"""Checks of the draws on every kind of data: shapes, probabilities and numbers."""

from collections import Counter

import numpy as np

from mrbench.data.case import Case
from mrbench.engine.predict import check_complete, check_draw
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.fusion import Trial
from mrbench.records import Capability
from mrbench.testing.candidate import Predicting
from mrbench.testing.check import Check, CheckFailedError
from mrbench.testing.scenes import SCENES, Scene

NUMBERS = (1, 4)
"""Of samples that are asked for."""


def _draws(scene: Scene) -> Check:
    def draw(candidate: Predicting) -> None:
        made = candidate.drawer(scene)
        for case in scene.tested:
            present = case.present.copy()
            for n in NUMBERS:
                for trial in made(case, n, 0):
                    _check_truth(trial, present, case.id)
                    _check_trial(trial, candidate, scene, case, n)

    return Check(
        name=f"draws-{scene.name}",
        rule=f"Its draws are probabilities of the right shape, number and kind on {scene.what}.",
        kinds=frozenset(scene.kinds),
        needs=scene.needs,
        function=draw,
    )


def _check_truth(trial: Trial, present: np.ndarray, case: str) -> None:
    truth = np.asarray(trial.truth)
    if truth.shape != present.shape or truth.dtype != bool or not truth.any() or (truth & ~present).any():
        raise CheckFailedError(
            f"case {case!r}: a trial's truth is no set of raters who are present",
            expected=f"({len(present)},) bool, one or more of {present.tolist()}",
            found=f"{truth.dtype} {truth.tolist()}",
        )


def _check_trial(trial: Trial, candidate: Predicting, scene: Scene, case: Case, n: int) -> None:
    where = f"case {case.id!r}, {n} samples asked for"
    shape = (scene.description.n_classes, *case.masks.shape[1:])
    for draw in trial.draws:
        check_draw(draw, shape, scene.description.n_raters, where)
        if draw.probability.dtype.kind != "f":
            raise CheckFailedError(
                f"{where}: probabilities are not floats", expected="float32", found=str(draw.probability.dtype)
            )
    seen = Counter((draw.kind, draw.rater) for draw in trial.draws)
    if candidate.kind == "method":
        check_complete(seen, candidate.plugin.record, scene.description, n, where)
    else:
        _check_fusion(seen, candidate, n, where)


def _check_fusion(seen: Counter[tuple[DrawKind, int | None]], candidate: Predicting, n: int, where: str) -> None:
    wanted = n if Capability.DIVERSE in candidate.capabilities else 0
    if seen[DrawKind.SAMPLE, None] != wanted:
        found = str(seen[DrawKind.SAMPLE, None])
        raise CheckFailedError(f"{where}: wrong number of samples", expected=str(wanted), found=found)
    if seen[DrawKind.CONSENSUS, None] > 1 or not seen:
        found = f"{seen[DrawKind.CONSENSUS, None]} consensus among {seen.total()}"
        raise CheckFailedError(f"{where}: wrong draws in a trial", expected="one consensus at most", found=found)


CHECKS = tuple(_draws(scene) for scene in SCENES)
