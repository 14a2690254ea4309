"""Who stays present where raters are made absent."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters, Unit
from mrbench.engine.slices import slices_of
from mrbench.engine.sparsity import thinned, thinned_cases
from mrbench.seeds import derive_noise

PRESENCE = arrays(bool, st.tuples(st.integers(0, 6), st.integers(1, 8)))


@given(PRESENCE, st.integers(1, 9), st.integers(0, 2**32))
def test_each_row_keeps_so_many_of_those_who_looked_or_all_of_fewer(present: np.ndarray, n: int, seed: int):
    left = thinned(present, n, derive_noise(seed))
    assert left.shape == present.shape
    assert not (left & ~present).any()
    assert (left.sum(axis=1) == np.minimum(present.sum(axis=1), n)).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_present_rater_and_every_group_of_them_is_equally_likely(n: int):
    draws = 24_000
    present = np.tile([True, True, False, True, True], (draws, 1))  # four looked
    left = thinned(present, n, np.random.default_rng(0))
    assert left.mean(axis=0) == pytest.approx(np.array([1, 1, 0, 1, 1]) * n / 4, abs=0.012)
    groups, counts = np.unique(left, axis=0, return_counts=True)
    expected = {1: 4, 2: 6, 3: 4}[n]
    assert len(groups) == expected
    assert counts / draws == pytest.approx(np.full(expected, 1 / expected), abs=0.012)


def cases_of(names: list[str], depth: int = 0) -> CaseSet:
    shape = (depth, 4, 4) if depth else (4, 4)
    return CaseSet(
        description=Description(
            name="x", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED,
            rater_names=tuple("abcd"), unit=Unit.VOLUME if depth else Unit.SLICE,
        ),
        pixels=ArrayPixels(
            np.zeros((len(names), 1, *shape), np.float32), np.ones((len(names), 4, *shape), np.uint8)
        ),
        ids=tuple(names),
        subjects=tuple(names),
        present=np.ones((len(names), 4), bool),
    )  # fmt: skip


def test_a_case_keeps_its_raters_whatever_the_others_are():
    names = [f"case-{i}" for i in range(400)]
    left = thinned_cases(cases_of(names), 2, seed=5).present
    assert (left.sum(axis=1) == 2).all()
    assert left.mean(axis=0) == pytest.approx(np.full(4, 0.5), abs=0.1)
    assert (thinned_cases(cases_of(names[::-3]), 2, seed=5).present == left[::-3]).all()
    assert (thinned_cases(cases_of(names), 2, seed=6).present != left).any()


def test_the_slices_of_a_volume_have_the_same_raters_and_absent_masks_are_zero():
    cases = thinned_cases(cases_of(["one", "two"], depth=5), 1, seed=0)
    slices = slices_of(cases, np.arange(2))
    assert len(slices) == 10
    for volume in range(2):
        rows = slices.present[5 * volume : 5 * volume + 5]
        assert (rows == rows[0]).all()
        assert rows[0].sum() == 1
    batch = slices.batch(torch.arange(10), torch.device("cpu"))
    assert (batch.masks.amax(dim=(2, 3)).bool() == batch.present).all()
