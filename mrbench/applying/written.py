"""The answer for an image as files: like the image's own, on its grid."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import numpy as np

from mrbench.applying.applied import Applied
from mrbench.applying.images import NewImage
from mrbench.data.description import Description
from mrbench.external.grid import Grid
from mrbench.external.images import WHITE_16, nifti_bytes, png_bytes
from mrbench.external.writers import mask_names

NUMPY = (".npz", ".npy")


def write_applied(folder: Path, image: NewImage, answer: Applied, description: Description, *, raters: bool) -> None:
    """Writes masks and maps into a new folder: PNG, NIfTI or npz files, as the image is; one array in each.

    Masks are named as ``mrbench export`` names them. Maps are ``mean`` and ``variance``, of several foreground classes
    ``mean-CLASS`` and ``variance-CLASS``; in a PNG 16-bit grey, the value times 65535.

    Args:
        raters: the raters' masks as well.
    """
    folder.mkdir()
    form = _form(image)
    for name, labels in _masks(answer, description, raters=raters):
        form(folder / name, image.as_file(labels), description.n_classes)
    for name, values in _maps(answer, description):
        form(folder / name, image.as_file(values), description.n_classes)


def _masks(answer: Applied, description: Description, *, raters: bool) -> Iterator[tuple[str, np.ndarray]]:
    for field, masks in answer.masks.items():
        if field != "raters" or raters:
            names = mask_names(field, [mask.rater for mask in masks], description.rater_names)
            yield from zip(names, (mask.labels for mask in masks), strict=True)


def _maps(answer: Applied, description: Description) -> Iterator[tuple[str, np.ndarray]]:
    for name, maps in (("mean", answer.mean), ("variance", answer.variance)):
        for label, values in zip(description.classes[1:], maps, strict=True):
            yield name if len(maps) == 1 else f"{name}-{quote(label, safe='')}", values


def _form(image: NewImage) -> Callable[[Path, np.ndarray, int], None]:
    if image.ending.startswith(".nii"):
        grid = _grid(image)
        return lambda path, values, _: _write(path, ".nii.gz", nifti_bytes(values, grid))
    if image.ending in NUMPY:
        return lambda path, values, _: _write(path, ".npz", _npz_bytes(values))
    return lambda path, values, classes: _write(path, ".png", _picture_bytes(values, classes))


def _grid(image: NewImage) -> Grid:
    reference = image.frame.reference
    known = reference is not None and not reference.bare
    return Grid(image.shape, image.frame.spacings, reference if known else None)


def _write(path: Path, ending: str, content: bytes) -> None:
    path.with_name(path.name + ending).write_bytes(content)


def _npz_bytes(values: np.ndarray) -> bytes:
    file = BytesIO()
    np.savez_compressed(file, values)
    return file.getvalue()


def _picture_bytes(values: np.ndarray, classes: int) -> bytes:
    plane = values.reshape(values.shape[-2:])
    if plane.dtype.kind != "f":
        return png_bytes(plane, classes)
    return png_bytes(np.rint(plane * WHITE_16).astype(np.uint16), 0)
