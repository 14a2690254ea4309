"""CT series out of DICOM files."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mrbench.data.archive import FREE_BYTES, MAX_RATIO
from mrbench.data.geometry import Geometry, is_affine
from mrbench.data.inside import check_inside
from mrbench.data.odd_files import files_below
from mrbench.errors import DataError, UsageError
from mrbench_lidc.annotations import Outline

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MAX_FILE_BYTES = 2**25
LEAST_SIZE, MOST_SIZE = 71, 4096
"""Rows and columns of an image: of a crop, and far above those of any CT."""

MOST_MM = 10_000.0
"""Of any length."""

WINDOW = (-1000.0, 400.0)
"""Hounsfield units that become 0 and 255."""

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
"""The class of slices of a scan."""

AXIAL = (1, 0, 0, 0, 1, 0)
"""Directions of rows and columns."""

_DEFLATED = "1.2.840.10008.1.2.1.99"
_HINT = "download the file again"
_PLACE = (
    "SOPClassUID",
    "Modality",
    "ImageType",
    "ImageOrientationPatient",
    "PatientID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "ImagePositionPatient",
    "PixelSpacing",
    "SliceThickness",
    "Rows",
    "Columns",
)


@dataclass(frozen=True)
class Slice:
    """The header of one image.

    Attributes:
        path: of its file.
        uid: of the image.
        z: in mm.
        spacing: mm between pixels, the same both ways.
        thickness: mm, or None where the file does not tell.
        shape: (H, W).
        geometry: of the one plane, where its file says it lies.
    """

    path: Path
    uid: str
    z: float
    spacing: float
    thickness: float | None
    shape: tuple[int, int]
    geometry: Geometry


@dataclass(frozen=True)
class Series:
    """The images of one scan, ascending in z."""

    uid: str
    patient: str
    slices: tuple[Slice, ...]

    @property
    def spacing(self) -> float:
        """mm between pixels."""
        return self.slices[0].spacing

    @cached_property
    def step(self) -> float:
        """mm between slices: the median; the thickness where there is one slice only."""
        z = np.unique([one.z for one in self.slices])
        return float(np.median(np.diff(z))) if len(z) > 1 else self.slices[0].thickness or 1.0

    @property
    def thickness(self) -> float:
        """mm, as the files tell, else the step between slices."""
        return self.slices[0].thickness or self.step

    @cached_property
    def _places(self) -> dict[str, int]:
        return {one.uid: place for place, one in enumerate(self.slices)}

    def place(self, outline: Outline) -> int | None:
        """The slice that an outline lies on: by its image, else the nearest within half a step; None where none is."""
        if outline.uid in self._places:
            return self._places[outline.uid]
        gaps = [abs(one.z - outline.z) for one in self.slices]
        nearest = int(np.argmin(gaps))
        return nearest if gaps[nearest] <= self.step / 2 + 1e-3 else None


def list_series(source: Path, left_out: list[str] | None = None) -> dict[str, Series]:
    """The CT series under a folder, by identifier.

    Args:
        source: the folder.
        left_out: takes a line for each file that is no slice of a scan (localizers, reports, presentation states).

    Raises:
        UsageError: pydicom is not installed.
        DataError: a file is damaged, lacks a tag, or lies outside the folder.
    """
    _pydicom()
    found: dict[str, tuple[str, list[Slice]]] = {}
    for path in files_below(source, (".dcm",)):
        check_inside(path, source, hint=_HINT)
        with _reading(path):
            header = _header(path)
            if (why := _no_slice(header)) is not None:
                (left_out if left_out is not None else []).append(f"{path.relative_to(source)}: {why}")
                continue
            patient, slices = found.setdefault(str(header.SeriesInstanceUID), (str(header.PatientID), []))
            if not patient or patient != str(header.PatientID):
                raise ValueError(f"patient {header.PatientID!r} in a series of patient {patient!r}")
            slices.append(_slice(path, header))
    return {uid: Series(uid, patient, _ordered(slices)) for uid, (patient, slices) in found.items()}


def read_bytes(chosen: Slice) -> np.ndarray:
    """``(H, W)`` uint8: the image in Hounsfield units, its window scaled to 0..255 and rounded.

    Raises:
        DataError: damaged, more than its file can hold, not one plane of grey, or compressed in a way that pydicom
            cannot undo with what is installed.
    """
    path = chosen.path
    with _reading(path):
        image = _whole(path)
        _check_plane(chosen, image)
        try:
            pixels = image.pixel_array
        except (RuntimeError, NotImplementedError) as error:
            raise _undecodable(path, image, error) from error
        slope, intercept = _number(image, "RescaleSlope", 1.0), _number(image, "RescaleIntercept", 0.0)
        return as_bytes(pixels.astype(np.float64) * slope + intercept)


def as_bytes(units: np.ndarray) -> np.ndarray:
    """Hounsfield units to uint8: the window [-1000, 400] to 0..255, rounded."""
    low, high = WINDOW
    return np.rint((units.clip(low, high) - low) * (255 / (high - low))).astype(np.uint8)


def _pydicom() -> Any:
    try:
        import pydicom
    except ImportError:
        raise UsageError("DICOM files need pydicom", hint="pip install 'mrbench[dicom]'") from None
    return pydicom


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Names the file in whatever goes wrong in it; oddities that pydicom warns of do not matter here."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except DataError:
        raise
    except Exception as error:  # pydicom raises all sorts on damaged files
        raise DataError(
            f"{path} is no DICOM image of a CT series",
            expected="a whole file of the collection",
            found=f"{type(error).__name__}: {error}"[:200],
            hint=_HINT,
        ) from error


def _header(path: Path) -> "Dataset":
    _check_file(path)
    header: Dataset = _pydicom().dcmread(path, stop_before_pixels=True, specific_tags=list(_PLACE))
    return header


def _whole(path: Path) -> "Dataset":
    _check_file(path)
    image: Dataset = _pydicom().dcmread(path)
    return image


def _check_file(path: Path) -> None:
    from pydicom.filereader import read_file_meta_info

    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ValueError(f"a file of {size} bytes, more than {MAX_FILE_BYTES}")
    # The whole file would be unpacked at once, whatever its size.
    if read_file_meta_info(path).TransferSyntaxUID == _DEFLATED:
        raise ValueError("its transfer syntax is Deflated Explicit VR Little Endian, which is not read")


def _no_slice(header: "Dataset") -> str | None:
    """Why a file is no slice of a scan; None where it is one. Studies hold more than scans."""
    if header.get("Modality") != "CT":
        return f"no CT image, modality {header.get('Modality') or 'unknown'}"
    if str(header.get("SOPClassUID") or CT_IMAGE) != CT_IMAGE:
        return f"no CT image, {header.SOPClassUID.name}"
    if "LOCALIZER" in {str(word).upper() for word in header.get("ImageType") or ()}:
        return "a localizer"
    return None


def _slice(path: Path, header: "Dataset") -> Slice:
    rows, columns = (float(value) for value in header.PixelSpacing)
    if not (0 < rows <= MOST_MM and math.isclose(rows, columns, rel_tol=1e-3)):
        raise ValueError(f"PixelSpacing is {rows} and {columns} mm")
    z = float(header.ImagePositionPatient[2])
    thickness = _number(header, "SliceThickness", 0.0)
    if not (abs(z) <= MOST_MM and 0 <= thickness <= MOST_MM):
        raise ValueError(f"z = {z} mm, SliceThickness = {thickness} mm")
    shape = int(header.Rows), int(header.Columns)
    if not all(LEAST_SIZE <= length <= MOST_SIZE for length in shape):
        raise ValueError(f"{shape[0]} x {shape[1]} pixels, not {LEAST_SIZE} to {MOST_SIZE} each way")
    return Slice(path, str(header.SOPInstanceUID), z, rows, thickness or None, shape, _plane(header, shape))


def _plane(header: "Dataset", shape: tuple[int, int]) -> Geometry:
    """Of one slice; a file without directions is axial, as all of the collection are."""
    x, y = np.array(header.get("ImageOrientationPatient") or AXIAL, float).reshape(2, 3)
    rows, columns = (float(value) for value in header.PixelSpacing)  # between rows first
    affine = np.eye(4)
    affine[:3] = np.column_stack([x * columns, y * rows, np.cross(x, y), np.array(header.ImagePositionPatient, float)])
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine  # DICOM counts to the left and back
    if not is_affine(affine):
        raise ValueError(f"ImageOrientationPatient is {list(header.ImageOrientationPatient)}")
    return Geometry(affine, (shape[1], shape[0], 1))


def _ordered(slices: list[Slice]) -> tuple[Slice, ...]:
    return tuple(sorted(slices, key=lambda one: (one.z, one.uid)))


def _number(header: "Dataset", name: str, missing: float) -> float:
    value = header.get(name)
    number = missing if value in (None, "") else float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}")
    return number


def _check_plane(chosen: Slice, image: "Dataset") -> None:
    if (image.Rows, image.Columns) != chosen.shape:
        raise ValueError(f"it changed: {image.Rows} x {image.Columns} pixels, {chosen.shape} before")
    if image.SamplesPerPixel != 1 or int(image.get("NumberOfFrames") or 1) != 1:
        raise ValueError(f"{image.SamplesPerPixel} samples per pixel, {image.get('NumberOfFrames') or 1} frames")
    if image.PhotometricInterpretation != "MONOCHROME2" or image.BitsAllocated not in (8, 16, 32):
        raise ValueError(f"{image.PhotometricInterpretation} of {image.BitsAllocated} bits")
    declared = int(image.Rows) * int(image.Columns) * int(image.BitsAllocated) // 8
    packed = image.file_meta.TransferSyntaxUID.is_compressed
    held = max(FREE_BYTES, MAX_RATIO * chosen.path.stat().st_size) if packed else len(image.PixelData)
    if not 0 < declared <= held:
        raise ValueError(f"{image.Rows} x {image.Columns} pixels are {declared} bytes, and the file holds {held}")


def _undecodable(path: Path, image: "Dataset", error: Exception) -> DataError:
    return DataError(
        f"{path} is compressed in a way that cannot be undone here",
        expected="plain or run-length pixels, or a decoder of pydicom for the transfer syntax",
        found=f"{image.file_meta.TransferSyntaxUID.name}: {error}"[:200],
        hint="pip install 'pylibjpeg[all]', or decompress the files first",
    )
