"""What stored predictions say by themselves: distinct samples, and what is left of a set without its latent."""

from itertools import combinations

import numpy as np
import pytest

from mrbench.diagnostics.covering import covering_number
from mrbench.diagnostics.stored import level_sets, stored_values
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import Draw, DrawKind, binary_probability
from mrbench.metrics.counting import pack_masks
from mrbench.metrics.distance import ged_unbiased
from mrbench.metrics.tables import TableBuilder


def on_a_line(*places: float) -> np.ndarray:
    return np.abs(np.subtract.outer(places, places))


@pytest.mark.parametrize(
    ("places", "radius", "number"),
    [((0, 0, 0), 0, 1), ((0, 1, 2), 0.5, 3), ((0, 1, 2), 1, 1), ((0, 1, 2, 3, 4, 5), 1, 2), ((0,), 0, 1)],
)
def test_the_covering_number_of_places_on_a_line(places: tuple[float, ...], radius: float, number: int):
    assert covering_number(on_a_line(*places), radius) == number


def test_up_to_twelve_samples_it_is_that_of_all_subsets_and_of_more_no_less():
    rng = np.random.default_rng(0)
    for _ in range(30):
        distance = on_a_line(*rng.random(8))
        near = distance <= 0.1
        sizes = (len(some) for n in range(1, 9) for some in combinations(range(8), n) if near[list(some)].any(0).all())
        exact = next(sizes)
        assert covering_number(distance, 0.1) == exact
        doubled = np.tile(distance, (2, 2))  # 16 samples, which are 8
        assert exact <= covering_number(doubled, 0.1) <= exact * (1 + np.log(16))


def test_level_sets_have_the_votes_of_the_samples_and_are_nested():
    masks = np.random.default_rng(1).random((7, 2, 24)) < 0.5
    levels = np.unpackbits(level_sets(pack_masks(masks)), axis=-1).astype(bool)
    assert np.array_equal(levels.sum(axis=0), masks.sum(axis=0))
    assert not (levels[1:] & ~levels[:-1]).any()


def tables(masks: np.ndarray, samples: np.ndarray) -> CaseTables:
    builder = TableBuilder(masks.astype(np.uint8), np.ones(len(masks), bool), 2)
    for sample in samples:
        builder.add(Draw(DrawKind.SAMPLE, binary_probability(sample.astype(np.float32))))
    return builder.finish()


def test_the_energy_distance_is_that_of_the_metric():
    rng = np.random.default_rng(2)
    masks, samples = rng.random((3, 6, 6)) < 0.5, rng.random((5, 6, 6)) < 0.5
    found = stored_values([tables(masks, samples)])
    assert found["energy distance"][0] == pytest.approx(ged_unbiased(masks, samples))


def nested(*sides: int) -> np.ndarray:
    masks = np.zeros((len(sides), 8, 8), bool)
    for mask, side in zip(masks, sides, strict=True):
        mask[:side, :side] = True
    return masks


def test_nested_samples_are_their_own_level_sets_and_add_nothing():
    found = stored_values([tables(nested(2, 5), nested(2, 3, 5))])
    assert found["energy distance"][0] == pytest.approx(found["energy distance of level sets"][0])
    assert found["energy distance beyond level sets"][0] == pytest.approx(0)


def test_samples_on_two_sides_beat_their_level_sets_where_raters_are_on_two_sides():
    left, right = np.zeros((2, 8, 8), bool)
    left[:, :4], right[:, 4:] = True, True
    masks, samples = np.stack([left, right]), np.stack([left, right] * 10)
    found = stored_values([tables(masks, samples)])
    # A level set is everything or, above half of the votes, nothing: at .5 and at 1 of every rater; 10 of each.
    assert found["energy distance of level sets"][0] == pytest.approx(2 * 0.75 - 10 / 19 - 1)
    assert found["energy distance"][0] == pytest.approx(2 * 0.5 - 10 / 19 - 1)
    assert found["energy distance beyond level sets"][0] == pytest.approx(-0.5)
    assert found["distinct samples"][0] == 2


def test_one_rater_and_one_sample_have_no_figures():
    found = stored_values([tables(nested(3), nested(2, 2))])
    assert np.isnan([found["distance of two raters"][0], found["distinct samples"][0]]).all()
    assert set(stored_values([tables(nested(2, 3), nested(2))])) == {"distance of two raters"}


def test_raters_of_all_trials_are_the_people():
    # As of a fusion that leaves one rater out: each trial has one as its truth.
    whole = nested(2, 4)
    trials = []
    for truth in np.eye(2, dtype=bool):
        builder = TableBuilder(whole.astype(np.uint8), truth, 2)
        builder.add(Draw(DrawKind.CONSENSUS, binary_probability(whole[0].astype(np.float32))))
        trials.append(builder.finish())
    assert stored_values(trials)["distance of two raters"][0] == pytest.approx(0.75)
