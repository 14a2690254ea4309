import numpy as np
import pytest

from mrbench.interfaces.metric import Key
from mrbench.metrics import PUBLISHED, STRICT, ScoreCollector, reduce_fold, score_case

NAMES = ("ncc", "ncc_phiseg", "ece_votes", "brier_votes", "crps_area", "auroc_disagreement")


@pytest.fixture(scope="module")
def metrics(every_metric):
    return {name: every_metric[name] for name in NAMES}


def scored(tables, metrics, protocol=STRICT):
    return {name: metrics[name].finalise(value) for (name, _), value in score_case([tables], metrics, protocol).items()}


def test_samples_that_are_the_raters_are_the_best(squares, tabulate, metrics):
    raters = squares(2, 4, 6, 8)
    values = scored(tabulate(raters, samples=raters), metrics)
    assert values["ncc"] == pytest.approx(1)
    assert (values["ece_votes"], values["auroc_disagreement"]) == (0, 1)
    share = raters.mean(axis=0)
    assert values["brier_votes"] == pytest.approx((share * (1 - share)).mean())


def test_a_consensus_is_certain_everywhere(squares, tabulate, metrics):
    values = scored(tabulate(squares(2, 4), consensus=squares(4)[0]), metrics)
    assert values == {
        "ncc": 0,
        "ncc_phiseg": 0,
        "ece_votes": pytest.approx(12 / 2 / 256),
        "brier_votes": pytest.approx(12 / 2 / 256),
        "crps_area": 6,
        "auroc_disagreement": 0.5,
    }


def test_both_protocols_score_alike(squares, tabulate, metrics):
    tables = tabulate(squares(0, 4, 6), samples=squares(0, 2, 4))
    assert scored(tables, metrics, STRICT) == scored(tables, metrics, PUBLISHED)


def test_without_samples_or_raters_nothing_is_scored(squares, tabulate, metrics):
    assert scored(tabulate(squares(2, 4), predictions=enumerate(squares(2, 4))), metrics) == {}
    assert scored(tabulate(squares(2, 4), truth=np.zeros(2, bool), samples=squares(2)), metrics) == {}


def test_absent_raters_are_left_out(squares, tabulate, metrics):
    truth = np.array([True, False, True])
    with_absent = tabulate(squares(2, 8, 4), truth=truth, samples=squares(2, 4, 5))
    without = tabulate(squares(2, 4), samples=squares(2, 4, 5))
    assert scored(with_absent, metrics) == pytest.approx(scored(without, metrics))


def test_raters_who_agree_leave_the_ranking_and_the_correlation_missing(squares, tabulate, metrics):
    values = scored(tabulate(squares(4, 4), samples=squares(2, 4)), metrics)
    assert set(NAMES) - values.keys() == {"ncc", "auroc_disagreement"}


def test_calibration_and_ranking_are_of_the_pixels_of_all_cases_together(squares, tabulate, metrics, every_metric):
    from mrbench.metrics import auroc_disagreement, ece

    cases = [(squares(2, 4, 6), squares(2, 8)), (squares(8, 9), squares(3, 4))]
    scores = ScoreCollector()
    for number, (samples, raters) in enumerate(cases):
        scores.append(str(number), str(number), score_case([tabulate(raters, samples=samples)], metrics, STRICT))
    values = reduce_fold(scores.scores(), metrics, STRICT)
    six = [np.concatenate([samples] * (6 // len(samples))) for samples, _ in cases]  # the same shares of one S
    pooled = np.stack([raters for _, raters in cases], axis=1), np.stack(six, axis=1)
    assert values["ece_votes"].value == pytest.approx(ece(*pooled), abs=1e-12)
    assert values["auroc_disagreement"].value == pytest.approx(auroc_disagreement(*pooled), abs=1e-12)


def test_a_fold_in_which_raters_always_agree_has_no_ranking(squares, tabulate, metrics):
    scores = ScoreCollector()
    scores.append("1", "a", score_case([tabulate(squares(4, 4), samples=squares(2, 4))], metrics, STRICT))
    assert set(NAMES) - reduce_fold(scores.scores(), metrics, STRICT).keys() == {"ncc", "auroc_disagreement"}


def test_every_class_is_scored_on_its_own(squares, tabulate, metrics):
    raters, samples = squares(2, 4).astype(int), squares(4, 6).astype(int)
    scores = score_case([tabulate(2 * raters, samples=2 * samples, classes=3)], metrics, STRICT)
    assert {key for _, key in scores} == {Key(2)}
