import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.errors import DataError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics import STRICT, CaseTables, TableBuilder, pack, score_case, unpack
from mrbench.metrics.tables import MAX_RATERS, binarise

FIELDS = (
    *("n_samples", "predicted_rater", "has_consensus", "truth", "pixels"),
    *("intersection", "votes", "rater_votes", "soft", "rater_soft"),
)


def assert_equal(first: CaseTables, second: CaseTables):
    for field in FIELDS:
        a, b = getattr(first, field), getattr(second, field)
        assert np.array_equal(a, b), field
        assert np.asarray(a).dtype == np.asarray(b).dtype, field


@pytest.fixture
def several(squares, tabulate):
    """Cases of different sizes, classes and draws."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, (3, 4, 5))
    return [
        tabulate(squares(2, 4), samples=squares(2, 4, 6)),
        tabulate(squares(0, 0, 0), truth=np.array([True, False, True]), consensus=squares(0)[0]),
        tabulate(labels, samples=labels, predictions=[(2, labels[0]), (0, labels[1])], classes=3),
        tabulate(squares(3), predictions=[(0, rng.random((16, 16))), (0, rng.random((16, 16)))]),
        tabulate(squares(3, 5)),
        tabulate(np.ones((MAX_RATERS, 2, 2), int), samples=np.ones((1, 2, 2), int)),
    ]


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


def test_finishing_twice_gives_the_same_tables(squares):
    builder = TableBuilder(squares(4, 6).astype(np.uint8), np.ones(2, bool), 2)
    for kind, rater in ((DrawKind.CONSENSUS, None), (DrawKind.RATER, 1)):
        builder.add(Draw(kind, np.stack([~squares(4)[0], squares(4)[0]]).astype(np.float32), rater))
    assert_equal(builder.finish(), builder.finish())


def test_more_raters_than_bits_are_refused():
    with pytest.raises(DataError, match="at most 62"):
        TableBuilder(np.zeros((63, 2, 2), np.uint8), np.ones(63, bool), 2)


@given(
    arrays(np.uint8, (3, 2, 5), elements=st.integers(0, 2)),
    arrays(np.uint8, (4, 2, 5), elements=st.integers(0, 2)),
    arrays(bool, 3),
)
def test_packing_is_an_exact_round_trip(raters, labels, truth):
    builder = TableBuilder(raters, truth, 3)
    for kind, rater, label in zip((*DrawKind, DrawKind.RATER), (None, 1, None, 1), labels, strict=True):
        builder.add(Draw(kind, np.eye(3, dtype=np.float32)[:, label], rater))
    tables = builder.finish()
    (back,) = unpack(pack([tables]))
    assert_equal(back, tables)


def test_ragged_cases_are_packed_together(several):
    for back, tables in zip(unpack(pack(several)), several, strict=True):
        assert_equal(back, tables)


def test_unpacked_tables_score_alike(several, suite):
    for back, tables in zip(unpack(pack(several)), several, strict=True):
        assert score_case([back], suite, STRICT) == score_case([tables], suite, STRICT)


def test_packed_arrays_are_small_flat_integers(several):
    packed = pack(several)
    assert {array.ndim for name, array in packed.items() if name != "layout"} == {1}
    assert packed["intersection"].dtype == np.uint8
    assert packed["votes_pattern"].dtype == np.uint64


def test_no_case_is_packed_to_empty_arrays():
    assert unpack(pack([])) == []


def damaged(packed, name, change):
    return packed | {name: change(packed[name].astype(np.int64))}


def put(index, value):
    def change(array):
        array[index] = value
        return array

    return change


HOSTILE = {
    "layout of three columns": ("layout", lambda a: a[:, :3], "layout"),
    "a case less": ("layout", lambda a: a[:-1], "predicted_rater|truth"),
    "no class": ("layout", put((0, 0), 0), "layout of case 0"),
    "two consensus": ("layout", put((0, 3), 2), "layout of case 0"),
    "no rater": ("layout", put((0, 4), 0), "layout of case 0"),
    "63 raters": ("layout", put((0, 4), 63), "layout of case 0"),
    "samples beyond any memory": ("layout", put((0, 1), 1 << 61), "intersection"),
    "negative samples": ("layout", put((0, 1), -1), "layout"),
    "no pixels": ("layout", put((0, 5), 0), "layout of case 0"),
    "fewer pixels than foreground": ("layout", put((0, 5), 8), "intersection of case 0"),
    "short intersections": ("intersection", lambda a: a[:-1], "intersection"),
    "long intersections": ("intersection", lambda a: np.append(a, 0), "intersection"),
    "a negative count": ("intersection", put(0, -1), "intersection"),
    "an area below a share of it": ("intersection", put(0, 1), "intersection of case 0"),
    "floats": ("intersection", lambda a: a.astype(np.float64), "intersection"),
    "a matrix": ("soft", lambda a: a.reshape(-1, 3), "soft"),
    "more pixels than there are": ("soft", put(0, 257), "soft of case 0"),
    "shared by more than marked": ("soft", put(2, 17), "soft of case 0"),
    "a rater who does not exist": ("predicted_rater", put(0, 3), "predicted_rater of case 2"),
    "class 0": ("votes_label", put(0, 0), "votes table of case 0"),
    "class 2 of 2": ("votes_label", put(0, 2), "votes table of case 0"),
    "more votes than samples": ("votes_votes", put(0, 4), "votes table of case 0"),
    "a pattern of more raters": ("votes_pattern", put(0, 4), "votes table of case 0"),
    "a pixel too many": ("votes_pixels", lambda a: a + (np.arange(len(a)) == 0), "votes table of case 0"),
    "numbers beyond 2^62": ("votes_pixels", lambda a: a.astype(np.uint64) + np.uint64(1 << 63), "votes_pixels"),
}


@pytest.mark.parametrize(("name", "change", "where"), HOSTILE.values(), ids=HOSTILE)
def test_damaged_arrays_are_refused(several, name, change, where):
    with pytest.raises(DataError, match=f"stored tables are damaged: ({where})"):
        unpack(damaged(pack(several), name, change))


def test_a_missing_array_is_refused(several):
    packed = pack(several)
    for name in packed:
        with pytest.raises(DataError, match=rf"damaged: {name}\n  expected: an integer array\n  found:    nothing"):
            unpack({other: array for other, array in packed.items() if other != name})


def test_an_absent_rater_with_foreground_is_refused(several):
    with pytest.raises(DataError, match="intersection of case 0"):
        unpack(damaged(pack(several), "truth", put(0, 0)))


@given(st.data())
def test_any_damage_is_refused_or_harmless(data):
    labels = np.random.default_rng(0).integers(0, 3, (4, 3, 3)).astype(np.uint8)
    builder = TableBuilder(labels[:2], np.ones(2, bool), 3)
    builder.add(Draw(DrawKind.SAMPLE, np.eye(3, dtype=np.float32)[:, labels[2]]))
    builder.add(Draw(DrawKind.RATER, np.eye(3, dtype=np.float32)[:, labels[3]], 1))
    packed = pack([builder.finish()])
    name = data.draw(st.sampled_from(sorted(packed)))
    array = packed[name].astype(np.int64)
    array.flat[data.draw(st.integers(0, array.size - 1))] = data.draw(st.integers(-3, 70) | st.just(1 << 62))
    try:
        (tables,) = unpack(packed | {name: array})
    except DataError:
        return
    assert 0 <= tables.areas.min() <= tables.areas.max() <= tables.pixels
