import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mrbench.data.checks import check_cases
from mrbench.data.container import open_container, write_container
from mrbench.data.description import Raters
from mrbench.errors import DataAbsentError, DataError
from mrbench_bubil.config import BubilConfig
from mrbench_bubil.dataset import load_fluo, load_mri, load_phase

COLLECTIONS = {"phase": load_phase, "fluo": load_fluo, "mri": load_mri}


def archive(n=7, count=3, side=64, **changes):
    """Images of one square each; rater r's has side 8 + r, image i's begins at row i."""
    masks = np.zeros((n, count, side, side), bool)
    for i in range(n):
        for r in range(count):
            masks[i, r, i : i + 8 + r, : 8 + r] = True
    fields = {
        "image": np.random.default_rng(0).integers(0, 256, (n, side, side)).astype(np.uint8),
        "masks": masks,
        "raters": np.array([f"Expert{r + 1}" for r in range(count)]),
        "subset": np.array(["ds4"] * n),
        "name": np.array([f"{i:03}" for i in range(n)]),
        "native_px_per_px": np.full(n, 1.5, np.float32),
        "reference": masks[:, 0],
    }
    return fields | changes


def load(folder, fields=None, **options):
    np.savez_compressed(folder / "bubil_fluo.npz", **(fields or archive()))
    return load_fluo(BubilConfig(**options), folder)


def test_the_plugin_is_light():
    code = "import sys, mrbench_bubil; mrbench_bubil.mrbench_datasets(); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_absent_data_say_where_to_get_them(tmp_path):
    with pytest.raises(DataAbsentError, match="data set 'bubil-mri' is not there") as caught:
        load_mri(BubilConfig(), tmp_path)
    assert "Boston University Biomedical Image Library" in caught.value.expected
    assert "MRBENCH_DATA=FOLDER mrbench data verify bubil-mri" in caught.value.hint


def test_every_image_is_a_case_and_its_own_subject(tmp_path):
    fields = archive()
    cases = load(tmp_path, fields)
    np.testing.assert_array_equal(cases[3].image, fields["image"][3, None] / np.float32(255), strict=True)
    np.testing.assert_array_equal(cases[3].masks, fields["masks"][3].astype(np.uint8), strict=True)
    assert cases.ids[3] == cases.subjects[3] == "ds4-003"
    assert cases[3].metadata == {"subset": "ds4", "native_px_per_px": 1.5}
    assert cases.present.all()
    assert "every image is its own subject" in cases.description.origin


def test_raters_are_people(tmp_path):
    description = load(tmp_path).description
    assert description.raters is Raters.IDENTIFIED
    assert description.rater_names == ("Expert1", "Expert2", "Expert3")
    assert description.licence == "BSD-4-Clause (Boston University)"


def test_folds_count_and_their_seed_moves_images(tmp_path):
    cases, other = load(tmp_path), load(tmp_path, split_seed=1, folds=3)
    assert [len(split.splits["strict"].folds) for split in (cases, other)] == [5, 3]
    assert cases.digest == other.digest
    tested = np.concatenate([fold.test for fold in cases.splits["strict"].folds])
    assert sorted(tested.tolist()) == list(range(7))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": np.zeros((7, 64, 64), "f4")}, "field 'image' .* wrong type"),
        ({"image": np.zeros((7, 32, 32), "u1")}, "field 'image' .* wrong shape"),
        ({"masks": np.ones((7, 4, 64, 64), bool)}, "field 'masks' .* wrong shape"),
        ({"masks": np.zeros((7, 3, 64, 64), bool)}, "an image that nobody marked"),
        ({"raters": np.array(["a", "a", "b"])}, "repeated or empty names of raters"),
        ({"name": np.array(["x"] * 7)}, "two images of one name in one subset"),
        ({"subset": np.array([""] * 7)}, "an image without a name or subset"),
        ({"native_px_per_px": np.zeros(7)}, "native_px_per_px that is not above 0"),
        ({"native_px_per_px": np.full(7, np.nan)}, "native_px_per_px that is not above 0"),
        ({"name": np.array([{}] * 7, object)}, "field 'name' .* wrong type"),
    ],
)
def test_wrong_archives_are_refused(tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        load(tmp_path, archive(**changes))


def test_an_archive_of_no_image_is_refused(tmp_path):
    with pytest.raises(DataError, match="no image"):
        load(tmp_path, {name: values[:0] if name != "raters" else values for name, values in archive().items()})


def test_verify_notices_duplicate_columns_and_names_them(tmp_path, mrbench):
    fields = archive()
    fields["masks"][:4, 2] = fields["masks"][:4, 1]
    np.savez_compressed(tmp_path / "bubil_fluo.npz", **fields)
    result = mrbench("data", "verify", "bubil-fluo", "--data", tmp_path)
    expected = "warning: raters 'Expert2' and 'Expert3' have the same mask in 4 of the 7 cases that both marked"
    assert result.exit_code == 0
    assert expected in result.output


# --- the real images


@pytest.fixture(scope="module")
def real_folder():
    root = Path(__file__).parents[3]
    folder = Path(os.environ.get("MRBENCH_TEST_DATA") or root.parent / "shared" / "data")
    if not all((folder / f"bubil_{name}.npz").is_file() for name in COLLECTIONS):
        pytest.skip(f"no bubil_*.npz in {folder}; MRBENCH_TEST_DATA names their folder")
    return folder


@pytest.mark.parametrize(("name", "images", "raters"), [("phase", 116, 10), ("fluo", 119, 3), ("mri", 35, 10)])
def test_real_collections_have_their_images_and_raters(real_folder, name, images, raters):
    cases = COLLECTIONS[name](BubilConfig(), real_folder)
    assert (len(cases), len(set(cases.subjects)), cases.description.n_raters) == (images, images, raters)


def test_the_duplicate_columns_of_the_first_set_are_noticed(real_folder):
    (warning,) = check_cases(load_phase(BubilConfig(), real_folder))
    assert warning == (
        "raters 'Person2_Amira' and 'Person2_ImageJ' have the same mask in 35 of the 116 cases that both marked: "
        "first in case 'ds1-b01'"
    )


@pytest.mark.parametrize("name", ["fluo", "mri"])
def test_the_other_collections_pass_every_check_without_a_warning(real_folder, name):
    assert check_cases(COLLECTIONS[name](BubilConfig(), real_folder)) == []


def test_real_images_come_back_from_a_container(real_folder, tmp_path):
    cases = load_mri(BubilConfig(), real_folder)
    digest = write_container(tmp_path / "mri.h5", cases)
    assert digest == cases.digest == open_container(tmp_path / "mri.h5", "memory").compute_digest()
