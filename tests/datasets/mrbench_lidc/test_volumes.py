"""Nodules as volumes, from small DICOM files whose voxels are known."""

import numpy as np
import pytest
from lidc_files import reading_xml, ring, roi, write_series, write_slice

from mrbench.data.container import open_container
from mrbench.data.geometry import AFFINE
from mrbench.errors import DataAbsentError, DataError
from mrbench_lidc import volumes
from mrbench_lidc.config import CollectionConfig
from mrbench_lidc.dicom import as_bytes
from mrbench_lidc.prepare import prepare_volumes


def prepared(source, tmp_path, **options):
    """The cases as stored, and what the user is told."""
    out = tmp_path / "data" / "lidc-volumes.h5"
    told = prepare_volumes(source, out, CollectionConfig(**options))
    return open_container(out), told.splitlines()


def test_voxels_lie_where_the_files_say_axes_closest_to_ras(collection, units, tmp_path):
    cases, told = prepared(collection, tmp_path)
    assert told == [f"wrote {tmp_path / 'data' / 'lidc-volumes.h5'}: 2 nodules of 1 patients"]
    # Marked are slices 1 and 2 of five; rows 30..36 and columns 40..46 lie in a crop of rows 1..64, columns 11..74.
    image, masks = cases.pixels.image(0), cases.pixels.masks(0)
    rows, columns = slice(1, 65), slice(11, 75)
    expected = as_bytes(units[0:5].astype(float))[:, rows, columns]
    # DICOM runs to the left and back, RAS to the right and front.
    np.testing.assert_array_equal(image[0], expected[:, ::-1, ::-1])
    drawn = np.zeros((5, 80, 90), np.uint8)
    drawn[2, 30:37, 40:47], drawn[1, 30:33, 40:43] = 1, 1
    np.testing.assert_array_equal(masks[3], drawn[:, rows, columns][:, ::-1, ::-1])
    np.testing.assert_allclose(cases.spacings[0], (2.5, 0.7, 0.7))
    # The voxel (0, 0, 0) is the last column and row of the crop, on the lowest slice.
    place = np.array(cases.metadata[0][AFFINE]) @ [0, 0, 0, 1]
    np.testing.assert_allclose(place[:3], [100 - 74 * 0.7, 100 - 64 * 0.7, -10.0])


def test_all_readers_were_there_and_slots_without_outlines_are_empty(collection, tmp_path):
    cases, _ = prepared(collection, tmp_path)
    assert cases.present.all()
    assert cases.pixels.masks(1)[2:].sum() == 0
    assert cases.attributes["malignancy"][1].tolist()[:2] == [4, 4]


def test_a_margin_ends_with_the_scan_and_a_large_nodule_has_a_larger_crop(tmp_path, units):
    wide = np.zeros((5, 100, 120), np.int16)
    write_series(tmp_path / "a", wide)
    large = [[[roi(ring(10, 12, 89, 81), 0.0)]]]
    (tmp_path / "a" / "a.xml").write_text(reading_xml(large))
    cases, _ = prepared(tmp_path / "a", tmp_path)
    assert cases.pixels.masks(0).shape == (4, 3, 80, 80)
    assert cases.pixels.masks(0)[0].sum() == 80 * 70


def flipped(folder, units):
    """The same scan stored with rows and columns that run the other way."""
    for k, plane in enumerate(units):
        place = [-100 + 89 * 0.7, -100 + 79 * 0.7, -10 + 2.5 * k]
        turned = {"ImagePositionPatient": place, "ImageOrientationPatient": [-1, 0, 0, 0, -1, 0]}
        write_slice(folder / f"{k}.dcm", uid=f"1.2.3.{k}", units=plane[::-1, ::-1], **turned)
    points = [(89 - x, 79 - y) for x, y in ring(40, 30, 43, 33)]
    (folder / "a.xml").write_text(reading_xml([[[roi(points, -5.0)]]] * 4))


def test_a_scan_stored_with_other_directions_gives_the_same_content(tmp_path, units):
    write_series(tmp_path / "plain", units)
    (tmp_path / "plain" / "a.xml").write_text(reading_xml([[[roi(ring(40, 30, 43, 33), -5.0)]]] * 4))
    flipped(tmp_path / "flipped", units)
    one, other = (prepared(tmp_path / name, tmp_path)[0] for name in ("plain", "flipped"))
    np.testing.assert_array_equal(one.pixels.image(0), other.pixels.image(0))
    np.testing.assert_array_equal(one.pixels.masks(0), other.pixels.masks(0))
    np.testing.assert_allclose(one.metadata[0][AFFINE], other.metadata[0][AFFINE])


@pytest.mark.parametrize(
    ("place", "changes", "word"),
    [
        (2, {"z": -4.0}, "slices are no grid"),
        (2, {"ImagePositionPatient": [-99, -100, -5.0]}, "slices are no grid"),
        (2, {"ImageOrientationPatient": [0, 1, 0, -1, 0, 0]}, "slices are no grid"),
        (3, {"PixelSpacing": [0.8, 0.8]}, "slices are no grid"),
        (None, {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "slices are not axial"),
    ],
)
def test_a_nodule_on_slices_that_are_no_grid_is_left_out_and_named(collection, units, tmp_path, place, changes, word):
    for k, plane in enumerate(units):
        if place in (None, k):
            values = {"z": -10 + 2.5 * k} | changes
            path = collection / "LIDC-IDRI-0001" / "1.2.3" / f"1-{5 - k:03}.dcm"
            write_slice(path, uid=f"1.2.3.{k}", units=plane, **values)
    write_series(collection, units, series="1.2.9", patient="LIDC-IDRI-0009")
    (collection / "b.xml").write_text(reading_xml([[[roi(ring(40, 30, 43, 33), -5.0)]]], series="1.2.9"))
    cases, told = prepared(collection, tmp_path)
    assert "LIDC-IDRI-0009" in cases.subjects
    assert any(line.startswith("left out: nodule 1 of scan 1 of LIDC-IDRI-0001:") and word in line for line in told)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "ImagePositionPatient": None}, "a localizer"),
        ({"Modality": "SR", "PixelData": None, "PixelSpacing": None}, "no CT image, modality SR"),
        ({"Modality": "PR", "PixelData": None, "PixelSpacing": None, "PatientID": None}, "no CT image, modality PR"),
        ({"Modality": None, "PixelData": None}, "no CT image, modality unknown"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "ImagePositionPatient": None},
         "no CT image, Secondary Capture Image Storage"),
        ({"Modality": "SEG", "PixelSpacing": None}, "no CT image, modality SEG"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_slice_stops_nothing_and_is_named(collection, tmp_path, changes, why):
    write_slice(collection / "odd.dcm", uid="9.9.9", **changes)
    cases, told = prepared(collection, tmp_path)
    assert len(cases) == 2
    assert f"left out: odd.dcm: {why}" in told


HOLED = [roi(ring(40, 30, 49, 39), -5.0), roi(ring(43, 33, 45, 35), -5.0, inclusion="FALSE")]


def test_outlines_that_exclude_follow_the_rule_that_is_chosen(tmp_path, units):
    write_series(tmp_path / "a", units)
    (tmp_path / "a" / "a.xml").write_text(reading_xml([[HOLED]] * 4))
    inside, _ = prepared(tmp_path / "a", tmp_path)
    assert inside.pixels.masks(0)[0].sum() == 10 * 10 - 3 * 3
    published, _ = prepared(tmp_path / "a", tmp_path, exclusions="published")
    # Of the line around the hole the file states the four corners.
    assert published.pixels.masks(0)[0].sum() == 10 * 10 - 3 * 3 - 4
    assert inside.compute_digest() != published.compute_digest()
    with pytest.raises(DataError, match="was made with exclusions=published") as caught:
        volumes.load(CollectionConfig(), tmp_path / "data")
    assert "--set exclusions=published" in caught.value.hint


def test_ranks_are_by_volume_and_the_view_keeps_spacings(tmp_path, units):
    for n in range(1, 5):
        write_series(tmp_path / "all", units, series=f"1.2.{n}", patient=f"LIDC-IDRI-000{n}")
        grown = [[[roi(ring(40, 30, 43 + (n + r) % 4, 33), -5.0)]] for r in range(4)]
        (tmp_path / "all" / f"{n}.xml").write_text(reading_xml(grown, series=f"1.2.{n}"))
    prepared(tmp_path / "all", tmp_path)
    cases = volumes.load(CollectionConfig(folds=2), tmp_path / "data")
    assert cases.description.name == "lidc-volumes"
    assert cases.description.unit == "volume"
    for case in (cases[i] for i in range(4)):
        assert case.masks.sum(axis=(1, 2, 3)).tolist() == [16, 20, 24, 28]
        np.testing.assert_allclose(case.spacing, (2.5, 0.7, 0.7))


def test_absent_data_say_what_prepares_them(tmp_path):
    with pytest.raises(DataAbsentError, match="'lidc-volumes' is not prepared") as caught:
        volumes.load(CollectionConfig(), tmp_path)
    assert "mrbench data prepare lidc-volumes --source FOLDER" in caught.value.hint


def test_the_command_prepares_verifies_and_scores(collection, tmp_path, mrbench, units, sessions):
    for n in range(2, 5):
        write_series(collection, units, series=f"1.2.{n}9", patient=f"LIDC-IDRI-000{n}")
        (collection / f"{n}.xml").write_text(reading_xml(sessions, series=f"1.2.{n}9"))
    assert mrbench("data", "prepare", "lidc-volumes", "--source", collection).exit_code == 0
    options = ("raters=exchangeable", "subset=all", "folds=2")
    words = [word for one in options for word in ("--set", one)]
    assert mrbench("data", "verify", "lidc-volumes", *words).exit_code == 0
    run = [word for one in options for word in ("--set", f"lidc-volumes.{one}")]
    scored = mrbench("run", "--method", "staple", "--dataset", "lidc-volumes", "--fold", "0", *run)
    assert scored.exit_code == 0, scored.stderr
