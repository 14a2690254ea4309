from dataclasses import replace

import numpy as np
import pytest
from released_files import box, write_ima

from mrbench.errors import DataError
from mrbench_ima.config import ImaConfig
from mrbench_ima.releases import IMA, IMA_ALL

SMALL = replace(IMA, files=replace(IMA.files, count=7))


@pytest.fixture
def source(tmp_path):
    write_ima(tmp_path / "ima")
    return tmp_path / "ima"


def list_of(source):
    return source / IMA.files.table


def prepare(source, folder, **options):
    return SMALL.prepare(source, folder, ImaConfig(**options))


def test_the_counts_are_those_of_the_lists():
    assert (IMA.files.count, IMA_ALL.files.count) == (2394, 14967)


def test_sixteen_annotators_of_whom_most_are_absent(source, tmp_path):
    prepare(source, tmp_path)
    cases = SMALL.load(ImaConfig(), tmp_path)
    assert cases.description.rater_names == tuple(f"A{n:02}" for n in range(16))
    assert np.flatnonzero(cases.present[0]).tolist() == [4, 6]
    assert cases.description.training_size == (32, 24)  # images are of several sizes


def test_the_last_mask_of_an_annotator_counts_and_a_consensus_is_no_person(source, tmp_path):
    told = prepare(source, tmp_path)
    assert told.splitlines()[1:] == ["left out: 1 masks of annotators who drew another one later"]
    cases = SMALL.load(ImaConfig(), tmp_path)
    np.testing.assert_array_equal(cases.pixels.masks(0)[4], box(0, 0))
    assert cases.present.sum() == 14


def test_images_of_one_patient_are_one_subject(source, tmp_path):
    prepare(source, tmp_path)
    subjects = SMALL.load(ImaConfig(), tmp_path).subjects
    assert subjects[5:] == ("IP_1", "IP_1")
    assert subjects[4] == "ISIC_0000004"


def test_where_nobody_tells_the_patient_a_lesion_is_the_subject(source, tmp_path):
    path = source / "IMAplusplus_img_metadata.csv"
    path.write_text("isic_id,lesion_id,patient_id\nISIC_0000000,IL_1,\nISIC_0000001,IL_1,\nISIC_0000002,IL_1,IP_9\n")
    prepare(source, tmp_path)
    assert SMALL.load(ImaConfig(), tmp_path).subjects[:4] == ("IL_1", "IL_1", "IP_9", "ISIC_0000003")


def test_the_list_of_images_is_needed_unless_a_part_will_do(source, tmp_path):
    (source / "IMAplusplus_img_metadata.csv").unlink()
    with pytest.raises(DataError, match="lacks a list of IMA") as caught:
        prepare(source, tmp_path)
    assert caught.value.expected == "IMAplusplus_img_metadata.csv"
    prepare(source, tmp_path, partial=True)
    assert SMALL.load(ImaConfig(partial=True), tmp_path).subjects[5:] == ("ISIC_0000005", "ISIC_0000006")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("annotator", "who", "has other columns\n.*\n.*no annotator"),
        (",A04,", ",A16,", "line 2: no such annotator\n.*A00 to A15, or ST or MV\n.*'A16'"),
        (",A04,", ",,", "line 2: a field is not there"),
        ("ISIC_0000001.JPG", "ISIC_1.JPG", "lacks a file of ISIC_0000001\n.*ISIC_1.JPG"),
        ("ISIC_0000000,", '"ISIC_0000000,', "is not a CSV file"),
    ],
)
def test_a_list_that_holds_something_else(source, tmp_path, old, new, message):
    text = list_of(source).read_text()
    count = -1 if old.endswith("JPG") else 1
    list_of(source).write_text(text.replace(old, new, count))
    with pytest.raises(DataError, match=message):
        prepare(source, tmp_path)


def test_a_list_of_images_with_other_columns(source, tmp_path):
    (source / "IMAplusplus_img_metadata.csv").write_text("isic_id,patient\nISIC_0000000,IP_1\n")
    with pytest.raises(DataError, match=r"img_metadata.csv has other columns\n.*\n.*no patient_id, lesion_id"):
        prepare(source, tmp_path)


def test_a_list_that_is_no_text_or_is_empty(source, tmp_path):
    list_of(source).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not a CSV file"):
        prepare(source, tmp_path)
    list_of(source).write_text("")
    with pytest.raises(DataError, match=r"not complete\n.*7 images\n.*0"):
        prepare(source, tmp_path)


def test_a_path_in_the_list_leads_nowhere(source, tmp_path):
    text = list_of(source).read_text()
    list_of(source).write_text(text.replace("ISIC_0000001.JPG", "../../ISIC_0000001.JPG"))
    with pytest.raises(DataError, match="lacks a file of ISIC_0000001"):
        prepare(source, tmp_path)
