from dataclasses import replace

import nibabel
import numpy as np
import pytest
from released_files import SPACING, VOLUME, box, save_volume, write_curvas

from mrbench.data.released.options import ReleasedConfig
from mrbench.errors import DataError
from mrbench_curvas.release import CURVAS

SMALL = replace(CURVAS, files=replace(CURVAS.files, counts={"training_set": 3, "validation_set": 1, "testing_set": 2}))


@pytest.fixture
def source(tmp_path):
    write_curvas(tmp_path / "curvas")
    return tmp_path / "curvas"


def loaded(source, folder):
    SMALL.prepare(source, folder, ReleasedConfig())
    return SMALL.load(ReleasedConfig(), folder)


def test_the_counts_are_those_of_the_challenge():
    assert CURVAS.files.counts == {"training_set": 20, "validation_set": 5, "testing_set": 65}


def test_volumes_of_three_organs_with_spacing(source, tmp_path):
    cases = loaded(source, tmp_path)
    assert (cases[0].image.shape, cases[0].masks.shape) == ((1, *VOLUME), (3, *VOLUME))
    assert cases.description.classes == ("background", "pancreas", "kidney", "liver")
    assert cases.is_volume
    np.testing.assert_allclose(cases.spacings[0], SPACING, rtol=1e-6)


def test_the_challenge_divides_the_cases(source, tmp_path):
    cases = loaded(source, tmp_path)
    (fold,) = cases.splits["20-5-65"].folds
    named = {part: [cases.ids[i].partition("-")[0] for i in several] for part, several in fold.parts().items()}
    assert named == {"train": ["training_set"] * 3, "validation": ["validation_set"], "test": ["testing_set"] * 2}


def test_the_one_header_that_is_known_to_be_wrong_is_passed_over_and_told(source, tmp_path):
    told = SMALL.prepare(source, tmp_path, ReleasedConfig())
    assert told.splitlines()[1:] == [
        "taken as it lies, since its header is known to be wrong: UKCHLL007/annotation_2.nii.gz"
    ]
    cases = SMALL.load(ReleasedConfig(), tmp_path)
    index = cases.ids.index("testing_set-UKCHLL007")
    np.testing.assert_array_equal(cases.pixels.masks(index)[1], box(7, 1, 3, VOLUME))


def test_another_header_that_is_wrong_is_refused(source, tmp_path):
    path = source / "training_set" / "UKCHLL001" / "annotation_2.nii.gz"
    save_volume(path, box(1, 1, 3, VOLUME), (1.4, *SPACING[1:]))
    with pytest.raises(DataError, match=r"UKCHLL001/annotation_2.nii.gz has another spacing"):
        SMALL.prepare(source, tmp_path, ReleasedConfig())


def test_a_mask_that_is_stored_mirrored_is_the_same_mask(source, tmp_path):
    before = loaded(source, tmp_path).compute_digest()
    path = source / "training_set" / "UKCHLL001" / "annotation_2.nii.gz"
    image = nibabel.load(path)
    mirror = np.diag([-1, 1, 1, 1.0])
    mirror[0, 3] = VOLUME[2] - 1
    other = nibabel.Nifti1Image(np.asarray(image.dataobj).astype(np.int16)[::-1], image.affine @ mirror)
    other.header.set_xyzt_units("mm")
    nibabel.save(other, path)
    assert loaded(source, tmp_path).compute_digest() == before


def test_a_slice_is_no_volume(source, tmp_path):
    folder = source / "training_set" / "UKCHLL001"
    for name in ("image", "annotation_1", "annotation_2", "annotation_3"):
        save_volume(folder / f"{name}.nii.gz", np.zeros((1, *VOLUME[1:])))
    with pytest.raises(DataError, match=r"UKCHLL001/image.nii.gz is no volume\n.*3 axes"):
        SMALL.prepare(source, tmp_path, ReleasedConfig())
