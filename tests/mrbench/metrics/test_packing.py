"""Packed tables: an exact round trip, and nothing hostile gets through."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.engine.budgets import first_samples
from mrbench.errors import DataError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics import STRICT, TableBuilder, pack, score_case, unpack


@given(
    arrays(np.uint8, (3, 2, 5), elements=st.integers(0, 2)),
    arrays(np.uint8, (4, 2, 5), elements=st.integers(0, 2)),
    arrays(bool, 3),
)
def test_packing_is_an_exact_round_trip(assert_same_tables, raters, labels, truth):
    builder = TableBuilder(raters, truth, 3)
    for kind, rater, label in zip((*DrawKind, DrawKind.RATER), (None, 1, None, 1), labels, strict=True):
        builder.add(Draw(kind, np.eye(3, dtype=np.float32)[:, label], rater))
    tables = builder.finish()
    (back,) = unpack(pack([tables]))
    assert_same_tables(back, tables)


def test_ragged_cases_are_packed_together(several, assert_same_tables):
    for back, tables in zip(unpack(pack(several)), several, strict=True):
        assert_same_tables(back, tables)


def test_samples_in_turn_are_stored_as_such_and_leave_no_trace_where_there_are_none(several):
    assert "in_turn" not in pack(several)
    turns = [replace(tables, in_turn=number == 1) for number, tables in enumerate(several)]
    assert [tables.in_turn for tables in unpack(pack(turns))] == [tables.in_turn for tables in turns]


def test_unpacked_tables_score_alike(several, suite):
    for back, tables in zip(unpack(pack(several)), several, strict=True):
        assert score_case([back], suite, STRICT) == score_case([tables], suite, STRICT)


def test_packed_arrays_are_small_flat_integers(several):
    packed = pack(several)
    assert {array.ndim for name, array in packed.items() if name != "layout"} == {1}
    assert {name for name, array in packed.items() if array.dtype.kind == "f"} == {"spacing"}
    assert packed["intersection"].dtype == np.uint8
    assert packed["votes_pattern"].dtype == np.uint64


def test_spacing_and_shape_come_back(squares):
    builder = TableBuilder(squares(2).astype(np.uint8), np.ones(1, bool), 2, spacing=(0.7031, 2))
    (back,) = unpack(pack([builder.finish()]))
    assert (back.shape, back.spacing) == ((16, 16), (0.7031, 2.0))


def test_tables_of_a_part_of_the_samples_are_not_stored(squares, tabulate):
    with pytest.raises(ValueError, match="part of the samples"):
        pack([first_samples(tabulate(squares(2), samples=squares(3, 4)), 1)])


def test_no_case_is_packed_to_empty_arrays():
    assert unpack(pack([])) == []


def damaged(packed, name, change):
    kind = np.float64 if name == "spacing" else np.int64
    return packed | {name: change(packed[name].astype(kind))}


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
    "samples beyond any memory": ("layout", put((0, 1), 1 << 61), "layout of case 0"),
    "more samples than can be compared": ("layout", put((0, 1), 8193), "layout of case 0"),
    "more samples than intersections": ("layout", put((0, 1), 4096), "intersection"),
    "negative samples": ("layout", put((0, 1), -1), "layout"),
    "no dimension": ("layout", put((0, 5), 0), "layout of case 0"),
    "five dimensions": ("layout", put((0, 5), 5), "layout of case 0"),
    "no pixels": ("shape", put(0, 0), "shape of case 0"),
    "pixels beyond any memory": ("shape", put(0, 1 << 61), "shape of case 0"),
    "fewer pixels than foreground": ("shape", put(0, 1), "intersection of case 0"),
    "another shape": ("shape", put(0, 8), "votes table of case 0"),
    "no spacing": ("spacing", put(0, 0.0), "spacing"),
    "endless spacing": ("spacing", put(0, np.inf), "spacing"),
    "a spacing too many": ("spacing", lambda a: np.append(a, 1.0), "spacing"),
    "whole numbers for lengths": ("spacing", lambda a: np.ones(len(a), np.int64), "spacing"),
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
    "bin 15 of 0 to 14": ("calibration_bin", put(0, 15), "calibration of case 0"),
    "calibration of class 0": ("calibration_label", put(0, 0), "calibration of case 0"),
    "calibration of more pixels": ("calibration_pixels", put(0, 255), "calibration of case 0"),
    "probabilities above one": ("calibration_sum", put(-1, 1 << 61), "calibration of case 5"),
    "squares above probabilities": ("calibration_square", put(0, 1 << 61), "calibration of case 0"),
    "a mean larger than the image": ("rater_means", put(0, 257), "rater_means of case 0"),
    "a mean shared beyond itself": ("rater_means", put(1, 9), "rater_means of case 0"),
    "numbers beyond 2^62": ("votes_pixels", lambda a: a.astype(np.uint64) + np.uint64(1 << 63), "votes_pixels"),
}


@pytest.mark.parametrize(("name", "change", "where"), HOSTILE.values(), ids=HOSTILE)
def test_damaged_arrays_are_refused(several, name, change, where):
    with pytest.raises(DataError, match=f"stored tables are damaged: ({where})"):
        unpack(damaged(pack(several), name, change))


def test_a_missing_array_is_refused(several):
    packed = pack(several)
    for name in packed:
        with pytest.raises(DataError, match=rf"damaged: {name}\n  expected: .*\n  found:    nothing"):
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
    array = packed[name].astype(np.float64 if name == "spacing" else np.int64)
    array.flat[data.draw(st.integers(0, array.size - 1))] = data.draw(st.integers(-3, 70) | st.just(1 << 62))
    try:
        (tables,) = unpack(packed | {name: array})
    except DataError:
        return
    assert 0 <= tables.areas.min() <= tables.areas.max() <= tables.pixels
