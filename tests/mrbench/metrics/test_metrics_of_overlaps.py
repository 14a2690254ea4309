from dataclasses import replace

import numpy as np
import pytest

from mrbench.interfaces.metric import Key
from mrbench.metrics import PUBLISHED, STRICT, score_case

RATERS = (2, 4, 6, 8)

# Squares on a 16 x 16 grid: sides of the raters and of the samples, probability inside and outside.
CASES = {
    "A": (RATERS, (1, 3, 5, 7, 9), 0.8, 0.4),
    "B": (RATERS, (8, 6, 4, 2), 0.9, 0.0),
    "C": ((0, 4, 6, 8), (0, 4, 6, 8), 0.9, 0.0),
    "D": ((0, 4, 6, 8), (2, 4, 6, 8), 0.9, 0.0),
}
GOLDEN = {
    "A": {
        "ged": 0.138214,
        "ged_pa": 0.648575,
        "ged_aa": 0.539931,
        "ged_pp": 0.619005,
        "dice_max_reverse": 0.737937,
        "dice_max": 0.781422,
        "dice_match": 0.781422,
        "dice_soft": 0.371777,
        "matched": [0.615385, 0.780488, 0.847059, 0.882759],
        "diagonal": [0.4, 0.72, 0.819672, 0.867257],
    },
    "B": {
        "ged": 0,
        "dice_max_reverse": 1,
        "dice_max": 1,
        "dice_match": 1,
        "dice_soft": 0.68,
        "matched": [1, 1, 1, 1],
        "diagonal": [0.117647, 0.615385, 0.615385, 0.117647],
    },
    "C": {
        "ged": 0,
        "ged_pa": 0.655382,
        "ged_aa": 0.655382,
        "ged_pp": 0.655382,
        "dice_max_reverse": 1,
        "dice_max": 1,
        "dice_match": 1,
        "dice_soft": 0.8,
        "matched": [1, 1, 1, 1],
        "diagonal": [1, 1, 1, 1],
    },
    "D": {
        "ged": 0.0625,
        "dice_max_reverse": 0.85,
        "dice_max": 0.75,
        "dice_match": 0.75,
        "dice_soft": 0.88,
        "matched": [0, 1, 1, 1],
        "diagonal": [0, 1, 1, 1],
    },
}


@pytest.fixture(params=CASES)
def golden(request, squares, tabulate):
    raters, sides, inside, outside = CASES[request.param]
    probabilities = np.where(squares(*sides), np.float32(inside), np.float32(outside))
    sampled = tabulate(squares(*raters), samples=probabilities)
    personal = tabulate(squares(*raters), predictions=enumerate(probabilities[:4]))
    return GOLDEN[request.param], sampled, personal


def test_samples_have_the_golden_values(golden, score):
    expected, sampled, _ = golden
    for name in expected.keys() - {"matched", "diagonal"}:
        assert score(name, sampled, PUBLISHED) == pytest.approx(expected[name], abs=6e-7), name


def test_own_predictions_have_the_golden_diagonal(golden, score):
    expected, _, personal = golden
    own = replace(PUBLISHED, rater="own")
    assert score("dice_rater", personal, own) == pytest.approx(expected["diagonal"], abs=6e-7)


def test_matched_predictions_have_the_golden_values_where_there_is_one_per_rater(golden, score):
    expected, sampled, personal = golden
    if sampled.n_samples == 4:
        assert score("dice_rater", personal, PUBLISHED) == pytest.approx(expected["matched"], abs=6e-7)


def test_golden_matches_of_case_a(squares):
    from mrbench.metrics import dice_matched

    matched = dice_matched(squares(*RATERS), squares(1, 3, 5, 7, 9), protocol=PUBLISHED)
    assert matched == pytest.approx(GOLDEN["A"]["matched"], abs=6e-7)


def test_strict_parts_of_case_c_and_distance_of_case_d(squares, tabulate, score):
    case_c = tabulate(squares(0, 4, 6, 8), samples=squares(0, 4, 6, 8))
    case_d = tabulate(squares(0, 4, 6, 8), samples=squares(2, 4, 6, 8))
    parts = [score(f"ged_{part}", case_c, STRICT) for part in ("pa", "pp", "aa")]
    assert parts == pytest.approx([0.592882] * 3, abs=6e-7)
    assert score("ged", case_d, STRICT) == pytest.approx(0.125, abs=1e-12)


def test_nothing_marked_by_anybody_is_full_agreement(squares, tabulate, suite):
    empty = squares(0, 0, 0)
    tables = tabulate(empty, samples=empty, predictions=enumerate(empty))
    values = {name: value.item() for (name, _), value in score_case([tables], suite, STRICT).items()}
    distances = {name: value for name, value in values.items() if name.startswith("ged")}
    assert set(distances.values()) == {0}
    assert {name: value for name, value in values.items() if value != 1} == distances | {
        "rater_identification": pytest.approx(1 / 3)
    }


def test_empty_raters_against_filled_samples(squares, tabulate, score):
    tables = tabulate(squares(0, 0), samples=squares(4, 4))
    assert score("ged", tables, STRICT) == pytest.approx(2)
    assert score("ged", tables, PUBLISHED) == pytest.approx(1)


SAMPLED = {
    "ged",
    "ged_pa",
    "ged_pp",
    "ged_aa",
    "ged_unbiased",
    "ged_unbiased_panel",
    "ged_pp_unbiased",
    "ged_aa_unbiased",
    "dice_soft",
    "dice_soft_prob",
    "dice_max",
    "dice_max_reverse",
    "dice_match",
}
OF_RATERS = {"ged@raters", "dice_soft@raters", "dice_max@raters", "dice_match@raters"}
PERSONAL = {"dice_rater", "dice_rank", "dice_rater_mean", "rater_identification", "iou"}


def names(tables, suite, protocol=STRICT):
    return {name for name, _ in score_case([tables], suite, protocol)}


def test_samples_alone_have_no_rater_metric(squares, tabulate, suite):
    assert names(tabulate(squares(2, 4), samples=squares(2, 4, 6)), suite) == SAMPLED


def test_rater_predictions_alone_have_no_sample_metric(squares, tabulate, suite):
    tables = tabulate(squares(2, 4), predictions=enumerate(squares(2, 4)))
    assert names(tables, suite) == OF_RATERS | PERSONAL


def test_samples_and_rater_predictions_have_both(squares, tabulate, suite):
    tables = tabulate(squares(2, 4), samples=squares(2, 4), predictions=enumerate(squares(2, 4)))
    assert names(tables, suite) == SAMPLED | OF_RATERS | PERSONAL


def test_a_consensus_is_one_sample_and_every_raters_prediction(squares, tabulate, suite, score):
    tables = tabulate(squares(2, 4), consensus=squares(4)[0])
    assert names(tables, suite) == (SAMPLED | OF_RATERS | PERSONAL) - {
        "ged_unbiased",
        "ged_unbiased_panel",
        "ged_pp_unbiased",
        "ged_aa_unbiased",
        "dice_match",
    }
    as_sample = tabulate(squares(2, 4), samples=squares(4))
    for name in ("ged", "dice_soft", "dice_soft_prob", "dice_max"):
        assert score(name, tables, STRICT) == score(name, as_sample, STRICT)
    assert score("ged@raters", tables, STRICT) == score("ged", tables, STRICT)
    assert score("dice_soft@raters", tables, PUBLISHED) == score("dice_soft", tables, PUBLISHED)
    assert score("dice_rater", tables, STRICT) == score("dice_rater", tables, replace(STRICT, rater="matched"))
    assert score("dice_rater", tables, STRICT) == [8 / 20, 1]
    assert score("rater_identification", tables, STRICT) == [0.5, 0.5]
    assert score("iou", tables, STRICT) == [0.25, 1]


def test_a_consensus_beside_samples_is_no_sample(squares, tabulate, score):
    beside = tabulate(squares(2, 4), samples=squares(2, 4), consensus=squares(16)[0])
    alone = tabulate(squares(2, 4), samples=squares(2, 4))
    for name in SAMPLED:
        assert score(name, beside, STRICT) == score(name, alone, STRICT)


def test_absent_raters_are_left_out(squares, tabulate, suite, score):
    truth = np.array([True, False, True])
    tables = tabulate(squares(2, 8, 4), truth=truth, samples=squares(2, 4), predictions=enumerate(squares(2, 8, 4)))
    without = tabulate(squares(2, 4), samples=squares(2, 4))
    for name in SAMPLED:
        assert score(name, tables, STRICT) == score(name, without, STRICT)
    assert set(suite["dice_rater"](tables, STRICT)) == {Key(1, 0), Key(1, 2)}


def test_identification_is_among_the_predictions_of_absent_raters_too(squares, tabulate, score):
    truth = np.array([True, False])
    tables = tabulate(squares(4, 8), truth=truth, predictions=[(0, squares(6)[0]), (1, squares(4)[0])])
    assert score("rater_identification", tables, STRICT) == [0]


def test_an_epsilon_does_not_break_ties_of_identification(tabulate, score):
    rater, smaller, larger = np.zeros((3, 1, 8), int)
    # Dice 2/4 with either prediction, which an epsilon would tell apart.
    rater[0, :2], smaller[0, 1:3], larger[0, :6] = 1, 1, 1
    tables = tabulate([rater, rater], predictions=[(0, smaller), (1, larger)])
    assert score("rater_identification", tables, PUBLISHED) == [0.5, 0.5]


def test_a_rater_without_a_prediction_is_missing(squares, tabulate, suite):
    tables = tabulate(squares(2, 4), predictions=[(1, squares(4)[0])])
    assert set(suite["dice_rater"](tables, STRICT)) == {Key(1, 1)}
    for name in ("rater_identification", "ged@raters", "dice_soft@raters"):
        assert suite[name](tables, STRICT) == {}, "among fewer predictions than raters, chance is not 1/R"
    assert suite["dice_rater"](tables, PUBLISHED) == {}


def test_dice_rater_is_the_mean_over_the_raters_draws(squares, tabulate, score):
    tables = tabulate(squares(4), predictions=[(0, squares(4)[0]), (0, squares(2)[0])])
    assert score("dice_rater", tables, STRICT) == [pytest.approx((1 + 8 / 20) / 2)]
    assert score("ged@raters", tables, STRICT) == 0


def test_no_rater_or_no_draw_scores_nothing(squares, tabulate, suite):
    assert names(tabulate(squares(2, 4), truth=np.zeros(2, bool), samples=squares(2)), suite) == set()
    assert names(tabulate(squares(2, 4)), suite) == set()


def test_a_class_that_no_mask_contains_is_missing_with_three_classes(squares, tabulate, suite):
    raters = squares(2, 4).astype(int)
    tables = tabulate(raters, samples=raters, predictions=enumerate(raters), classes=3)
    assert {key.label for _, key in score_case([tables], suite, STRICT)} == {1}
    predicted = tabulate(raters, samples=2 * raters, classes=3)
    assert {key.label for _, key in score_case([predicted], suite, STRICT)} == {1, 2}


def test_every_class_of_three_is_scored_on_its_own(squares, tabulate, suite):
    raters, samples = squares(2, 4).astype(int), squares(4, 6).astype(int)
    tables = tabulate(np.concatenate([raters]) * 2, samples=samples * 2, classes=3)
    binary = score_case([tabulate(raters, samples=samples)], suite, STRICT)
    ternary = score_case([tables], suite, STRICT)
    assert {(name, key.label - 1): v.item() for (name, key), v in ternary.items()} == {
        (name, key.label): v.item() for (name, key), v in binary.items()
    }
