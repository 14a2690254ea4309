"""A row of noise is a function of seed, case, site, answer, rater and draw, and of nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from mrbench.errors import PluginError
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.noise import Noise, Rows

CPU = torch.device("cpu")
ROWS = Rows(seed=1, case="one", answer=DrawKind.SAMPLE, rater=None, draws=range(4), slices=[0])

DRAW = {
    "normal": lambda noise, **how: noise.normal("z", 3, 2, **how),
    "uniform": lambda noise, **how: noise.uniform("z", 3, 2, **how),
    "dirichlet": lambda noise, **how: noise.dirichlet("z", torch.tensor([1.0, 2.0, 3.0]), **how),
    "integers": lambda noise, **how: noise.integers("z", 10**9, **how),
}
every_kind = pytest.mark.parametrize("kind", DRAW)


def drawn(kind: str, how: dict[str, bool] | None = None, **rows) -> Tensor:
    return DRAW[kind](Noise(replace(ROWS, **rows), CPU), **(how or {}))


def many(*, draws: int = 20_000) -> Noise:
    return Noise(replace(ROWS, draws=range(draws)), CPU)


@every_kind
def test_the_first_axes_are_draws_and_slices(kind: str):
    assert drawn(kind, slices=range(5)).shape[:2] == (4, 5)
    noise = Noise(replace(ROWS, slices=range(5)), CPU)
    assert (noise.draws, noise.slices, noise.numbers.tolist()) == (4, 5, [0, 1, 2, 3])


@every_kind
def test_a_row_does_not_depend_on_the_draws_that_are_made_with_it_nor_on_their_order(kind: str):
    whole = drawn(kind)
    assert drawn(kind, draws=[3]).equal(whole[[3]])
    assert drawn(kind, draws=[2, 0, 3]).equal(whole[[2, 0, 3]])
    assert drawn(kind, draws=range(40))[:4].equal(whole)


@every_kind
def test_slices_share_a_row_whatever_their_number(kind: str):
    alone, together = drawn(kind, slices=[7]), drawn(kind, slices=range(5))
    assert all(together[:, n].equal(alone[:, 0]) for n in range(5))


@every_kind
def test_a_site_may_have_a_row_for_each_slice_which_depends_on_the_slices_number_alone(kind: str):
    together = drawn(kind, {"per_slice": True}, slices=range(5))
    assert drawn(kind, {"per_slice": True}, slices=[4, 2]).equal(together[:, [4, 2]])
    assert not together[:, 0].equal(together[:, 1])


@every_kind
def test_raters_have_rows_of_their_own_unless_the_site_is_theirs_together(kind: str):
    one, other = (drawn(kind, answer=DrawKind.RATER, rater=r) for r in (0, 1))
    assert not one.equal(other)
    one, other = (drawn(kind, {"per_rater": False}, answer=DrawKind.RATER, rater=r) for r in (0, 1))
    assert one.equal(other)


@every_kind
@pytest.mark.parametrize("other", [{"seed": 2}, {"case": "two"}, {"answer": DrawKind.RATER}, {"draws": range(4, 8)}])
def test_another_seed_case_answer_or_draw_is_another_row(kind: str, other: dict[str, object]):
    assert not drawn(kind, **other).equal(drawn(kind))


def test_sites_are_independent_of_each_other_and_of_the_order_in_which_they_are_drawn():
    noise, turned = Noise(ROWS, CPU), Noise(ROWS, CPU)
    first, second = noise.normal("a", 5), noise.normal("b", 5)
    assert turned.normal("b", 5).equal(second)
    assert turned.normal("a", 5).equal(first)
    assert not first.equal(second)
    assert noise.sites == {"a", "b"}


def test_one_site_is_redrawn_alone():
    plain, redrawn = Noise(ROWS, CPU), Noise(ROWS, CPU, seeds={"a": 9})
    assert not redrawn.normal("a", 5).equal(plain.normal("a", 5))
    assert redrawn.normal("b", 5).equal(plain.normal("b", 5))
    assert Noise(replace(ROWS, seed=9), CPU).normal("a", 5).equal(Noise(ROWS, CPU, seeds={"a": 9}).normal("a", 5))


def test_a_site_that_is_drawn_twice_in_one_answer_is_refused():
    noise = Noise(ROWS, CPU)
    noise.normal("z", 2)
    with pytest.raises(PluginError) as error:
        noise.uniform("z", 3)
    assert error.value.message == (
        "noise of site 'z' is drawn twice in one answer\n"
        "  expected: a name of its own for each use, or one draw of a larger shape"
    )


@every_kind
def test_the_global_generators_are_neither_used_nor_moved(kind: str):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = drawn(kind)
    assert torch.get_rng_state().equal(before)
    torch.manual_seed(2)
    assert drawn(kind).equal(first)


def test_normal_rows_are_standard_normal_within_and_between_draws():
    rows = many().normal("z", 2)[:, 0].numpy()  # (S, 2)
    assert stats.kstest(rows[:, 0], "norm").pvalue > 1e-3
    assert stats.kstest(rows[:, 1], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(rows.T)[0, 1]) < 4 / np.sqrt(len(rows))


def test_neighbouring_draws_seeds_and_sites_are_uncorrelated():
    rows = many().normal("z", 1)[:, 0, 0].numpy()
    others = [
        rows[1:],
        Noise(replace(ROWS, seed=2, draws=range(len(rows))), CPU).normal("z", 1)[:-1, 0, 0].numpy(),
        many().normal("y", 1)[:-1, 0, 0].numpy(),
    ]
    assert all(abs(np.corrcoef(rows[:-1], other)[0, 1]) < 4 / np.sqrt(len(rows)) for other in others)


def test_uniform_rows_lie_in_the_unit_interval_evenly():
    rows = many().uniform("u", 1)[:, 0, 0].numpy()
    assert rows.min() >= 0
    assert rows.max() < 1
    assert stats.kstest(rows, "uniform").pvalue > 1e-3


def test_dirichlet_rows_sum_to_one_with_the_moments_of_their_concentrations():
    alpha = torch.tensor([0.5, 1.0, 2.5])
    rows = many().dirichlet("tau", alpha)[:, 0].double()  # (S, 3)
    total = alpha.sum().item()
    mean = alpha.double() / total
    variance = mean * (1 - mean) / (total + 1)
    assert rows.sum(dim=1).sub(1).abs().max() < 1e-6
    error = (variance / len(rows)).sqrt()
    assert ((rows.mean(dim=0) - mean).abs() < 4 * error).all()
    torch.testing.assert_close(rows.var(dim=0), variance, rtol=0.05, atol=0)


def test_integers_are_below_n_and_equally_frequent():
    rows = many().integers("expert", 4)
    assert rows.dtype == torch.int64
    counts = rows.flatten().bincount(minlength=4)
    assert counts.sum() == 20_000
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_floats_are_single_precision():
    noise = Noise(ROWS, CPU)
    drawn = [noise.normal("n", 1), noise.uniform("u", 1), noise.dirichlet("d", torch.ones(2, dtype=torch.float64))]
    assert {one.dtype for one in drawn} == {torch.float32}
