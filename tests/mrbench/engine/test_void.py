"""Who is told of void pixels, and what is kept of them."""

from dataclasses import replace

import numpy as np
import pytest

from mrbench import Case, Description, MethodCard, Raters, Trial
from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.engine.predict import Predictor
from mrbench.engine.void import names_valid, void_fact
from mrbench.interfaces.draw import Draw, DrawKind, one_hot

DESCRIPTION = Description(
    name="x", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=("a", "b")
)
VALID = np.array([[True, True, False, True], [True, False, False, True]])
MASKS = np.array([[[0, 1, 0, 1], [1, 0, 0, 1]], [[0, 1, 0, 0], [1, 0, 0, 0]]], np.uint8)
CASE = Case("case", "p", np.zeros((1, 2, 4), np.float32), MASKS, np.ones(2, bool), valid=VALID)
CARD = MethodCard(name="f", code="a:b", kind="fusion", gives="consensus")


def predicted(fuse, case=CASE):
    ((tables, _),) = [(p.tables, p.packed) for p in Predictor.of_fusion(CARD, DESCRIPTION, 1, fuse, 0).predict(case)]
    return tables


def test_a_fusion_that_asks_is_told_which_pixels_count():
    seen = []

    def fuse(masks, present, n, noise, valid=None):
        seen.append(valid)
        return Trial(consensus=masks[0])

    predicted(fuse)
    predicted(fuse, replace(CASE, valid=None))
    np.testing.assert_array_equal(seen[0], VALID)
    assert not seen[0].flags.writeable, "what is scored must not change under a plugin's hands"
    assert seen[1] is None


def test_whatever_a_fusion_answers_there_counts_nowhere():
    def fuse(masks, present, n, noise):
        return Trial(consensus=np.ones_like(masks[0]))

    tables = predicted(fuse)
    assert (tables.size, tables.void, tables.pixels) == (8, 3, 5)
    np.testing.assert_array_equal(tables.areas, [[5, 4, 2]])
    np.testing.assert_array_equal(tables.masks(1, np.array([0]))[0], VALID)


def test_draws_of_a_method_are_cut_to_what_counts():
    def trials(case):
        yield case.present, [Draw(DrawKind.SAMPLE, one_hot(1 - MASKS[0], 2))]

    predictor = Predictor(replace(CARD, gives="samples"), DESCRIPTION, 1, trials)
    ((tables, packed),) = [(p.tables, p.packed) for p in predictor.predict(CASE)]
    marked = np.unpackbits(packed[0, 0], count=8).reshape(2, 4).astype(bool)
    np.testing.assert_array_equal(marked, (MASKS[0] == 0) & VALID)
    assert tables.intersection[0, 0, 1] == 0, "the complement shares nothing"


@pytest.mark.parametrize(
    ("function", "asks"),
    [(lambda masks, present: 0, False), (lambda masks, present, valid: 0, True), (lambda *, valid=None: 0, True)],
)
def test_a_parameter_of_that_name_asks(function, asks):
    assert names_valid(function) is asks


def test_a_record_has_the_share_of_the_cases_that_were_tested():
    masks = np.stack([MASKS, MASKS])
    pixels = ArrayPixels(np.zeros((2, 1, 2, 4), np.uint8), masks, [VALID, None])
    cases = CaseSet(DESCRIPTION, pixels, ("a", "b"), ("a", "b"), np.ones((2, 2), bool))
    assert void_fact(cases, [0]) == {"void": 3 / 8}
    assert void_fact(cases, [0, 1]) == {"void": 3 / 16}
    assert void_fact(cases, [1]) == {}
