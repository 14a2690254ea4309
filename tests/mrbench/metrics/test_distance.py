from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.interfaces.case_tables import Overlaps
from mrbench.interfaces.metric import Key
from mrbench.metrics import PUBLISHED, STRICT, ged, ged_parts, ged_unbiased
from mrbench.metrics.distance import ged_parts_of, ged_parts_unbiased_of

GRID = (2, 3)
MASKS = st.integers(1, 4).flatmap(lambda n: arrays(bool, (n, *GRID)))
PARTS_UNBIASED = ("ged_unbiased", "ged_unbiased_panel", "ged_pp_unbiased", "ged_aa_unbiased")
PROTOCOL = st.sampled_from([STRICT, PUBLISHED])


def nested(sides, n_predicted):
    """Overlaps of nested squares, without pixels."""
    sides = np.asarray(sides)
    return Overlaps(np.minimum(sides[:, None], sides[None, :]) ** 2, n_predicted)


@given(MASKS, MASKS, PROTOCOL, st.randoms(use_true_random=False))
def test_order_of_samples_and_raters_does_not_matter(samples, raters, protocol, random):
    mixed = [masks[random.sample(range(len(masks)), len(masks))] for masks in (raters, samples)]
    assert ged(*mixed, protocol=protocol) == pytest.approx(ged(raters, samples, protocol=protocol), abs=1e-12)


@given(MASKS, MASKS, PROTOCOL)
def test_doubling_every_sample_changes_nothing(samples, raters, protocol):
    doubled = np.concatenate([samples, samples])
    assert ged(raters, doubled, protocol=protocol) == pytest.approx(ged(raters, samples, protocol=protocol), abs=1e-12)


@given(MASKS, MASKS)
def test_published_distance_differs_by_the_squared_difference_of_empty_shares(samples, raters):
    shares = [np.mean(~masks.any(axis=(1, 2))) for masks in (samples, raters)]
    published = ged(raters, samples, protocol=replace(PUBLISHED, epsilon=0))
    assert published == pytest.approx(ged(raters, samples) - (shares[0] - shares[1]) ** 2, abs=1e-12)


@given(MASKS, MASKS, PROTOCOL)
def test_distance_lies_between_0_and_2(samples, raters, protocol):
    assert -1e-7 <= ged(raters, samples, protocol=protocol) <= 2
    assert all(0 <= part <= 1 for part in ged_parts(raters, samples, protocol=protocol))


@given(MASKS, PROTOCOL)
def test_a_set_is_at_distance_0_from_itself(masks, protocol):
    assert ged(masks, masks, protocol=protocol) == pytest.approx(0, abs=1e-12)


def test_empty_raters_against_filled_samples(squares):
    assert ged(squares(0, 0), squares(4, 4), protocol=STRICT) == pytest.approx(2)
    assert ged(squares(0, 0), squares(4, 4), protocol=PUBLISHED) == pytest.approx(1)


def test_nothing_marked_by_anybody_is_distance_0(squares):
    for protocol in (STRICT, PUBLISHED):
        assert ged(squares(0, 0), squares(0, 0), protocol=protocol) == 0


def test_unbiased_distance_leaves_out_the_pairs_of_a_mask_with_itself(squares):
    parts = ged_parts(squares(2, 4), squares(1, 3, 5))
    expected = 2 * parts.pa - parts.pp * 3 / 2 - parts.aa * 2
    assert ged_unbiased(squares(2, 4), squares(1, 3, 5)) == pytest.approx(expected, abs=1e-12)


def test_unbiased_distance_does_not_ask_what_an_empty_mask_is_to_itself(squares):
    masks = squares(0, 4), squares(0, 6)
    relaxed = replace(PUBLISHED, epsilon=0, empty_iou=1)
    alone = ged_unbiased(*masks, protocol=replace(PUBLISHED, epsilon=0)) - ged_unbiased(*masks, protocol=relaxed)
    assert alone == pytest.approx(2 * 1 / 4)


def test_unbiased_distance_can_be_negative():
    masks = np.zeros((2, 4, 4), bool)
    masks[0, 0], masks[1, 1] = True, True
    assert ged_unbiased(masks, masks) == -1


def test_unbiased_distance_needs_two_of_each(squares):
    with pytest.raises(ValueError, match="needs two raters and two samples; got 2 and 1"):
        ged_unbiased(squares(4, 6), squares(4))


def test_a_perfect_sampler_scores_its_bias_and_the_unbiased_distance_does_not():
    rng, s, r, trials = np.random.default_rng(7), 3, 4, 4000
    population = np.array([2, 4, 6, 8])
    distance = 1 - np.minimum.outer(population, population) ** 2 / np.maximum.outer(population, population) ** 2
    drawn = [nested(rng.choice(population, s + r), s) for _ in range(trials)]
    biased = np.array([ged_parts_of(overlaps).ged for overlaps in drawn])
    unbiased = np.array([ged_parts_unbiased_of(overlaps).ged for overlaps in drawn])
    for values, expected in ((biased, distance.mean() * (1 / s + 1 / r)), (unbiased, 0)):
        assert abs(values.mean() - expected) < 4 * values.std() / trials**0.5


@pytest.mark.parametrize(("s", "r"), [(1, 1), (1, 3), (2, 2), (3, 1)])
def test_the_bias_of_a_perfect_sampler_is_exact_over_all_draws(s, r):
    population = (2, 3, 7)
    drawn = [ged_parts_of(nested(sides, s)) for sides in product(population, repeat=s + r)]
    expected = ged_parts_of(nested(population * 2, 3)).pa  # of two independent draws
    assert np.mean([parts.ged for parts in drawn]) == pytest.approx(expected * (1 / s + 1 / r), abs=1e-12)
    assert np.mean([parts.aa for parts in drawn]) == pytest.approx(expected * (1 - 1 / r), abs=1e-12)


def test_a_perfect_personal_method_is_rewarded_by_the_unbiased_distance():
    raters = (2, 4, 7, 9)
    overlaps = nested(raters * 2, 4)
    distance = ged_parts_of(overlaps).aa * 4 / 3
    assert ged_parts_unbiased_of(overlaps).ged == pytest.approx(-2 * distance / 4, abs=1e-12)


def test_samples_in_turn_would_be_rewarded_and_have_no_unbiased_distance(squares, tabulate, every_metric):
    masks = squares(2, 8)  # each sampler is right: both masks are as likely for samples as for raters
    draws = [[masks[i], masks[j]] for i in (0, 1) for j in (0, 1)]
    independent, in_turn = draws, [[masks[0], masks[1]], [masks[1], masks[0]]]

    def mean(samplers):
        return np.mean([ged_unbiased(np.stack(raters), np.stack(samples)) for raters in draws for samples in samplers])

    assert mean(independent) == pytest.approx(0)
    assert mean(in_turn) == pytest.approx(-ged_parts(masks, masks).aa)
    tables = replace(tabulate(masks, samples=masks), in_turn=True)
    unbiased = {name: every_metric[name](tables, STRICT) for name in PARTS_UNBIASED}
    assert [name for name, found in unbiased.items() if found] == ["ged_aa_unbiased"]
    assert not every_metric["ged_unbiased"].applies(tables, Key(1))
    assert every_metric["ged"](tables, STRICT)


def test_the_distance_to_a_panel_is_nothing_for_draws_of_its_own_masks(tabulate, every_metric, squares):
    panel, found = squares(2, 4, 7), every_metric["ged_unbiased_panel"]
    drawn = [found(tabulate(panel, samples=np.stack(own)), STRICT)[Key(1)].item() for own in product(panel, repeat=2)]
    assert np.mean(drawn) == pytest.approx(0, abs=1e-12)


def test_a_panel_and_a_population_differ_by_a_share_of_the_distance_of_two_raters(tabulate, every_metric, squares):
    tables = tabulate(squares(2, 4, 7, 8), truth=np.array([True, False, True, True]), samples=squares(3, 5, 6))
    names = ("ged_unbiased_panel", "ged_unbiased", "ged_aa_unbiased", "ged_aa", "ged_pa", "ged_pp_unbiased")
    panel, unbiased, aa, with_self, pa, pp = (every_metric[name](tables, STRICT)[Key(1)].item() for name in names)
    assert panel == pytest.approx(unbiased + aa / 3, abs=1e-15)
    assert panel == pytest.approx(2 * pa - pp - with_self, abs=1e-15)


@pytest.mark.parametrize(("raters", "samples"), [((4,), (2, 4)), ((2, 4), (4,))])
def test_a_panel_of_one_or_one_sample_has_no_distance(raters, samples, tabulate, every_metric, squares):
    assert not every_metric["ged_unbiased_panel"](tabulate(squares(*raters), samples=squares(*samples)), STRICT)


def test_samples_that_resample_the_raters_score_their_spread_over_s():
    raters, s = (2, 4, 7), 2
    drawn = [ged_parts_of(nested([*samples, *raters], s)) for samples in product(raters, repeat=s)]
    assert np.mean([parts.ged for parts in drawn]) == pytest.approx(drawn[0].aa / s, abs=1e-12)
