import functools
import operator

import numpy as np
import pytest

from mrbench.data.checks import check_cases
from mrbench.errors import DataAbsentError, DataError
from mrbench_lidc import masks
from mrbench_lidc.config import LidcConfig
from mrbench_lidc.published import published, published_slice, study_of, subject_of

CONFIG = LidcConfig()


@pytest.fixture(scope="module")
def real(shared_data):
    if not (shared_data / "lidc_slices_masks.npz").is_file():
        pytest.skip(f"no lidc_slices_masks.npz in {shared_data}; MRBENCH_TEST_DATA names its folder")
    return masks.load(CONFIG, shared_data)


def write_masks(folder, n=12, **changes):
    masks = np.zeros((n, 4, 128, 128), bool)
    for r in range(4):
        masks[:, r, 60 : 64 + (r + 1) % 4, 60:64] = True
    fields = {
        "masks": masks,
        "attributes": np.tile(np.arange(4, dtype=np.int8)[:, None], (n, 1, 9)),
        "attribute_names": np.array([f"rating{a}" for a in range(9)]),
        "patient_id": np.array([f"P{i // 2}" for i in range(n)]),
        "name": np.array([f"{100 + i // 2}_slice{i}" for i in range(n)]),
    }
    np.savez_compressed(folder / "lidc_slices_masks.npz", **(fields | changes))
    return folder


def test_the_published_folds_test_450_375_412_and_372_slices(real):
    folds = real.splits["published"].folds
    assert [len(fold.test) for fold in folds] == [450, 375, 412, 372]
    assert [len({study_of(real.ids[i]) for i in fold.test}) for fold in folds] == [54, 54, 53, 53]
    assert [len(fold.train) + len(fold.validation) for fold in folds] == [1159, 1234, 1197, 1237]


def test_the_published_folds_split_one_patient(real):
    assert [fold.leaks(real.subjects) for fold in real.splits["published"].folds] == [
        *([], [], ["LIDC-IDRI-0132"], ["LIDC-IDRI-0132"])
    ]


def test_the_folds_of_slices_leak_as_measured_on_the_release(real):
    found = []
    for fold in real.splits["published-slice"].folds:
        learned = {study_of(real.ids[i]) for i in (*fold.train, *fold.validation)}
        found.append((len(fold.test), sum(study_of(real.ids[i]) in learned for i in fold.test)))
    assert found == [(403, 398), (402, 393), (402, 396), (402, 387)]


def test_the_strict_folds_split_no_patient(real):
    assert not any(fold.leaks(real.subjects) for fold in real.splits["strict"].folds)


def test_the_studies_that_share_a_patient_are_those_of_the_archive(real):
    of = {study_of(name): patient for name, patient in zip(real.ids, real.subjects, strict=True)}
    several = {patient for patient in of.values() if list(of.values()).count(patient) > 1}
    assert {study: subject_of(study) for study in of if subject_of(study) != study} == {
        study: patient for study, patient in of.items() if patient in several
    }


def test_real_masks_pass_every_check(real):
    assert check_cases(real) == []
    assert (len(real), len(set(real.subjects)), real[0].image.shape) == (1609, 211, (0, 128, 128))
    areas = np.array([real.pixels.masks(i).sum(axis=(1, 2)) for i in range(0, 1609, 50)])
    assert (areas > 0).all()
    assert (np.diff(areas.astype(int), axis=1) >= 0).all()


def names(studies=8, slices=3):
    return [f"{100 + study}_slice{k}" for study in range(studies) for k in range(slices)]


def test_rules_draw_from_a_generator_of_their_own():
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()
    published(names(), names(), CONFIG)
    published_slice(names(), CONFIG)
    assert np.random.get_state()[1].tolist() == before


def test_published_folds_keep_studies_together_whatever_the_order_of_the_slices():
    tested = []
    for order in (names(), names()[::-1]):
        studies = [study_of(name) for name in order]
        folds = published(order, studies, CONFIG).folds
        assert not any(fold.leaks(studies) for fold in folds)
        tested.append([sorted({studies[i] for i in fold.test}) for fold in folds])
    assert tested[0] == tested[1]
    assert sorted(functools.reduce(operator.iadd, tested[0], [])) == [str(100 + study) for study in range(8)]


def test_the_inner_validation_is_of_subjects_that_train_not():
    fold = published(names(), [study_of(name) for name in names()], CONFIG).folds[0]
    parts = [{study_of(names()[i]) for i in part} for part in fold.parts().values()]
    assert [len(part) for part in parts] == [5, 1, 2]
    assert set.union(*parts) == {study_of(name) for name in names()}


def test_two_studies_of_one_patient_are_one_subject():
    assert subject_of("218658642102832118810712329678_slice4") == "LIDC-IDRI-0132"
    assert subject_of("77_slice4") == "77"


# --- masks without images


def test_absent_masks_say_what_to_name(tmp_path):
    with pytest.raises(DataAbsentError, match="'lidc-1609-masks' is not there") as caught:
        masks.load(CONFIG, tmp_path)
    assert "lidc_slices_masks.npz" in caught.value.hint


def test_masks_are_ranked_and_their_ratings_follow(tmp_path):
    case = masks.load(CONFIG, write_masks(tmp_path))[0]
    assert case.masks.sum(axis=(1, 2)).tolist() == [16, 20, 24, 28]
    np.testing.assert_array_equal(case.attributes["rating3"], [3, np.nan, 1, 2])
    assert (case.id, case.subject, case.slice) == ("100_slice0", "P0", 0)


def test_slots_as_stored(tmp_path):
    cases = masks.load(LidcConfig(raters="exchangeable"), write_masks(tmp_path))
    assert cases[0].masks.sum(axis=(1, 2)).tolist() == [20, 24, 28, 16]
    assert cases.description.name == "lidc-1609-masks"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": np.zeros((12, 4, 64, 64), bool)}, "wrong shape"),
        ({"name": np.array(["100"] * 12)}, r"wrong names\n.*\n.*'100'"),
        ({"patient_id": np.array([""] * 12)}, "empty patient_id"),
    ],
)
def test_wrong_masks_are_refused(tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        masks.load(CONFIG, write_masks(tmp_path, **changes))


def test_fusions_work_on_masks_and_methods_say_why_they_do_not(tmp_path, mrbench):
    write_masks(tmp_path)
    options = ("--dataset", "lidc-1609-masks", "--data", tmp_path, "--split", "published", "--fold", "0")
    result = mrbench("run", "--method", "majority-vote", "--method", "unet-majority", *options)
    assert result.exit_code == 0, result.output
    assert "majority-vote  1" in result.output
    assert "learns from images, 'lidc-1609-masks' has none: fusions of masks work on it" in result.output
    assert "split published, which may train on test subjects: all rows" in result.output


def test_verify_names_the_patient_whom_a_published_split_splits(tmp_path, mrbench):
    shared = ["218658642102832118810712329678", "314138616411061948052843767346"]
    studies = [*(str(100 + i) for i in range(6)), *shared]
    slices = np.array([f"{study}_slice1" for study in studies])
    patients = np.array([subject_of(study) for study in studies])
    write_masks(tmp_path, n=8, name=slices, patient_id=patients)
    result = mrbench("data", "verify", "lidc-1609-masks", "--data", tmp_path)
    assert result.exit_code == 0
    assert "split 'published' of data set 'lidc-1609-masks' leaks: fold" in result.output
    assert "trains and tests on 1 subject: LIDC-IDRI-0132\n" in result.output
    assert "split 'strict'" not in result.output
