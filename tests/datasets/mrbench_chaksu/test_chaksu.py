from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from released_files import box, write_chaksu

from mrbench_chaksu.config import ChaksuConfig
from mrbench_chaksu.release import CHAKSU, subject_of

SMALL = replace(CHAKSU, files=replace(CHAKSU.files, counts={"Train": 5, "Test": 2}))


@pytest.fixture
def source(tmp_path):
    write_chaksu(tmp_path / "chaksu")
    return tmp_path / "chaksu"


def loaded(source, folder):
    SMALL.prepare(source, folder, ChaksuConfig())
    return SMALL.load(ChaksuConfig(), folder)


def test_the_counts_are_those_of_the_release():
    assert CHAKSU.files.counts == {"Train": 1009, "Test": 336}


def test_five_experts_and_three_classes(source, tmp_path):
    cases = loaded(source, tmp_path)
    assert cases.present.all()
    assert cases.description.n_raters == 5
    assert cases.description.classes == ("background", "disc rim", "cup")


def test_a_patient_whom_names_tell_is_one_subject_and_the_published_division_splits_him(source, tmp_path):
    cases = loaded(source, tmp_path)
    of = dict(zip(cases.ids, cases.subjects, strict=True))
    assert of["Train-Remidio-P7_2"] == of["Test-Remidio-P7_1"] == "Remidio-P7"
    assert of["Train-Remidio-IMG_1"] == "Train-Remidio-IMG_1"
    assert cases.splits["published"].leak_warnings(cases.subjects, owner="chaksu") == [
        "split 'published' of data set 'chaksu' leaks: fold 0 trains and tests on 1 subject: Remidio-P7"
    ]
    assert cases.splits["strict"].leak_warnings(cases.subjects, owner="chaksu") == []


def test_two_cameras_count_their_patients_apart():
    fields = {"part": "Train", "camera": "Bosch", "case": "P7"}
    assert subject_of(fields) != subject_of(fields | {"camera": "Forus"})


def test_an_expert_whose_masks_are_jpeg_is_read_by_the_nearest_grey(source, tmp_path):
    folder = source / "Train" / "4.0_OD_CO_Fusion_Images" / "Expert 1" / "Bosch"
    mask = np.kron(box(0, 0, 2), np.ones((8, 8), np.uint8))
    photograph = source / "Train" / "1.0_Original_Fundus_Images" / "Bosch" / "Image1.JPG"
    Image.fromarray(np.zeros((*mask.shape, 3), np.uint8)).save(photograph)
    levels = np.array([0, 127, 255], np.uint8)[mask]
    for path in source.rglob("*mage1.tif"):
        Image.fromarray(levels).save(path)
    (folder / "image1.tif").unlink()
    Image.fromarray(levels).save(folder / "image1.jpg", quality=95)
    cases = loaded(source, tmp_path)
    found = cases.pixels.masks(cases.ids.index("Train-Bosch-Image1"))
    np.testing.assert_array_equal(found[1], mask)
    assert (found[0] == mask).mean() > 0.99


def test_folders_named_in_another_way(source, tmp_path):
    before = loaded(source, tmp_path).compute_digest()
    for part in ("Train", "Test"):
        fused = source / part / "4.0_OD_CO_Fusion_Images"
        (fused / "Expert 2").rename(fused / "Expert_2")
        fused.rename(source / part / "4.0_OD_OC_Fusion_Images")
    assert loaded(source, tmp_path).compute_digest() == before
