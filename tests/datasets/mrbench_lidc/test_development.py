"""The patients who are kept for choices: nobody whom ``lidc`` tests."""

from pathlib import Path

import numpy as np
import pytest

from mrbench.data.checks import check_cases
from mrbench.data.description import Raters
from mrbench.errors import DataAbsentError, DataError, UnknownNameError
from mrbench.registry import discover
from mrbench_lidc.config import CollectionConfig, OutlineConfig
from mrbench_lidc.dataset import load, load_development


def write(folder: Path, readers: dict[str, list[int]]) -> None:
    """Writes an archive: by patient, how many readers outlined each of the slices."""
    rows = [(patient, n) for patient, slices in readers.items() for n in slices]
    masks = np.zeros((len(rows), 4, 71, 71), bool)
    for row, (_, n) in enumerate(rows):
        masks[row, :n, 30:36, 30:40] = True
    np.savez_compressed(
        folder / "lidc_nodules.npz",
        image=np.zeros((len(rows), 71, 71), np.uint8),
        masks=masks,
        attributes=np.ones((len(rows), 4, 9), np.int8),
        attribute_names=np.array([f"rating-{a}" for a in range(9)]),
        annotation_id=np.ones((len(rows), 4), np.int32),  # every reader outlined it, on this slice or on another
        patient_id=np.array([patient for patient, _ in rows]),
        scan_id=np.zeros(len(rows), np.int16),
        nodule_id=np.arange(len(rows), dtype=np.int16),
        z=np.zeros(len(rows)),
        pixel_spacing=np.full(len(rows), 0.7),
        slice_thickness=np.full(len(rows), 2.5),
        primary=np.ones(len(rows), bool),
    )


READERS = {"a": [4], "b": [4, 1], "c": [3, 2], "d": [1], "e": [2], "f": [3], "g": [1, 1]}


def test_a_patient_with_one_slice_of_four_masks_is_left_to_lidc_with_all_slices(tmp_path):
    write(tmp_path, READERS | {"h": [4]})
    assert sorted(set(load_development(OutlineConfig(), tmp_path).subjects)) == ["c", "d", "e", "f", "g"]
    assert sorted(set(load(CollectionConfig(folds=3), tmp_path).subjects)) == ["a", "b", "h"]


def test_a_reader_is_present_where_they_outlined_this_slice(tmp_path):
    write(tmp_path, READERS)
    cases = load_development(OutlineConfig(), tmp_path)
    assert cases.present.sum(axis=1).tolist() == [3, 2, 1, 2, 3, 1, 1]
    assert all(cases.pixels.masks(i)[cases.present[i]].any(axis=(1, 2)).all() for i in range(len(cases)))
    assert cases.description.raters is Raters.EXCHANGEABLE
    assert cases.description.name == "lidc-dev"


def test_a_slice_that_nobody_outlined_is_left_out(tmp_path):
    write(tmp_path, READERS | {"h": [0, 1]})
    assert load_development(OutlineConfig(), tmp_path).present.any(axis=1).all()


def test_they_are_split_once_by_patient(tmp_path):
    write(tmp_path, READERS)
    cases = load_development(OutlineConfig(), tmp_path)
    split = cases.split("strict")
    split.check(cases.subjects, owner="lidc-dev")
    (fold,) = split.folds
    assert sorted(np.concatenate(list(fold.parts().values()))) == list(range(len(cases)))
    assert all(len(part) for part in fold.parts().values())


def test_the_split_is_no_option():
    config = discover().get("dataset", "lidc-dev").load_config()
    with pytest.raises(UnknownNameError, match="split_seed"):
        config.parse({"split_seed": 1}, owner="lidc-dev")


def test_an_archive_of_none_but_complete_patients_is_refused(tmp_path):
    write(tmp_path, {"a": [4], "b": [4], "c": [4]})
    with pytest.raises(DataError, match="no patient for development"):
        load_development(OutlineConfig(), tmp_path)


def test_the_other_rule_of_exclusions_is_refused(tmp_path):
    write(tmp_path, READERS)
    with pytest.raises(DataError, match="was made with exclusions=inside"):
        load_development(OutlineConfig(exclusions="published"), tmp_path)


def test_absent_data_name_the_command_that_prepares_the_file_of_lidc(tmp_path):
    with pytest.raises(DataAbsentError, match="data set 'lidc-dev' is not there") as caught:
        load_development(OutlineConfig(), tmp_path)
    assert "mrbench data prepare lidc --source FOLDER" in caught.value.hint


# --- the real nodules


@pytest.fixture(scope="module")
def folder(shared_data):
    if not (shared_data / "lidc_nodules.npz").is_file():
        pytest.skip(f"no lidc_nodules.npz in {shared_data}; MRBENCH_TEST_DATA names its folder")
    return shared_data


@pytest.fixture(scope="module")
def real(folder):
    return load_development(OutlineConfig(), folder)


def test_they_are_558_slices_of_263_patients_of_which_320_have_two_readers_or_more(real):
    assert (len(real), len(set(real.subjects))) == (558, 263)
    assert (real.present.sum(axis=1) >= 2).sum() == 320


def test_no_real_patient_is_in_a_fold_of_lidc_and_both_are_all(real, folder):
    table = load(CollectionConfig(), folder)
    used = {table.subjects[i] for fold in table.split("strict").folds for part in fold.parts().values() for i in part}
    assert not used & set(real.subjects)
    assert len(used | set(real.subjects)) == 689


def test_the_real_fold_tests_a_third_of_the_patients(real):
    (fold,) = real.split("strict").folds
    patients = [len({real.subjects[i] for i in part}) for part in fold.parts().values()]
    assert (patients, len(fold.test)) == ([149, 26, 88], 194)


def test_real_nodules_pass_every_check_but_for_the_slot_that_is_seldom_used(real):
    assert [warning.partition(":")[0] for warning in check_cases(real)] == ["rater 'slot-4' is nearly always absent"]
