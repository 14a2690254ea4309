from dataclasses import replace

import numpy as np
import pytest

from mrbench.data.caseset import ArrayPixels
from mrbench.data.checks import check_cases, contrast_gains
from mrbench.data.splits import Fold, Split
from mrbench.errors import DataError


def with_pixels(cases, *, images=None, masks=None):
    pixels = cases.pixels
    chosen = (pixels.images if images is None else images, pixels.all_masks if masks is None else masks)
    return replace(cases, pixels=ArrayPixels(*chosen))


def images_of(cases, dtype="float32"):
    return cases.pixels.images.astype(dtype)


def masks_of(cases, dtype="int64"):
    return cases.pixels.all_masks.astype(dtype)


def assert_refused(cases, message):
    with pytest.raises(DataError, match=message):
        check_cases(cases)


# Rater 0 and rater 2 of the boxes mark the same pixels.
TWINS = "raters 'rater-0' and 'rater-2' have the same mask in 6 of the 6 cases that both marked: first in case 'case-0'"


def test_sound_cases_give_no_warning(make_cases):
    assert check_cases(make_cases(raters=2)) == []


def test_sound_volumes_give_no_warning(make_cases):
    assert check_cases(make_cases([(3, 12, 10)] * 4, raters=2, channels=3)) == []


def test_ragged_cases_of_several_classes_give_no_warning(make_cases):
    assert check_cases(make_cases([(12, 10), (9, 14), (20, 8)], raters=2, classes=3)) == []


def test_an_empty_data_set(make_cases):
    empty = make_cases(ids=(), subjects=(), present=np.ones((0, 3), bool), splits={})
    assert_refused(empty, "data set 'boxes' is empty")


def test_duplicate_names(make_cases):
    assert_refused(make_cases(ids=("a", "b", "c", "d", "b", "e")), "has two cases named 'b'")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subjects": ("p",) * 5}, "wrong number of subjects"),
        ({"present": np.ones((6, 2), bool)}, "wrong shape of present"),
        ({"present": np.ones((6, 3))}, "wrong type of present"),
        ({"slices": (1, 2)}, "wrong number of slices"),
        ({"spacings": ((1.0, 1.0),)}, "wrong number of spacings"),
        ({"metadata": ({},)}, "wrong number of metadata"),
        ({"attributes": {"margin": np.zeros((6, 9))}}, "wrong shape of attribute 'margin'"),
    ],
)
def test_columns_that_do_not_fit(make_cases, fields, message):
    assert_refused(make_cases(**fields), message)


def test_fewer_images_than_cases(make_cases):
    cases = make_cases()
    assert_refused(
        with_pixels(cases, images=cases.pixels.images[:4], masks=cases.pixels.all_masks[:4]), "images and masks"
    )


@pytest.mark.parametrize("dtype", ["float32", "bool"])
def test_masks_that_are_not_integers(make_cases, dtype):
    cases = make_cases()
    assert_refused(with_pixels(cases, masks=masks_of(cases, dtype)), "case 'case-0' .* masks that are not integers")


@pytest.mark.parametrize("label", [2, -1, 255])
def test_labels_outside_the_classes(make_cases, label):
    cases = make_cases()
    masks = masks_of(cases)
    masks[3, 1, 0, 0] = label
    assert_refused(with_pixels(cases, masks=masks), f"case 'case-3' .* label outside its classes\n.*0..1 .*\n.*{label}")


@pytest.mark.parametrize("shape", [(6, 3, 10, 12), (6, 2, 12, 10), (6, 12, 10)])
def test_masks_of_a_wrong_shape(make_cases, shape):
    assert_refused(with_pixels(make_cases(), masks=np.zeros(shape, np.uint8)), "case 'case-0' .* wrong mask shape")


@pytest.mark.parametrize("shape", [(6, 2, 12, 10), (6, 12, 10), (6, 1, 3, 12, 10), (6, 1, 0, 10)])
def test_images_of_a_wrong_shape(make_cases, shape):
    assert_refused(with_pixels(make_cases(), images=np.zeros(shape, np.uint8)), "case 'case-0' .* wrong image shape")


def test_images_that_are_not_numbers(make_cases):
    cases = make_cases()
    assert_refused(with_pixels(cases, images=images_of(cases, "complex64")), "case 'case-0' .* wrong image type")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_images_that_are_not_finite(make_cases, value):
    cases = make_cases()
    images = images_of(cases)
    images[4, 0, 2, 2] = value
    assert_refused(with_pixels(cases, images=images), "case 'case-4' .* not finite\n.*\n.*1 NaN or infinite")


def test_a_case_without_raters(make_cases):
    present = np.ones((6, 3), bool)
    present[5] = False
    assert_refused(make_cases(present=present), "case 'case-5' of data set 'boxes' has no rater")


def test_a_mask_of_an_absent_rater(make_cases):
    present = np.ones((6, 3), bool)
    present[1, 2] = False
    assert_refused(make_cases(present=present), "case 'case-1' .* has a mask of an absent rater")


def test_no_foreground_anywhere(make_cases):
    cases = make_cases()
    assert_refused(with_pixels(cases, masks=np.zeros((6, 3, 12, 10), np.uint8)), "has no foreground in any of its 6")


def test_one_marked_case_is_foreground_enough(make_cases):
    cases = make_cases(raters=2)
    masks = cases.pixels.all_masks.copy()
    masks[1:] = 0
    assert check_cases(with_pixels(cases, masks=masks)) == []


def test_a_subject_in_two_parts(make_cases):
    assert_refused(make_cases(subjects=("p",) * 6), "fold 0 of split 'strict' .* splits subject 'p'")


def test_a_published_rule_may_split_a_subject(make_cases):
    leaky = Split("published-slice", (Fold(np.array([0, 1]), np.array([2]), np.array([3])),))
    strict = Split("strict", (Fold(np.array([0, 1, 2, 3]), np.array([], int), np.array([4, 5])),))
    cases = make_cases(subjects=("p",) * 4 + ("q",) * 2, raters=2, splits={"strict": strict, "published-slice": leaky})
    assert check_cases(cases) == []
    mine = Split("mine", leaky.folds)
    assert_refused(replace(cases, splits={"strict": strict, "mine": mine}), "split 'mine' .* splits subject 'p'")


def test_a_case_in_two_parts(make_cases):
    twice = Split("strict", (Fold(np.array([0, 1]), np.array([2]), np.array([2])),))
    assert_refused(make_cases(splits={"strict": twice}), "lists a case twice")


# --- warnings


def test_no_strict_split_is_a_warning(make_cases):
    assert "no split named 'strict'" in check_cases(make_cases(raters=2, splits={}))[0]


def test_copied_raters_are_a_warning(make_cases):
    assert check_cases(make_cases()) == [TWINS]


def test_empty_masks_are_no_copies(make_cases):
    cases = make_cases()
    masks = cases.pixels.all_masks.copy()
    masks[1:, 2] = 0
    assert check_cases(with_pixels(cases, masks=masks)) == []


def test_copied_images_are_a_warning(make_cases):
    cases = make_cases(raters=2)
    images = cases.pixels.images.copy()
    images[4] = images[1]
    assert check_cases(with_pixels(cases, images=images)) == [
        "1 images are copies of another case's, 1 of them of another subject's: first case 'case-4' of case 'case-1'"
    ]


def test_a_rater_nearly_always_absent_is_a_warning(make_cases):
    cases = make_cases([(12, 10)] * 12, raters=2)
    present = np.ones((12, 2), bool)
    present[[i for i in range(12) if i != 7], 1] = False
    masks = cases.pixels.all_masks * present[:, :, None, None].astype(np.uint8)
    assert check_cases(with_pixels(replace(cases, present=present), masks=masks)) == [
        "rater 'rater-1' is nearly always absent: present in 1 of 12 cases, first in 'case-7'"
    ]


def test_a_class_that_nobody_marked_is_a_warning(make_cases):
    assert "class 'disc' is marked in no case" in check_cases(make_cases(raters=1, classes=3))


@pytest.mark.parametrize("shift", [(1, 0), (0, -1), (1, 1), (-1, 1)])
def test_masks_shifted_by_a_pixel_are_a_warning(make_cases, shift):
    cases = make_cases(raters=1)
    moved = with_pixels(cases, masks=np.roll(cases.pixels.all_masks, shift, axis=(-2, -1)))
    y, x = (-step for step in shift)
    assert f"by {y:+d} rows and {x:+d} columns, most in case 'case-" in check_cases(moved)[0]


def test_the_contrast_falls_in_every_direction_where_masks_fit(make_cases):
    assert (contrast_gains(make_cases(raters=1)[0]) < 0).all()


def test_no_contrast_where_nobody_marked_or_nothing_varies(make_cases):
    case = make_cases(raters=1)[0]
    assert contrast_gains(replace(case, masks=np.zeros_like(case.masks))) is None
    assert contrast_gains(replace(case, masks=np.ones_like(case.masks))) is None
    assert contrast_gains(replace(case, image=np.ones_like(case.image))) is None


def test_streamed_cases_give_the_same_warnings(tmp_path, make_cases):
    from mrbench.data.container import open_container, write_container

    write_container(tmp_path / "cases.h5", make_cases())
    assert check_cases(open_container(tmp_path / "cases.h5", "stream")) == [TWINS]
