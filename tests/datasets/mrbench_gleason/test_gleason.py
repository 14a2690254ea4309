from dataclasses import replace

import numpy as np
import pytest
from released_files import box, picture, save, write_gleason

from mrbench_gleason.config import GleasonConfig
from mrbench_gleason.release import GLEASON

SMALL = replace(GLEASON, files=replace(GLEASON.files, counts={"": 12}))


@pytest.fixture
def source(tmp_path):
    write_gleason(tmp_path / "gleason")
    return tmp_path / "gleason"


def loaded(source, folder, release=SMALL):
    release.prepare(source, folder, GleasonConfig())
    return release.load(GleasonConfig(), folder)


def test_the_count_is_that_of_the_challenge():
    assert GLEASON.files.counts == {"": 244}


def test_grades_are_classes_and_benign_tissue_is_background(source, tmp_path):
    cases = loaded(source, tmp_path)
    np.testing.assert_array_equal(cases.pixels.masks(0)[1], box(0, 1, 3))
    assert cases.description.classes == ("benign or background", "grade 3", "grade 4", "grade 5")


def test_a_pathologist_without_a_map_is_absent_from_the_core(source, tmp_path):
    cases = loaded(source, tmp_path)
    assert cases.present[0].tolist() == [False, True, True, False, True, True]
    told = SMALL.prepare(source, tmp_path, GleasonConfig())
    assert told.endswith("; masks: " + ", ".join(f"pathologist-{n} 8" for n in range(1, 7)))


def test_cores_of_a_slide_stay_together(source, tmp_path):
    cases = loaded(source, tmp_path)
    assert (cases.ids[0], cases.subjects[0]) == ("slide001-core010", "slide001")
    assert len(set(cases.subjects)) == 6


def test_a_core_that_nobody_graded_is_left_out_and_told(source, tmp_path):
    save(source / "Train Imgs" / "slide001_core099.jpg", picture(1), quality=95)
    release = replace(GLEASON, files=replace(GLEASON.files, counts={"": 13}))
    told = release.prepare(source, tmp_path, GleasonConfig())
    assert told.splitlines()[1:] == ["left out: 1 images that nobody has a mask of"]
    assert len(release.load(GleasonConfig(), tmp_path)) == 12


def test_folders_and_maps_as_copies_name_them(source, tmp_path):
    before = loaded(source, tmp_path).compute_digest()
    (source / "Train Imgs").rename(source / "Train_imgs")
    (source / "Maps1_T").rename(source / "packed")
    (source / "packed").rename(source / "Maps1_T")
    for path in list((source / "Maps2_T").iterdir()):
        path.rename(path.with_name(path.name.replace("_classimg_nonconvex", "")))
    assert loaded(source, tmp_path).compute_digest() == before
