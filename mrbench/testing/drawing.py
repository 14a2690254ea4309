"""Checks of the draws on every kind of data: shapes, probabilities and numbers."""

from collections import Counter

from mrbench.data.case import Case
from mrbench.engine.draw_rules import check_draw, check_method_numbers, check_trial, check_trial_numbers
from mrbench.interfaces.fusion import Trial
from mrbench.testing.candidate import Predicting
from mrbench.testing.check import Check
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
                    check_trial(trial, present, f"case {case.id!r}")
                    _check_draws(trial, candidate, scene, case, n)

    return Check(
        name=f"draws-{scene.name}",
        rule=f"Its draws are probabilities of the right shape, number and kind on {scene.what}.",
        kinds=frozenset(scene.kinds),
        needs=scene.needs,
        function=draw,
    )


def _check_draws(trial: Trial, candidate: Predicting, scene: Scene, case: Case, n: int) -> None:
    where, record = f"case {case.id!r}, {n} samples asked for", candidate.plugin.card
    shape = (scene.description.n_classes, *case.masks.shape[1:])
    for draw in trial.draws:
        check_draw(draw, shape, scene.description.n_raters, where)
    seen = Counter((draw.kind, draw.rater) for draw in trial.draws)
    if candidate.kind == "method":
        check_method_numbers(seen, record, scene.description.n_raters, n, where)
    else:
        check_trial_numbers(seen, record, n, where)


CHECKS = tuple(_draws(scene) for scene in SCENES)
