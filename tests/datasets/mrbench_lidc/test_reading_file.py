import pytest
from lidc_files import reading_xml, ring, roi

from mrbench.errors import DataError
from mrbench_lidc.reading_file import read_reading_file

NODULE = [roi(ring(4, 4, 6, 6), -1.5, "1.9"), roi(ring(5, 5, 5, 5), -1.5, "1.9", "FALSE")]


def read(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    return read_reading_file(tmp_path / "a.xml")


@pytest.mark.parametrize("namespace", ["http://www.nih.gov", "http://www.nih.gov/idri", ""])
def test_outlines_whatever_the_namespace(tmp_path, namespace):
    reading = read(tmp_path, reading_xml([[NODULE], [], [NODULE, NODULE]], namespace=namespace))
    assert (reading.series, len(reading.annotations)) == ("1.2.3", 3)
    first, hole = reading.annotations[0].outlines
    assert first.points.tolist() == [[3, 3], [7, 3], [7, 7], [3, 7]]
    assert (first.z, first.uid, first.included, hole.included) == (-1.5, "1.9", True, False)
    assert reading.annotations[0].ratings == (3, 3, 3, 3, 3, 1, 2, 5, 4)


def test_nodules_of_one_point_are_below_three_millimetres(tmp_path):
    assert read(tmp_path, reading_xml([[[roi([(5, 5)], 0)], NODULE]])).annotations[0].ratings[0] == 3
    assert read(tmp_path, reading_xml([[[roi([(5, 5)], 0)]]])).annotations == ()


def test_ratings_that_are_missing_are_zero(tmp_path):
    text = reading_xml([[NODULE]]).replace("<margin>3</margin>", "").replace("<texture>5", "<texture>")
    assert read(tmp_path, text).annotations[0].ratings == (3, 3, 3, 3, 0, 1, 2, 0, 4)


def test_readings_of_radiographs_are_none_of_ours(tmp_path):
    assert read(tmp_path, reading_xml([[NODULE]], root="IdriReadMessage")) is None


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (reading_xml([[NODULE]], head=BOMB), "it has a document type"),
        (reading_xml([[NODULE]], head='<!DOCTYPE a SYSTEM "file:///etc/passwd">'), "it has a document type"),
        (reading_xml([[NODULE]])[:-20], "unclosed token"),
        ("<a>" * 40 + "</a>" * 40, "nested deeper than 32"),
        ("no XML", "syntax error"),
        (reading_xml([[NODULE]], series=""), "no SeriesInstanceUid"),
        (reading_xml([[[roi(ring(4, 4, 6, 6), "x")]]]), "could not convert"),
        (reading_xml([[[roi(ring(4, 4, 6, 6), "inf")]]]), "z = inf"),
        (reading_xml([[[roi([], 0)] * 2]]), "an outline of 0 points"),
        (reading_xml([[[roi([("a", 3)], 0)]]]), "invalid literal"),
        (reading_xml([[[roi([(-3, 3), (4, 4)], 0)]]]), "a point outside"),
        (reading_xml([[[roi([(10**30, 3), (4, 4)], 0)]]]), "too large"),
        (reading_xml([[[roi(ring(4, 4, 6, 6), 0, "", "MAYBE")]]]), "inclusion is 'MAYBE'"),
        (reading_xml([[NODULE]]).replace("UTF-8", "klingon"), "encoding"),
    ],
)
def test_files_that_are_no_readings_are_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=f"a.xml is no reading of LIDC-IDRI\n.*\n.*{message}"):
        read(tmp_path, text)


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mrbench_lidc.reading_file.MAX_BYTES", 1000)
    with pytest.raises(DataError, match="more than 1000 bytes"):
        read(tmp_path, reading_xml([[NODULE]]))
