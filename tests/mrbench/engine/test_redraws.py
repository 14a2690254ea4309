"""Who may ask raters again, and that what they mark depends on seed, case, rater and draw alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrbench import Case, Config, Description, MethodCard, Raters, Trial
from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.container import write_container
from mrbench.data.imported import container_name
from mrbench.data.splits import split_by_subject
from mrbench.engine.plan import Request, make_plan
from mrbench.engine.predict import Predictor
from mrbench.engine.redraws import asked_again, redraws_fit
from mrbench.errors import NotApplicableError, PluginError
from mrbench.interfaces.fusion import bound
from mrbench.registry import discover

DESCRIPTION = Description(
    name="x", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=("a", "b", "c")
)
CARD = MethodCard(name="again", code="a:b", kind="fusion", gives="raters", redraws=True)


def speckle(index: int, rater: int, noise: np.random.Generator) -> np.ndarray:
    return noise.random((16, 16)) < 0.5


def cases(raters: Raters = Raters.IDENTIFIED, count: int = 2) -> CaseSet:
    names = tuple(f"case{i}" for i in range(count))
    return CaseSet(
        description=replace(DESCRIPTION, raters=raters),
        pixels=ArrayPixels(np.zeros((count, 1, 16, 16), np.uint8), np.zeros((count, 3, 16, 16), np.uint8)),
        ids=names, subjects=names, present=np.array([[True, False, True]] * count), redraw=speckle,
    )  # fmt: skip


def fuse(masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator, redraw: Any) -> Trial:
    return Trial(raters={rater: redraw(rater, 0) for rater in np.flatnonzero(present)})


def drawn(case: Case, card: MethodCard = CARD, function: Any = fuse, seed: int = 0) -> list[np.ndarray]:
    predictor = Predictor.of_fusion(card, DESCRIPTION, 2, bound(function, Config(), DESCRIPTION), seed)
    return [draw.probability for _, draws in predictor.draws(case) for draw in draws]


def test_the_same_number_gives_the_same_mask_in_any_order_and_number_type():
    first, again = (asked_again(cases()[0], 5) for _ in range(2))
    forwards = [first(rater, draw) for rater in (0, 2) for draw in range(3)]
    backwards = [again(rater, np.int64(draw)) for rater in (np.int64(2), np.int64(0)) for draw in (2, 1, 0)][::-1]
    np.testing.assert_array_equal(forwards, backwards)


def test_seed_case_rater_and_draw_each_give_another_mask():
    one, other = cases()[0], cases()[1]
    masks = [
        asked_again(one, 5)(0, 0), asked_again(one, 6)(0, 0), asked_again(other, 5)(0, 0),
        asked_again(one, 5)(2, 0), asked_again(one, 5)(0, 1),
    ]  # fmt: skip
    agreement = [(a == b).mean() for i, a in enumerate(masks) for b in masks[:i]]
    assert max(agreement) < 0.5 + 5 * 0.5 / 16, "independent speckle agrees on half of the pixels"


def test_the_number_of_cases_and_what_stands_in_the_masks_change_no_redraw():
    case = cases(count=2)[1]
    other = replace(cases(count=7)[1], masks=np.ones_like(case.masks))
    np.testing.assert_array_equal(drawn(case), drawn(other))


def test_a_redraw_number_is_whole():
    with pytest.raises(TypeError):
        asked_again(cases()[0], 0)(0, 0.5)  # type: ignore[arg-type]


def test_a_fusion_that_asks_an_absent_rater_again_is_told_of():
    with pytest.raises(PluginError, match="case 'case0': a redraw of rater 1"):
        drawn(cases()[0], function=lambda masks, present, n, noise, redraw: Trial(raters={1: redraw(1, 0)}))


@pytest.mark.parametrize("redraws", [False, True])
def test_card_and_parameters_must_agree(redraws: bool):
    def other(masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Trial:
        return Trial(raters={0: masks[0]})

    with pytest.raises(PluginError, match="its card and its parameters differ") as error:
        drawn(cases()[0], replace(CARD, redraws=redraws), other if redraws else fuse)
    assert error.value.found == f"redraws={redraws} and {'no' if redraws else 'a'} parameter redraw"
    assert "test_redraws.py" in error.value.place


def test_a_method_that_learns_cannot_redraw():
    with pytest.raises(PluginError, match="redraws raters, whom a method never sees"):
        MethodCard(name="m", code="a:b", redraws=True)


def test_a_case_of_a_data_set_that_cannot_is_not_applicable():
    with pytest.raises(NotApplicableError, match="case 'case0': needs raters who can be asked again"):
        drawn(replace(cases()[0], redraw=None))


def test_only_persons_can_be_asked_again_and_only_where_the_data_set_knows_them():
    assert redraws_fit(CARD, cases()) == []
    assert redraws_fit(replace(CARD, redraws=False), replace(cases(), redraw=None)) == []
    assert redraws_fit(CARD, replace(cases(), redraw=None)) == [
        "needs raters who can be asked again, 'x' has their masks alone: --dataset phantom has such raters"
    ]
    for raters in (Raters.RANKED, Raters.EXCHANGEABLE):
        assert redraws_fit(CARD, cases(raters)) == [
            f"needs raters who can be asked again, so the same persons in every case, 'x' has {raters.value} raters"
        ]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A data folder with ``frozen``: three raters' masks in a container, which can redraw nothing."""
    own = cases(count=6)
    description = replace(DESCRIPTION, name="frozen", classes=("background", "lesion"), channels=("CT",),
                          normalisation="byte")  # fmt: skip
    split = {"strict": split_by_subject(own.subjects, folds=2, seed=0)}
    write_container(
        tmp_path / container_name("frozen"), replace(own, description=description, splits=split, redraw=None)
    )
    return tmp_path


def test_planning_says_why_a_data_set_of_masks_alone_has_no_such_row(copied: Path):
    plan = make_plan(Request(methods=["oracle-raters"], datasets=["frozen"], data=copied), discover())
    assert {cell.not_applicable for cell in plan.cells} == {
        "needs raters who can be asked again, 'frozen' has their masks alone: --dataset phantom has such raters"
    }


def test_only_the_data_set_that_is_tested_on_must_redraw(copied: Path):
    def reasons(dataset: str, test_on: str) -> set[str]:
        request = Request(methods=["oracle-raters"], datasets=[dataset], test_on=test_on, data=copied,
                          settings={"phantom.subjects": 6, "phantom.size": 32, "phantom.raters": 3})  # fmt: skip
        return {cell.not_applicable for cell in make_plan(request, discover()).cells}

    assert reasons("frozen", "phantom") == {""}
    (refused,) = reasons("phantom", "frozen")
    assert refused.startswith("needs raters who can be asked again, 'frozen'")
