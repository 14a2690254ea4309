"""An answer is logits, or probabilities, of every draw and slice."""

import re

import pytest
import torch

from mrbench import Noise, Probabilities
from mrbench.engine.answers import check_answer
from mrbench.errors import PluginError
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.noise import Rows

S, N, H, W = 3, 2, 4, 5
WHERE = "method 'm', case 'c': sample()"


def noise(*sites: str) -> Noise:
    made = Noise(Rows(0, "c", DrawKind.SAMPLE, None, range(S), range(N)), torch.device("cpu"))
    for site in sites:
        made.normal(site)
    return made


def check(answer: object, classes: int = 2, sites: tuple[str, ...] = ("z",)) -> None:
    check_answer(answer, noise(*sites), (N, classes, H, W), WHERE)


@pytest.mark.parametrize(("classes", "logits"), [(2, 1), (3, 3), (5, 5)])
def test_two_classes_have_one_logit_and_more_as_many_as_there_are(classes: int, logits: int):
    check(torch.zeros(S, N, logits, H, W), classes)
    with pytest.raises(PluginError, match=r"wrong shape \(S, N, L, H, W\)"):
        check(torch.zeros(S, N, logits + 1, H, W), classes)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_have_the_background_as_well(classes: int):
    check(Probabilities(torch.zeros(S, N, classes, H, W)), classes)
    with pytest.raises(PluginError, match=rf"expected: \(3, 2, {classes}, 4, 5\) float probabilities"):
        check(Probabilities(torch.zeros(S, N, classes - 1, H, W)), classes)


def test_one_answer_serves_all_draws_where_nothing_is_drawn_and_nowhere_else():
    check(torch.zeros(1, N, 1, H, W), sites=())
    with pytest.raises(PluginError) as error:
        check(torch.zeros(1, N, 1, H, W), sites=("z", "a"))
    assert error.value.message == (
        f"{WHERE} has a wrong shape (S, N, L, H, W)\n"
        "  expected: (3, 2, 1, 4, 5) float logits\n"
        "  found:    (1, 2, 1, 4, 5); drawn from a, z"
    )
    with pytest.raises(PluginError, match="found:    \\(2, 2, 1, 4, 5\\); nothing was drawn from noise"):
        check(torch.zeros(2, N, 1, H, W), sites=())


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (None, "gives no tensor.*found:    a NoneType"),
        (torch.zeros(S, N, 1, H, W).numpy(), "gives no tensor.*found:    a ndarray"),
        ((torch.zeros(1),), "gives no tensor.*found:    a tuple"),
        (Probabilities(None), "gives no tensor.*found:    a NoneType"),  # type: ignore[arg-type]
        (torch.zeros(S, N, 1, H, W).long(), "gives no floats.*found:    torch.int64"),
        (torch.zeros(S, N, 1, H, W) > 0, "gives no floats.*found:    torch.bool"),
        (torch.zeros(S, N, H, W), r"has a wrong shape.*found:    \(3, 2, 4, 5\)"),
        (torch.zeros(S, N, 1, W, H), r"has a wrong shape.*found:    \(3, 2, 1, 5, 4\)"),
        (torch.zeros(N, S, 1, H, W), r"has a wrong shape.*found:    \(2, 3, 1, 4, 5\)"),
    ],
)
def test_what_is_no_answer_is_told(answer: object, found: str):
    with pytest.raises(PluginError, match=f"(?s)^{re.escape(WHERE)} {found}"):
        check(answer)
