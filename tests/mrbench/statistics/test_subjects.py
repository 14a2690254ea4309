"""Sums per subject give what the reduction of a fold gives, under any weights of the subjects."""

import numpy as np
import pytest
from ragged_scores import RATIO, VALUE

from mrbench.interfaces.metric import Key
from mrbench.metrics import PUBLISHED, STRICT, ScoreCollector, reduce_fold
from mrbench.statistics import subject_table

METRICS = {"value": VALUE, "ratio": RATIO}


def random_scores(seed, copies=None):
    """Two classes, three raters, cases of unequal number per subject, values missing here and there.

    ``copies``: how often each subject stands in the scores, each time under another name.
    """
    noise, scores = np.random.default_rng(seed), ScoreCollector()
    for subject in range(6):
        values = []
        for _ in range(1 + subject % 3):
            keys = [Key(label, rater) for label in (1, 2) for rater in range(3) if noise.random() > 0.4]
            values.append(
                {("value", key): noise.random(1) for key in keys}
                | {("ratio", key): 1 + noise.random(2) for key in keys}
            )
        for copy in range(1 if copies is None else copies[subject]):
            for number, value in enumerate(values):
                scores.append(f"{subject}-{copy}-{number}", f"{subject}-{copy}", value)
    return scores.scores()


def table_of(scores, name, protocol, subjects=None):
    return subject_table(scores.of(name), METRICS[name], protocol, subjects or ())


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("seed", range(5))
def test_equal_weights_give_the_value_in_the_table(name, protocol, seed):
    scores = random_scores(seed)
    assert table_of(scores, name, protocol).value() == pytest.approx(
        reduce_fold(scores, METRICS, protocol)[name].value, abs=1e-12
    )


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("seed", range(5))
def test_a_weight_is_a_subject_that_stands_in_the_fold_as_often(name, protocol, seed):
    drawn = np.random.default_rng(seed).multinomial(6, np.full(6, 1 / 6), size=20)
    found = table_of(random_scores(seed), name, protocol, [f"{s}-0" for s in range(6)]).values(drawn.astype(float))
    for copies, value in zip(drawn, found, strict=True):
        expected = reduce_fold(random_scores(seed, copies), METRICS, protocol)[name].value
        assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_each_subject_has_the_value_of_a_fold_of_its_own(name):
    scores = random_scores(3)
    table = table_of(scores, name, STRICT)
    for subject, value in zip(table.subjects, table.by_subject(), strict=True):
        alone = random_scores(3, [f"{number}-0" == subject for number in range(6)])
        assert value == pytest.approx(reduce_fold(alone, METRICS, STRICT)[name].value, abs=1e-12)


def one_case():
    scores = ScoreCollector()
    scores.append("1", "a", {("value", Key(1)): np.array([0.25])})
    return scores.scores()


def test_a_subject_without_any_value_counts_nothing():
    table = table_of(one_case(), "value", STRICT, ["a", "b"])
    assert table.value() == 0.25
    assert np.isnan(table.by_subject()[1])
    assert np.isnan(table.values(np.array([[0.0, 2.0]]))[0])


def test_no_row_is_an_error():
    with pytest.raises(ValueError, match="at least one row"):
        subject_table(one_case().of("ratio"), METRICS["ratio"], STRICT)


def test_a_row_of_another_subject_is_an_error():
    with pytest.raises(KeyError, match="a"):
        subject_table(one_case().of("value"), METRICS["value"], STRICT, ["b"])


def test_columns_stand_by_class_then_rater_however_the_rows_come():
    scores = ScoreCollector()
    for case, keys in (("1", [Key(2, 0), Key(1, 1)]), ("2", [Key(1, 0), Key(2)])):
        scores.append(case, case, {("value", key): np.array([10.0 * key.label + (key.rater or 0)]) for key in keys})
    table = table_of(scores.scores(), "value", PUBLISHED)
    assert table.labels.tolist() == [1, 1, 2, 2]
    assert table.sums[..., 0].tolist() == [[0, 11, 0, 20], [10, 0, 20, 0]]
    assert table.counts.tolist() == [[0, 1, 0, 1], [1, 0, 1, 0]]
