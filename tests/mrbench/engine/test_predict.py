"""Draws are checked against what the method declares before they are counted."""

from typing import Any

import numpy as np
import pytest

from mrbench import Case, Description, MethodCard, Raters
from mrbench.engine.draw_rules import Seen, check_method_numbers
from mrbench.engine.plan import capabilities_fit
from mrbench.engine.predict import Predictor
from mrbench.errors import DivergedError, PluginError
from mrbench.interfaces.draw import Draw, DrawKind, binary_probability

DESCRIPTION = Description(
    name="x", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=("a", "b", "c")
)
CASE = Case(
    "case", "subject", np.zeros((1, 4, 5), np.float32), np.ones((3, 4, 5), np.uint8), np.array([True, False, True])
)
SAMPLE, RATER, CONSENSUS = DrawKind.SAMPLE, DrawKind.RATER, DrawKind.CONSENSUS


def draw(kind: DrawKind, rater: int | None = None, value: float = 0.8) -> Draw:
    return Draw(kind, binary_probability(np.full((4, 5), value, np.float32)), rater)


def predict(gives: str, draws: Any, samples: int = 2) -> Any:
    card = MethodCard(name="m", code="a:b", gives=gives)

    def check_numbers(seen: Seen, where: str) -> None:
        check_method_numbers(seen, card, DESCRIPTION.n_raters, samples, where)

    return Predictor(card, DESCRIPTION, samples, lambda case: [(case.present, draws)], check_numbers).predict(CASE)


def test_what_is_declared_is_counted_against_the_present_raters():
    (kept,) = predict("raters samples", [draw(RATER, r) for r in range(3)] + [draw(SAMPLE)] * 2)
    assert kept.tables.n_samples == 2
    assert kept.tables.truth.tolist() == [True, False, True]
    assert kept.tables.predicted_rater.tolist() == [0, 1, 2]
    assert kept.packed.shape == (5, 1, 3)


@pytest.mark.parametrize(
    ("gives", "draws", "message"),
    [
        ("samples", [draw(SAMPLE)], "wrong number of samples"),
        ("samples", [draw(SAMPLE)] * 3, "wrong number of samples"),
        ("consensus", [draw(CONSENSUS)] * 2, "wrong number of consensus draws"),
        ("consensus", [draw(CONSENSUS), draw(SAMPLE)], "wrong number of samples"),
        ("raters", [draw(RATER, 0), draw(RATER, 2)], r"no prediction for raters \[1\]"),
        ("raters", [draw(RATER, 3)], "names rater 3"),
        ("raters", [draw(RATER)], "names rater None"),
        ("samples", [draw(SAMPLE, 0)], "names rater 0"),
        ("consensus", [], "returned nothing"),
        ("consensus", None, "returned nothing"),
        ("consensus", [np.zeros((2, 4, 5))], "found:    a numpy.ndarray"),
        ("consensus", [Draw(CONSENSUS, [0.5])], "found:    a Draw with a list"),
        ("consensus", [Draw(CONSENSUS, np.zeros((2, 4, 5), int))], "probabilities are not floats"),
        ("consensus", [Draw("consensus", np.zeros((2, 4, 5)))], "of no kind"),
        ("consensus", [Draw(CONSENSUS, np.zeros((1, 4, 5)))], "wrong shape"),
        ("consensus", [Draw(CONSENSUS, np.zeros((2, 5, 4)))], "wrong shape"),
        ("consensus", [Draw(CONSENSUS, np.full((2, 4, 5), 0.9))], "not probabilities"),
        ("consensus", [draw(CONSENSUS, value=1.5)], "not probabilities"),
    ],
)
def test_what_is_not_declared_names_the_method_the_case_and_the_rule(gives: str, draws: Any, message: str):
    with pytest.raises(PluginError, match=message) as error:
        predict(gives, draws)
    assert "method 'm', case 'case'" in error.value.message


def test_non_finite_probabilities_are_a_divergence():
    with pytest.raises(DivergedError, match="non-finite") as error:
        predict("consensus", [draw(CONSENSUS, value=float("nan"))])
    assert error.value.found == "40 of 40 values are NaN or infinite"


def test_a_method_that_takes_two_classes_does_not_fit_three():
    three = Description(
        name="x", version="1", classes=("a", "b", "c"), channels=("c",), raters=Raters.RANKED, rater_names=("r",),
        unit="volume",
    )  # fmt: skip
    card = MethodCard(name="m", code="a:b", multi_class=False, volumes=False)
    assert capabilities_fit(card, three) == ["takes two classes, 'x' has 3", "takes slices, 'x' has volumes"]
    assert not capabilities_fit(card, DESCRIPTION)
