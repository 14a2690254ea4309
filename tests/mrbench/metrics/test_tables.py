from dataclasses import replace

import numpy as np
import pytest

from mrbench.errors import DataError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics import TableBuilder
from mrbench.metrics.tables import binarise


def test_rows_are_samples_predictions_consensus_raters(squares, tabulate):
    tables = tabulate(
        squares(8, 9),
        samples=squares(1, 2),
        predictions=[(1, squares(3)[0]), (0, squares(4)[0])],
        consensus=squares(5)[0],
    )
    assert np.sqrt(tables.areas).tolist() == [[1, 2, 3, 4, 5, 8, 9]]
    assert tables.intersection[0, 3].tolist() == [1, 4, 9, 16, 16, 16, 16]
    assert tables.predicted_rater.tolist() == [1, 0]
    assert tables.sample_rows.tolist() == [0, 1]
    assert tables.rater_rows.tolist() == [3, 2]
    assert tables.truth_rows.tolist() == [5, 6]


def test_raters_who_are_not_the_truth_leave_no_trace(squares, tabulate):
    truth = np.array([False, True])
    tables = tabulate(squares(8, 4), truth=truth, samples=squares(4))
    assert tables.areas.tolist() == [[16, 0, 16]]
    assert tables.truth_rows.tolist() == [2]
    assert tables.votes.tolist() == [[1, 0, 0, 240], [1, 1, 0b10, 16]]


def test_votes_count_every_pixel_once_per_class(several):
    for tables in several:
        for votes, rows in ((tables.votes, tables.sample_rows), (tables.rater_votes, tables.rater_rows)):
            sums = [votes[votes[:, 0] == label, 3].sum() for label in range(1, len(tables.intersection) + 1)]
            assert sums == [tables.pixels if len(rows) else 0] * len(sums)


def test_draw_0_of_each_rater_makes_the_rater_set(squares, tabulate):
    predictions = [(0, squares(2)[0]), (0, squares(16)[0]), (1, squares(4)[0])]
    tables = tabulate(squares(2, 4), predictions=predictions)
    assert tables.rater_votes.tolist() == [[1, 0, 0, 240], [1, 1, 2, 12], [1, 2, 3, 4]]
    assert tables.rater_soft[0].tolist() == [[16, 16, 16], [16, 16, 16], [4, 4, 4], [4, 4, 4], [4, 4, 4]]
    assert not tables.soft.any()
    assert len(tables.votes) == 0


def test_a_consensus_stands_in_for_the_raters_without_a_prediction(squares, tabulate):
    tables = tabulate(squares(2, 4), predictions=[(1, squares(4)[0])], consensus=squares(2)[0])
    assert tables.rater_rows.tolist() == [1, 0]
    assert tables.rater_votes.tolist() == [[1, 0, 0, 240], [1, 1, 2, 12], [1, 2, 3, 4]]
    assert tables.sample_rows.tolist() == [1]


def test_a_case_without_any_foreground_has_one_entry(squares, tabulate):
    tables = tabulate(squares(0, 0), samples=squares(0))
    assert tables.votes.tolist() == [[1, 0, 0, 256]]
    assert not tables.intersection.any()


def test_one_half_is_background_and_ties_go_to_the_lower_label():
    assert binarise(np.array([[0.5, 0.4], [0.5, 0.6]])).tolist() == [[False, True]]
    assert binarise(np.array([[0.2, 0.4], [0.4, 0.2], [0.4, 0.4]])).tolist() == [[True, False], [False, False]]


def test_soft_counts_take_the_mean_probability(tabulate):
    samples = np.float32([[[0.75, 0.125, 0.0]], [[0.5, 0.0, 0.5]]])
    tables = tabulate(np.array([[[1, 1, 0]]]), samples=samples)
    assert tables.soft[0].tolist() == [[2, 2, 1], [1, 2, 1], [1, 2, 1], [0, 2, 0], [0, 2, 0]]


def test_packed_bits_give_the_draws_back(squares):
    builder = TableBuilder(squares(4)[:, :5, :5].astype(np.uint8), np.ones(1, bool), 2)
    masks = squares(1, 2, 3)[:, :5, :5]
    for kind, rater, mask in zip(DrawKind, (None, 0, None), masks, strict=True):
        builder.add(Draw(kind, np.stack([~mask, mask]).astype(np.float32), rater))
    bits = builder.packed()
    assert (bits.shape, bits.dtype) == ((3, 1, 4), np.uint8)
    assert np.array_equal(np.unpackbits(bits, axis=-1, count=25).reshape(3, 5, 5), masks)


def test_finishing_twice_gives_the_same_tables(squares, assert_same_tables):
    builder = TableBuilder(squares(4, 6).astype(np.uint8), np.ones(2, bool), 2)
    for kind, rater in ((DrawKind.CONSENSUS, None), (DrawKind.RATER, 1)):
        builder.add(Draw(kind, np.stack([~squares(4)[0], squares(4)[0]]).astype(np.float32), rater))
    assert_same_tables(builder.finish(), builder.finish())


def test_more_raters_than_bits_are_refused():
    with pytest.raises(DataError, match="at most 62"):
        TableBuilder(np.zeros((63, 2, 2), np.uint8), np.ones(63, bool), 2)


def test_masks_are_unpacked_on_demand_on_their_own_grid(tabulate):
    labels = np.random.default_rng(0).integers(0, 3, (6, 3, 5, 2))
    truth = np.array([True, False])
    tables = tabulate(labels[:2], truth=truth, samples=labels[2:4], predictions=[(1, labels[4])], classes=3)
    for label in (1, 2):
        masks = tables.masks(label, np.arange(5))
        assert np.array_equal(masks[:4], labels[[2, 3, 4, 0]] == label)
        assert masks.dtype == np.bool_
        assert not masks[4].any(), "a rater who is not the truth"
    assert tables.shape == (3, 5, 2)


def test_masks_that_were_not_kept_are_told(squares, tabulate):
    tables = replace(tabulate(squares(2), samples=squares(3)), bits=None)
    with pytest.raises(DataError, match="were not kept"):
        tables.masks(1, np.arange(2))


def test_masks_that_are_not_those_counted_are_refused(squares, tabulate):
    tables = tabulate(squares(2), samples=squares(3))
    other = replace(tables, bits=tabulate(squares(4), samples=squares(5)).bits)
    with pytest.raises(DataError, match="stored masks are damaged"):
        other.masks(1, np.arange(2))


def test_the_mean_of_a_raters_draws_is_a_mask_of_its_own(squares, tabulate):
    draws = [(0, np.where(squares(side)[0], np.float32(high), np.float32(0))) for side, high in ((2, 0.9), (4, 0.75))]
    tables = tabulate(squares(3, 4), predictions=[*draws, (1, squares(2)[0])], consensus=squares(6)[0])
    assert tables.rater_means[0].tolist() == [[4, 4], [4, 4]], "0.375 beyond side 2 is background"


def test_the_consensus_is_the_mean_of_raters_without_a_prediction(squares, tabulate):
    tables = tabulate(squares(3, 4), truth=np.array([True, False]), consensus=squares(2)[0])
    assert tables.rater_means[0].tolist() == [[4, 4], [0, 0]]
    assert not tabulate(squares(3), samples=squares(2)).rater_means.any()


def test_calibration_counts_every_pixel_once_per_class_and_set(several):
    for tables in several:
        for counts, rows in (
            (tables.calibration, tables.sample_rows),
            (tables.rater_calibration, tables.rater_rows),
        ):
            sums = [counts[counts[:, 0] == label, 3].sum() for label in range(1, len(tables.intersection) + 1)]
            assert sums == [tables.pixels if len(rows) else 0] * len(sums)


def test_a_spacing_of_other_axes_is_refused(squares):
    with pytest.raises(DataError, match=r"wrong spacing\n  expected: 2 lengths\n  found:    \(1, 1, 1\)"):
        TableBuilder(squares(2).astype(np.uint8), np.ones(1, bool), 2, spacing=(1, 1, 1))
