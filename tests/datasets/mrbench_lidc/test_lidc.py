import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mrbench.data.checks import check_cases
from mrbench.data.container import open_container, write_container
from mrbench.data.description import Raters
from mrbench.errors import DataAbsentError, DataError, UsageError
from mrbench_lidc import dataset
from mrbench_lidc.config import CollectionConfig

NAMES = [
    "subtlety",
    "internalStructure",
    "calcification",
    "sphericity",
    "margin",
    "lobulation",
    "spiculation",
    "texture",
    "malignancy",
]


def archive(n=8, **changes):
    """Rows of one nodule each; reader r's square has side 4 + (r + 1) % 4, so slots rank 3, 0, 1, 2."""
    masks = np.zeros((n, 4, 71, 71), bool)
    for r in range(4):
        masks[:, r, 30 : 34 + (r + 1) % 4, 30 : 34 + (r + 1) % 4] = True
    fields = {
        "image": np.random.default_rng(0).integers(0, 256, (n, 71, 71)).astype(np.uint8),
        "masks": masks,
        "attributes": np.tile(np.arange(1, 5, dtype=np.int8)[:, None], (n, 1, 9)),
        "attribute_names": np.array(NAMES),
        "annotation_id": np.ones((n, 4), np.int32),
        "patient_id": np.array([f"LIDC-IDRI-{i:04}" for i in range(n)]),
        "scan_id": np.arange(n, dtype=np.int16),
        "nodule_id": np.ones(n, np.int16),
        "z": np.linspace(-100, 0, n),
        "pixel_spacing": np.full(n, 0.7),
        "slice_thickness": np.full(n, 2.5),
        "primary": np.ones(n, bool),
    }
    return fields | changes


def load(folder, fields=None, **options):
    np.savez_compressed(folder / "lidc_nodules.npz", **(fields or archive()))
    return dataset.load(CollectionConfig(**options), folder)


def test_the_plugin_is_light():
    code = "import sys, mrbench_lidc; mrbench_lidc.mrbench_datasets(); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_absent_data_say_where_to_get_them(tmp_path):
    with pytest.raises(DataAbsentError, match="data set 'lidc' is not there") as caught:
        dataset.load(CollectionConfig(), tmp_path)
    assert "10.7937/K9/TCIA.2015.LO9QL9SX" in caught.value.expected
    assert "MRBENCH_DATA=FOLDER mrbench data verify lidc" in caught.value.hint


def test_cases_are_centre_crops_in_bytes_over_255(tmp_path):
    fields = archive()
    cases = load(tmp_path, fields)
    np.testing.assert_array_equal(cases[3].image, fields["image"][3, None, 2:66, 2:66] / np.float32(255), strict=True)
    assert cases[3].masks.shape == (4, 64, 64)
    assert cases[3].spacing == (0.7, 0.7)
    assert cases.ids[3] == "LIDC-IDRI-0003-scan3-nodule1"
    assert cases[3].metadata == {
        "scan": 3,
        "nodule": 1,
        "z": pytest.approx(-57.1428571),
        "slice_thickness": 2.5,
        "clipped": 0,
    }


def test_raters_are_ranked_by_area_and_their_ratings_follow(tmp_path):
    cases = load(tmp_path)
    assert cases.description.raters is Raters.RANKED
    assert cases[0].masks.sum(axis=(1, 2)).tolist() == [16, 25, 36, 49]
    assert cases[0].attributes["margin"].tolist() == [4, 1, 2, 3]
    assert list(cases.attributes) == NAMES


def test_equal_areas_keep_the_stored_order(tmp_path):
    fields = archive()
    fields["masks"][:] = np.roll(fields["masks"][:, :1], 5, axis=2)
    assert load(tmp_path, fields)[0].attributes["margin"].tolist() == [1, 2, 3, 4]


def test_ranks_are_of_native_areas_not_of_the_crop(tmp_path):
    fields = archive()
    # The largest mask lies outside the crop but for one pixel.
    fields["masks"][0, 3] = False
    fields["masks"][0, 3, 66:, :] = True
    fields["masks"][0, 3, 65, 30] = True
    case = load(tmp_path, fields)[0]
    assert case.masks.sum(axis=(1, 2)).tolist() == [25, 36, 49, 1]
    assert case.metadata["clipped"] == 1


def test_a_mask_that_the_crop_empties_stays_present(tmp_path):
    fields = archive()
    fields["masks"][0, 3] = False
    fields["masks"][0, 3, 70, 70] = True
    cases = load(tmp_path, fields)
    assert len(cases) == 8
    assert cases[0].masks.any(axis=(1, 2)).tolist() == [False, True, True, True]
    assert cases[0].present.all()


def test_a_rating_of_zero_is_missing(tmp_path):
    fields = archive()
    fields["attributes"][2, 1, 4] = 0
    margin = load(tmp_path, fields)[2].attributes["margin"]
    np.testing.assert_array_equal(margin, [4, 1, np.nan, 3])


def test_rows_that_are_not_primary_are_left_out(tmp_path):
    fields = archive()
    fields["primary"][5] = False
    assert "LIDC-IDRI-0005" not in load(tmp_path, fields).subjects


def test_incomplete_rows_are_left_out_of_the_four_reader_subset(tmp_path):
    fields = archive()
    fields["masks"][1, 2] = False
    assert "LIDC-IDRI-0001" not in load(tmp_path, fields).subjects


@pytest.mark.parametrize(("unmarked", "present"), [("empty", [1, 1, 1, 1]), ("absent", [1, 1, 0, 1])])
def test_a_reader_who_outlined_nothing_is_empty_or_absent(tmp_path, unmarked, present):
    fields = archive()
    fields["masks"][1, 2], fields["annotation_id"][1, 2], fields["attributes"][1, 2] = False, 0, 0
    cases = load(tmp_path, fields, raters="exchangeable", subset="all", unmarked=unmarked)
    assert cases.description.name == "lidc-all"
    assert cases.description.raters is Raters.EXCHANGEABLE
    assert cases[1].present.tolist() == [bool(p) for p in present]
    assert not cases[1].masks[2].any()


def test_an_empty_mask_of_a_reader_who_outlined_another_slice_is_present(tmp_path):
    fields = archive()
    fields["masks"][1, 2] = False
    assert load(tmp_path, fields, raters="exchangeable", subset="all", unmarked="absent")[1].present.all()


def test_incomplete_cases_cannot_be_ranked():
    with pytest.raises(UsageError, match="only complete cases can be ranked"):
        CollectionConfig.parse({"subset": "all"}, owner="lidc")


def test_the_split_seed_moves_patients_and_folds_count(tmp_path):
    cases = load(tmp_path, folds=3)
    assert len(cases.splits["strict"].folds) == 3
    other = load(tmp_path, folds=3, split_seed=1)
    assert cases.digest == other.digest
    assert cases.splits["strict"].digest(cases.ids) != other.splits["strict"].digest(other.ids)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": np.zeros((8, 71, 71), "f4")}, "field 'image' .* wrong type"),
        ({"image": np.zeros((7, 71, 71), "u1")}, "field 'masks' .* wrong shape"),
        ({"masks": np.ones((8, 5, 71, 71), bool)}, "field 'masks' .* wrong shape"),
        ({"masks": np.zeros((8, 4, 71, 71), bool)}, "no nodule with four non-empty masks"),
        ({"primary": np.zeros(8, bool)}, "no row with primary set"),
        ({"attributes": np.full((8, 4, 9), -1, np.int8)}, "a rating below 0"),
        ({"pixel_spacing": np.zeros(8)}, "pixel_spacing that is not above 0 mm"),
        ({"z": np.full(8, np.nan)}, "not finite"),
        ({"annotation_id": np.zeros((8, 4), np.int32)}, "slot of a reader who outlined nothing"),
        ({"patient_id": np.array([""] * 8)}, "an empty patient_id"),
        ({"patient_id": np.array([{}] * 8, object)}, "field 'patient_id' .* wrong type"),
    ],
)
def test_wrong_archives_are_refused(tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        load(tmp_path, archive(**changes))


def test_an_archive_without_a_field_is_refused(tmp_path):
    fields = archive()
    del fields["primary"]
    with pytest.raises(DataError, match=r"lidc_nodules.npz lacks fields\n.*primary"):
        load(tmp_path, fields)


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "lidc_nodules.npz").write_text("no archive")
    with pytest.raises(DataError, match="is not a whole NumPy archive"):
        dataset.load(CollectionConfig(), tmp_path)


# --- the real nodules


@pytest.fixture(scope="module")
def real_folder():
    root = Path(__file__).parents[3]
    folder = Path(os.environ.get("MRBENCH_TEST_DATA") or root.parent / "shared" / "data")
    if not (folder / "lidc_nodules.npz").is_file():
        pytest.skip(f"no lidc_nodules.npz in {folder}; MRBENCH_TEST_DATA names its folder")
    return folder


@pytest.fixture(scope="module")
def real(real_folder):
    return dataset.load(CollectionConfig(), real_folder)


def test_real_nodules_of_four_readers_are_694_of_426_patients(real):
    assert (len(real), len(set(real.subjects))) == (694, 426)
    assert real.present.all()
    assert sum(metadata["clipped"] for metadata in real.metadata) == 0


def test_real_nodules_pass_every_check_without_a_warning(real):
    assert check_cases(real) == []


def test_real_nodules_are_ranked(real):
    areas = np.array([real.pixels.masks(i).sum(axis=(1, 2)) for i in range(len(real))])
    assert (areas > 0).all()
    assert (np.diff(areas.astype(int), axis=1) >= 0).all()


def test_real_folds_test_every_nodule_once_and_hold_alike_sizes(real):
    folds = real.splits["strict"].folds
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(694))
    assert [len({real.subjects[i] for i in fold.test}) for fold in folds] == [107, 107, 106, 106]


def test_all_real_nodules_are_2058_of_689_patients(real_folder):
    config = CollectionConfig(raters="exchangeable", subset="all", unmarked="absent")
    cases = dataset.load(config, real_folder)
    assert (len(cases), len(set(cases.subjects))) == (2058, 689)
    assert cases.present.sum(axis=1).min() == 1
    assert sum(metadata["clipped"] for metadata in cases.metadata) == 2


def test_real_nodules_come_back_from_a_container(real, tmp_path):
    digest = write_container(tmp_path / "lidc.h5", real)
    assert digest == real.digest == open_container(tmp_path / "lidc.h5", "memory").compute_digest()
