"""The learning curves of an entry, from the files packed with it."""

from collections.abc import Mapping

from mrbench.errors import MrbenchError
from mrbench.leaderboard.site.figures import curve_picture
from mrbench.leaderboard.store import Stored
from mrbench.report.picture import Picture
from mrbench.results.curves import Curve, losses_of, parse_curves

TRAININGS = 12
"""Whose curves stand in a picture at most."""

LOSSES = 24
"""Pictures of an entry at most."""

LARGEST = 1e15
"""Losses and epochs beyond it are not drawn."""


def curve_pictures(stored: Stored, style: int) -> list[Picture]:
    """A picture per stage and term of its loss, a pair of lines for every training; none where nothing can be drawn."""
    stages: dict[str, dict[str, Curve]] = {}
    names = [name for name in stored.entry.files if name.startswith("curves.") and name.endswith(".csv")]
    for name in sorted(names)[:TRAININGS]:
        for stage, curve in _read(stored, name).items():
            if _drawable(curve):
                stages.setdefault(stage, {})[name] = curve
    method = stored.entry.method
    return [curve_picture(method, stage, own, style) for stage, own in list(stages.items())[:LOSSES]]


def _read(stored: Stored, name: str) -> Mapping[str, Curve]:
    # A page is not stopped by a file that cannot be read; ``mrbench leaderboard verify`` names it.
    try:
        return losses_of(parse_curves(stored.read(name).decode("utf-8").splitlines()))
    except (MrbenchError, OSError, ValueError, KeyError, TypeError):
        return {}


def _drawable(curve: Curve) -> bool:
    return all(abs(value) <= LARGEST for value in (*curve.epochs, *curve.train, *curve.validation))
