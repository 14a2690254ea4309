"""The questions that a leaderboard answers: a metric, and a control that has nothing of what is asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mrbench.comparison.differences import Comparison, compare
from mrbench.comparison.multiple_testing import corrected
from mrbench.comparison.pairs import Pair
from mrbench.results.margins import MARGINS
from mrbench.results.method_run import MethodRun
from mrbench.results.reader import ScoreReader


@dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
        name: a word for addresses.
        asks: the question, one sentence.
        metric: that answers it.
        control: the method that all others are compared with.
        why: this control.
        identified: does it need raters who are the same persons in all cases?
    """

    name: str
    asks: str
    metric: str
    control: str
    why: str
    identified: bool = False


QUESTIONS = (
    Question(
        "diversity",
        "Do a method’s samples resemble the raters more than the spread of a mean can?",
        "ged_unbiased",
        "unet-soft",
        "trained on the raters’ mean; its samples are level sets of its one probability",
    ),
    Question(
        "calibration",
        "Are a method’s probabilities those with which the raters mark?",
        "brier",
        "unet-soft",
        "trained on the raters’ mean under cross-entropy, which is least at their true share",
    ),
    Question(
        "personalisation",
        "Does a method predict each rater better than one network with an output per rater?",
        "dice_rater",
        "unet-heads",
        "a plain network with an output for each rater, and nothing else",
        identified=True,
    ),
)


def answered(control: MethodRun, others: Sequence[MethodRun], reader: ScoreReader) -> list[Comparison]:
    """All others beside the control, corrected together; those that have no value in common with it are left out.

    Args:
        reader: reads the question's metric alone.

    Raises:
        IncompatibleError, DataError: as ``compare`` says.
    """
    found = [compare(Pair(control, other), reader) for other in others]
    return corrected([one for one in found if one.differences])


def asked_metrics() -> set[str]:
    """The metrics that answer the questions, and those that their margins are shares of."""
    units = (MARGINS[question.metric].of for question in QUESTIONS if question.metric in MARGINS)
    return {*(question.metric for question in QUESTIONS), *filter(None, units)}


def applying(raters: str) -> Iterator[Question]:
    """The questions that can be asked of raters of this kind."""
    return (question for question in QUESTIONS if raters == "identified" or not question.identified)
