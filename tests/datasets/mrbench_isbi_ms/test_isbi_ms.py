from dataclasses import replace

import numpy as np
import pytest
from released_files import SPACING, VOLUME, save_volume, write_isbi

from mrbench.data.released.options import ReleasedConfig
from mrbench.errors import DataError
from mrbench_isbi_ms.release import ISBI_MS

SMALL = replace(ISBI_MS, files=replace(ISBI_MS.files, counts={"": 10}))


@pytest.fixture
def source(tmp_path):
    write_isbi(tmp_path / "training")
    return tmp_path / "training"


def prepare(source, folder):
    return SMALL.prepare(source, folder, ReleasedConfig())


def test_the_count_is_that_of_the_paper():
    assert ISBI_MS.files.counts == {"": 21}


def test_four_channels_in_the_order_that_is_declared(source, tmp_path):
    prepare(source, tmp_path)
    cases = SMALL.load(ReleasedConfig(), tmp_path)
    assert cases.description.channels == ("FLAIR", "T1", "PD", "T2")
    means = cases.pixels.image(0).reshape(4, -1).mean(axis=1)
    assert [round(mean // 1000) for mean in means] == [0, 1, 2, 3]
    assert cases.pixels.image(0).shape == (4, *VOLUME)


def test_a_patient_over_time_is_one_subject(source, tmp_path):
    prepare(source, tmp_path)
    cases = SMALL.load(ReleasedConfig(), tmp_path)
    assert cases.ids[:3] == ("training01-01", "training01-02", "training02-01")
    assert len(set(cases.subjects)) == 5
    assert all(len({cases.subjects[i] for i in fold.test}) == 1 for fold in cases.splits["strict"].folds)


def test_a_channel_that_is_not_there(source, tmp_path):
    (source / "training03" / "preprocessed" / "training03_02_pd_pp.nii").unlink()
    with pytest.raises(DataError, match=r"training03_02_flair_pp.nii lacks another channel") as caught:
        prepare(source, tmp_path)
    assert caught.value.expected == "training03/preprocessed/training03_02_pd_pp.nii"


def test_a_channel_of_another_size(source, tmp_path):
    path = source / "training03" / "preprocessed" / "training03_02_pd_pp.nii"
    save_volume(path, np.zeros((VOLUME[0] + 1, *VOLUME[1:])))
    with pytest.raises(DataError, match=r"another size than its image .*training03_02_pd_pp.nii"):
        prepare(source, tmp_path)


def test_a_channel_that_lies_elsewhere(source, tmp_path):
    path = source / "training03" / "preprocessed" / "training03_02_pd_pp.nii"
    save_volume(path, np.zeros(VOLUME), (SPACING[0] * 2, *SPACING[1:]))
    with pytest.raises(DataError, match=r"training03_02_pd_pp.nii has another spacing"):
        prepare(source, tmp_path)
