import gzip
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from released_files import write_chase, write_drive, write_stare

from mrbench.errors import DataError
from mrbench_vessels.config import DriveConfig, TwoObserversConfig
from mrbench_vessels.releases import CHASE, DRIVE, STARE


def counted(release, **counts):
    return replace(release, files=replace(release.files, counts=counts or {"": 0}))


def loaded(release, source, folder, config):
    release.prepare(source, folder, config)
    return release.load(config, folder)


def test_the_counts_are_those_of_the_releases():
    assert DRIVE.files.counts == {"training": 20, "test": 20}
    assert (CHASE.files.counts, STARE.files.counts) == ({"": 28}, {"": 20})


def test_drive_has_a_second_set_of_masks_in_its_test_part_alone(tmp_path):
    write_drive(tmp_path / "drive")
    release, config = counted(DRIVE, training=3, test=3), DriveConfig()
    told = release.prepare(tmp_path / "drive", tmp_path, config)
    assert told.endswith("6 cases of 6 subjects; masks: manual1 6, manual2 3")
    cases = release.load(config, tmp_path)
    assert cases.description.raters == "exchangeable"
    assert [name for name, present in zip(cases.ids, cases.present, strict=True) if present.all()] == [
        "test-01",
        "test-02",
        "test-03",
    ]
    (fold,) = cases.splits["training-test"].folds
    assert [cases.ids[i] for i in fold.test] == ["test-01", "test-02", "test-03"]


def test_the_later_download_of_drive_has_no_test_masks_and_is_read_in_part(tmp_path):
    source = tmp_path / "drive"
    write_drive(source)
    for name in ("1st_manual", "2nd_manual"):
        shutil.rmtree(source / "test" / name)
    with pytest.raises(DataError, match="lacks the mask of manual1"):
        counted(DRIVE, training=3, test=3).prepare(source, tmp_path, DriveConfig())
    config = DriveConfig(partial=True, folds=3)
    told = DRIVE.prepare(source, tmp_path, config)
    assert told.splitlines()[1] == "left out: 3 images that nobody has a mask of"
    cases = DRIVE.load(config, tmp_path)
    assert cases.ids == ("training-21", "training-22", "training-23")
    assert set(cases.splits) == {"strict"}  # nothing is left to test on as published


def test_both_eyes_of_a_child_are_one_subject(tmp_path):
    write_chase(tmp_path / "chase")
    cases = loaded(counted(CHASE, **{"": 12}), tmp_path / "chase", tmp_path, TwoObserversConfig())
    assert cases.ids[:3] == ("01L", "01R", "02L")
    assert cases.subjects[:3] == ("01", "01", "02")
    (fold,) = cases.splits["20-8"].folds
    assert {cases.subjects[i] for i in fold.test} == {"11", "12"}
    assert not fold.leaks(cases.subjects)


def test_photographs_keep_their_values_and_size(tmp_path):
    write_chase(tmp_path / "chase")
    cases = loaded(counted(CHASE, **{"": 12}), tmp_path / "chase", tmp_path, TwoObserversConfig())
    stored = np.asarray(Image.open(tmp_path / "chase" / "Image_01L.jpg"))
    np.testing.assert_array_equal(cases.pixels.image(0), stored.transpose(2, 0, 1))
    assert cases.description.native_grid
    assert cases.description.training_size is None


def test_larger_photographs_are_reduced_by_area_and_their_masks_by_nearest_neighbour(tmp_path):
    write_chase(tmp_path / "chase")
    config = TwoObserversConfig(longest=12)
    cases = loaded(counted(CHASE, **{"": 12}), tmp_path / "chase", tmp_path, config)
    stored = np.asarray(Image.open(tmp_path / "chase" / "Image_01L.jpg")).astype(float)
    area = stored.reshape(10, 2, 12, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(cases.pixels.image(0) - area).max() <= 1
    mask = np.asarray(Image.open(tmp_path / "chase" / "Image_01L_1stHO.png"))
    np.testing.assert_array_equal(cases.pixels.masks(0)[0], mask[1::2, 1::2])
    assert not cases.description.native_grid
    with pytest.raises(DataError, match="holds another data set") as caught:
        CHASE.load(TwoObserversConfig(longest=10), tmp_path)
    assert "--set longest=10" in caught.value.hint


def test_a_photograph_without_colours_is_refused(tmp_path):
    write_chase(tmp_path / "chase")
    path = tmp_path / "chase" / "Image_02R.jpg"
    Image.open(path).convert("L").save(path)
    with pytest.raises(DataError, match=r"Image_02R.jpg has other channels\n.*3\n.*1"):
        loaded(counted(CHASE, **{"": 12}), tmp_path / "chase", tmp_path, TwoObserversConfig())


def test_a_photograph_that_a_viewer_turns_is_refused(tmp_path):
    write_chase(tmp_path / "chase")
    path, turned = tmp_path / "chase" / "Image_02R.jpg", Image.Exif()
    turned[0x0112] = 6
    Image.open(path).save(path, exif=turned)
    with pytest.raises(DataError, match=r"Image_02R.jpg is stored turned"):
        loaded(counted(CHASE, **{"": 12}), tmp_path / "chase", tmp_path, TwoObserversConfig())


def test_stare_is_the_same_packed_and_unpacked(tmp_path):
    source, release = tmp_path / "stare", counted(STARE, **{"": 6})
    write_stare(source)
    before = loaded(release, source, tmp_path, TwoObserversConfig()).compute_digest()
    for path in list(source.rglob("*.gz")):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    cases = loaded(release, source, tmp_path, TwoObserversConfig())
    assert cases.compute_digest() == before
    (fold,) = cases.splits["10-10"].folds
    assert [cases.ids[i] for i in fold.test] == ["im0162", "im0163"]
