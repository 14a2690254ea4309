import numpy as np

from mrbench.interfaces.metric import Key
from mrbench.metrics.keyed import by_class, by_rater, of_overlaps, one_per_rater


def listed(statistics):
    return {key: vector.tolist() for key, vector in statistics.items()}


def test_a_value_of_each_class_is_a_vector_and_none_is_no_key(squares, tabulate):
    raters = squares(2, 4).astype(int)
    raters[1] *= 2
    tables = tabulate(raters, samples=raters, classes=4)
    assert listed(by_class(tables, tables.sample_rows, float)) == {Key(1): [1.0], Key(2): [2.0]}
    assert listed(by_class(tables, tables.sample_rows, {1: None, 2: 0.5}.get)) == {Key(2): [0.5]}
    counts = by_class(tables, tables.sample_rows, lambda label: label * np.eye(2))
    assert listed(counts) == {Key(1): [1, 0, 0, 1], Key(2): [2, 0, 0, 2]}


def test_values_by_rater_have_keys_of_class_and_rater(squares, tabulate):
    tables = tabulate(squares(2, 4), predictions=enumerate(squares(2, 4)))
    found = by_rater(tables, tables.rater_rows, lambda label: {1: float(label), 0: np.array([3.0, 4.0])})
    assert listed(found) == {Key(1, 1): [1.0], Key(1, 0): [3.0, 4.0]}


def test_without_anything_scored_or_anybody_to_score_against_no_value_is_asked_for(squares, tabulate):
    nobody = tabulate(squares(2, 4), truth=np.zeros(2, bool), samples=squares(2))
    nothing = tabulate(squares(2, 4))
    for tables in (nobody, nothing):
        for keyed in (by_class, by_rater):
            assert keyed(tables, tables.sample_rows, None) == {}


def test_overlaps_are_of_the_predictions_with_the_raters(squares, tabulate):
    tables = tabulate(squares(2, 4), samples=squares(3))
    found = of_overlaps(tables, tables.samples, lambda overlaps: overlaps.shared[0])
    assert listed(found) == {Key(1): [9, 4, 9]}


def test_a_set_with_one_prediction_per_rater_takes_draw_0_of_every_rater_or_nothing(squares, tabulate):
    first, second = enumerate(squares(2, 4)), enumerate(squares(3, 5))
    tables = tabulate(squares(2, 4), predictions=[*first, *second])
    assert [tables.areas[0, row] for row in one_per_rater(tables).rows] == [4, 16]
    assert len(one_per_rater(tabulate(squares(2, 4), predictions=[(1, squares(4)[0])])).rows) == 0
    consensus = tabulate(squares(2, 4), consensus=squares(3)[0])
    assert [consensus.areas[0, row] for row in one_per_rater(consensus).rows] == [9, 9]
