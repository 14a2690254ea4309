"""The phantom's arrays, cases and splits."""

import numpy as np
import pytest

from mrbench.data.caseset import CaseSet
from mrbench.data.description import Raters, Unit
from mrbench.digests import digest_arrays

TINY = {"subjects": 3, "size": 32, "slices": 2, "raters": 3}
GOLDEN = "199c6c21ae2685b7b58054f072a178474b68adb508b6b6015371551f49e47c2d"


def content(cases: CaseSet) -> str:
    """Digest of the arrays alone, so that a reworded description changes nothing here."""
    parts = [(f"{kind}/{i}", getattr(cases.pixels, kind)(i)) for i in range(len(cases)) for kind in ("image", "masks")]
    return digest_arrays([*parts, *sorted(cases.attributes.items())])


def test_arrays_are_the_same_everywhere(load):
    assert content(load(**TINY)) == GOLDEN


def test_loading_twice_gives_the_same_digest_and_another_seed_another(load):
    assert load(**TINY).digest == load(**TINY).digest
    assert load(**TINY).digest != load(**TINY, seed=1).digest


def test_a_subject_does_not_depend_on_how_many_there_are(load):
    few, more = load(subjects=3, size=32), load(subjects=6, size=32)
    assert more.ids[: len(few)] == few.ids
    for i in range(len(few)):
        np.testing.assert_array_equal(few.pixels.image(i), more.pixels.image(i))
        np.testing.assert_array_equal(few.pixels.masks(i), more.pixels.masks(i))


def test_the_first_raters_stay_the_same_when_more_are_asked_for(load):
    two, eight = load(**TINY | {"raters": 2}), load(**TINY | {"raters": 8})
    for i in range(len(two)):
        np.testing.assert_array_equal(two.pixels.image(i), eight.pixels.image(i))
        np.testing.assert_array_equal(two.pixels.masks(i), eight.pixels.masks(i)[:2])


def test_styles_in_full_are_the_default(load):
    assert load(**TINY, style_scale=1).digest == load(**TINY).digest
    assert load(**TINY, style_scale=0.5).digest != load(**TINY).digest


def test_the_first_raters_stay_the_same_whatever_the_scale_of_their_styles(load):
    two, eight = load(**TINY | {"raters": 2, "style_scale": 0.5}), load(**TINY | {"raters": 8, "style_scale": 0.5})
    np.testing.assert_array_equal(two.pixels.masks(0), eight.pixels.masks(0)[:2])


@pytest.mark.parametrize("raters", range(2, 9))
def test_any_number_of_raters_from_two_to_eight(load, raters):
    cases = load(**TINY | {"raters": raters})
    assert cases.description.n_raters == raters == len(set(cases.description.rater_names))
    assert cases[0].masks.shape == (raters, 32, 32)
    assert cases.present.shape == (len(cases), raters)


@pytest.mark.parametrize("size", [32, 45, 97])
def test_any_size_gives_a_lesion_of_the_same_size_in_mm(load, size):
    case = load(**TINY | {"size": size})[0]
    area = case.masks.sum(axis=(1, 2)).mean() * case.spacing[0] * case.spacing[1]
    reference = load(**TINY)[0]
    assert case.image.shape == (1, size, size)
    assert case.spacing == pytest.approx((44.8 / size, 44.8 / size))
    assert area == pytest.approx(reference.masks.sum(axis=(1, 2)).mean() * 1.4**2, rel=0.25)


def test_cases_are_what_the_description_declares(load):
    cases = load(**TINY)
    assert cases.description.raters is Raters.IDENTIFIED
    assert cases.description.rater_names == ("tight", "generous", "smooth")
    assert cases.description.normalisation == "byte"
    assert cases.ids[0] == "subject-000-slice-0"
    assert cases.pixels.image(0).dtype == cases.pixels.masks(0).dtype == np.uint8
    assert set(np.unique(cases.pixels.masks(0))) == {0, 1}
    assert cases[0].image.dtype == np.float32
    assert 0 <= cases[0].image.min() < cases[0].image.max() <= 1
    assert cases.present.all()
    assert len(set(cases.ids)) == len(cases)


def test_subjects_have_about_as_many_slices_as_asked_for(many):
    counts = {many.subjects.count(subject) for subject in many.subjects}
    assert counts == {3, 4, 5}


def test_a_volume_is_a_subject_s_slices_stacked(load):
    slices, volumes = load(**TINY), load(**TINY, unit="volume")
    assert volumes.description.unit is Unit.VOLUME
    assert volumes.ids == tuple(dict.fromkeys(slices.subjects))
    for k, subject in enumerate(volumes.ids):
        members = [i for i, owner in enumerate(slices.subjects) if owner == subject]
        np.testing.assert_array_equal(volumes.pixels.image(k)[0], [slices.pixels.image(i)[0] for i in members])
        np.testing.assert_array_equal(volumes.pixels.masks(k)[:, 0], slices.pixels.masks(members[0]))
        assert len(volumes.spacings[k]) == 3


@pytest.mark.parametrize("unit", ["slice", "volume"])
def test_no_subject_crosses_folds_and_each_is_tested_once(load, unit):
    cases = load(subjects=10, size=32, unit=unit)
    split = cases.split("strict")
    split.check(cases.subjects, owner="phantom")
    assert len(split.folds) == 3
    assert sorted(np.concatenate([fold.test for fold in split.folds])) == list(range(len(cases)))


def test_missing_raters_are_absent_with_no_masks_and_no_ratings_and_one_always_stays(load):
    whole, cases = load(subjects=40, size=32), load(subjects=40, size=32, missing=0.3)
    assert 0.22 < 1 - cases.present.mean() < 0.38
    assert cases.present.any(axis=1).all()
    for i, present in enumerate(cases.present):
        assert not cases.pixels.masks(i)[~present].any()
        np.testing.assert_array_equal(cases.pixels.masks(i)[present], whole.pixels.masks(i)[present])
        assert np.isnan(cases.attributes["margin"][i, ~present]).all()


def test_one_rater_stays_even_where_nearly_all_are_missing(load):
    present = load(subjects=20, size=32, missing=0.99).present
    assert present.any(axis=1).all()
    assert present.sum() < 1.2 * len(present)
