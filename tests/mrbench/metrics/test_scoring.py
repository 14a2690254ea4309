import numpy as np
import pytest

from mrbench.interfaces.metric import Key, metric
from mrbench.metrics import PUBLISHED, STRICT, ScoreCollector, Summary, reduce_dataset, reduce_fold, score_case
from mrbench.metrics.scores import EVERYWHERE
from mrbench.metrics.scoring import case_values, without_value

FACTS = {"direction": "higher", "range": (0, 1), "needs": "samples"}


class Rows(dict):
    """Tables of two classes and three raters that hold the statistics themselves, by protocol."""

    intersection = np.zeros((2, 1, 1))
    truth_raters = np.arange(3)


def given(tables, protocol):
    return tables[protocol]


VALUE = metric("value", "what the test put into the tables", **FACTS)(given)
RATIO = metric("ratio", "first sum over second sum", pooled=lambda total: float(total[0] / total[1]), **FACTS)(given)
FIRST_CLASS = metric("first", "applies to class 1", applies=lambda tables, key: key.label == 1, **FACTS)(given)

METRICS = {"value": VALUE, "ratio": RATIO}


def fold_of(*rows):
    """Rows (subject, rater, label, value), a case each."""
    scores = ScoreCollector()
    for number, (subject, rater, label, value) in enumerate(rows):
        scores.append(f"case {number}", subject, {("value", Key(label, rater)): np.array([value])})
    return scores.scores()


def reduced(scores, protocol):
    return reduce_fold(scores, METRICS, protocol)["value"]


def test_subjects_weigh_alike_under_strict_and_cases_under_published():
    scores = fold_of(("a", None, 1, 0.0), ("a", None, 1, 0.0), ("a", None, 1, 0.3), ("b", None, 1, 0.9))
    assert reduced(scores, STRICT).value == pytest.approx((0.1 + 0.9) / 2)
    assert reduced(scores, PUBLISHED).value == pytest.approx(1.2 / 4)
    assert reduced(scores, STRICT).n_cases == 4


def test_raters_weigh_alike_however_few_cases_they_saw():
    scores = fold_of(("a", 0, 1, 1.0), ("b", 0, 1, 1.0), ("c", 0, 1, 1.0), ("c", 1, 1, 0.0))
    for protocol in (STRICT, PUBLISHED):
        assert reduced(scores, protocol).value == 0.5
        assert reduced(scores, protocol).by_rater == {0: 1, 1: 0}


def test_classes_weigh_alike_and_raters_within_them():
    scores = fold_of(("a", 0, 1, 1.0), ("a", 1, 1, 0.0), ("a", 0, 2, 0.2))
    value = reduced(scores, STRICT)
    assert value.by_class == {1: 0.5, 2: 0.2}
    assert value.by_rater == {0: pytest.approx(0.6), 1: 0}
    assert value.value == pytest.approx(0.35)


def test_a_metric_without_raters_has_no_value_by_rater():
    assert reduced(fold_of(("a", None, 1, 0.5)), STRICT).by_rater == {}


def test_one_case_is_its_own_mean():
    value = reduced(fold_of(("a", None, 1, 0.25)), STRICT)
    assert (value.value, value.by_class, value.n_cases, value.of_cases) == (0.25, {1: 0.25}, 1, 1)


def test_a_case_may_come_in_parts():
    scores = ScoreCollector()
    for rater in range(2):
        scores.append("1", "a", {("value", Key(1, rater)): np.array([float(rater)])})
    value = reduced(scores.scores(), STRICT)
    assert (value.value, value.n_cases, value.of_cases) == (0.5, 1, 1)


def test_no_case_has_no_value():
    assert reduce_fold(ScoreCollector().scores(), METRICS, STRICT) == {}


def test_cases_to_which_a_metric_applies_without_a_value_are_counted_and_weigh_nothing():
    scores = ScoreCollector()
    scores.append("1", "a", {("value", Key(1)): np.array([0.5])})
    scores.append("2", "b", {}, [("value", EVERYWHERE)])
    scores.append("3", "c", {("ratio", Key(1)): np.array([1.0, 2.0])})
    value = reduced(scores.scores(), STRICT)
    assert (value.value, value.n_cases, value.of_cases) == (0.5, 1, 2), "it does not apply to the third"


def test_a_case_is_counted_once_however_many_of_its_parts_have_a_value():
    scores = ScoreCollector()
    scores.append("1", "a", {("value", Key(1)): np.array([0.5])})
    scores.append("1", "a", {}, [("value", EVERYWHERE)])
    for _ in range(2):
        scores.append("2", "b", {}, [("value", EVERYWHERE)])
    value = reduced(scores.scores(), STRICT)
    assert (value.n_cases, value.of_cases) == (1, 2)


def test_pooled_statistics_are_summed_before_they_are_finalised():
    scores = ScoreCollector()
    scores.append("1", "a", {("ratio", Key(1)): np.array([1.0, 2.0])})
    scores.append("2", "a", {("ratio", Key(1)): np.array([1.0, 8.0])})
    for protocol in (STRICT, PUBLISHED):
        assert reduce_fold(scores.scores(), METRICS, protocol)["ratio"].value == 2 / 10


def test_order_of_the_cases_does_not_matter():
    rng = np.random.default_rng(0)
    rows = [(f"subject {i % 7}", i % 3, 1 + i % 2, value) for i, value in enumerate(rng.random(60))]
    forward, backward = reduced(fold_of(*rows), STRICT), reduced(fold_of(*rows[::-1]), STRICT)
    assert forward.value == pytest.approx(backward.value, abs=1e-12)


def test_trials_are_averaged_over_those_that_have_the_key():
    trials = [
        Rows({STRICT: {Key(1, 0): np.array([1.0])}}),
        Rows({STRICT: {Key(1, 0): np.array([0.0]), Key(1, 1): np.array([0.4])}}),
    ]
    scores = score_case(trials, {"value": VALUE}, STRICT)
    assert {key: value.tolist() for (_, key), value in scores.items()} == {Key(1, 0): [0.5], Key(1, 1): [0.4]}


def test_a_metric_lacks_the_classes_and_raters_to_which_it_applies_and_of_which_nothing_was_found(tabulate):
    classes = np.array([[[0, 1, 2]]] * 3)
    tables = tabulate(classes, samples=classes[:1], classes=3, truth=np.array([True, False, True]))
    own = Key(1, 0), Key(1, 2), Key(2, 0), Key(2, 2)

    def lacking(metric, *found, trials=(tables,)):
        return [key for _, key in without_value(trials, {"m": metric}, [("m", key) for key in found])]

    assert lacking(VALUE, *own) == lacking(VALUE, Key(1), Key(2)) == []
    assert lacking(VALUE, own[0], own[3]) == [own[1], own[2]], "rater 1 was not there"
    assert lacking(VALUE, Key(2)) == [Key(1)]
    assert lacking(VALUE) == [EVERYWHERE]
    assert lacking(FIRST_CLASS, own[0]) == [own[1]]
    assert lacking(FIRST_CLASS, trials=[]) == [EVERYWHERE], "nobody gave an answer: every value is lacking"
    nobody = tabulate(classes, samples=classes[:1], classes=3, truth=np.zeros(3, bool))
    assert lacking(VALUE, trials=[nobody]) == []
    assert lacking(VALUE, trials=[nobody, tables]) == [EVERYWHERE]


def test_a_case_that_lacks_a_rater_whom_other_cases_have_is_not_covered():
    scores = ScoreCollector()
    first, second, third = (("value", Key(1, rater)) for rater in (0, 1, 2))
    scores.append("1", "a", {first: np.array([0.5]), second: np.array([0.7])}, [third])
    scores.append("2", "b", {first: np.array([0.5])}, [second, third])
    value = reduced(scores.scores(), STRICT)
    assert (value.value, value.n_cases, value.of_cases) == (pytest.approx(0.6), 1, 2), "nothing is given for rater 2"


def test_each_case_is_finalised_by_itself():
    statistics = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert case_values(statistics, VALUE).tolist() == [1, 3]
    assert case_values(statistics, RATIO).tolist() == [1 / 2, 3 / 4]


def test_leaving_each_rater_out_scores_each_rater(squares, tabulate, suite):
    raters = squares(2, 4, 8)
    trials = [tabulate(raters, truth=np.arange(3) == r, consensus=raters[r - 1]) for r in range(3)]
    scores = score_case(trials, suite, STRICT)
    by_rater = [scores["dice_rater", Key(1, r)].item() for r in range(3)]
    assert by_rater == [8 / 68, 8 / 20, 32 / 80]
    assert scores["dice_max", Key(1)].item() == pytest.approx(np.mean(by_rater))


def test_folds_have_a_sample_or_a_population_spread():
    assert reduce_dataset([0.2, 0.4], STRICT) == Summary(pytest.approx(0.3), pytest.approx(0.02**0.5), 2)
    assert reduce_dataset([0.2, 0.4], PUBLISHED) == Summary(pytest.approx(0.3), pytest.approx(0.1), 2)


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
def test_one_fold_has_no_spread(protocol):
    assert reduce_dataset([0.2], protocol) == Summary(0.2, None, 1)
