"""What the values in a mask's file stand for: labels, whatever the format and whoever reads it.

====================================================  ============================================================
values                                                labels
====================================================  ============================================================
booleans, integers                                    themselves, 0 to 65535
floats, integers with a slope                         the nearest integers, where all lie within .001 of one
a palette of two colours                              1 for the brighter one, whatever its index
a palette of more colours                             the indices
equal red, green and blue                             that grey; opaque alpha is dropped
two colours                                           1 for the brighter one
more colours, transparency, fractions, NaN            none: refused
====================================================  ============================================================

Somebody who knows better says so: :mod:`mrbench.data.mask_rules`.
"""

from dataclasses import dataclass

import numpy as np

from mrbench.errors import DataError

NEAR = 1e-3
"""How far a float may lie from the label that it is; a slope in a header rounds that much."""

MAX_LABEL = 2**16 - 1

Colour = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class StoredMask:
    """A mask as its file holds it, before anything is made of the values.

    Attributes:
        values: numbers in the shape of the file; ``(H, W)`` indices into a palette; ``(H, W, 3)`` colours.
        palette: ``(n, 3)`` colours that indices stand for, where they are indices.
        coloured: are the values colours?
    """

    values: np.ndarray
    palette: np.ndarray | None = None
    coloured: bool = False


@dataclass(frozen=True, eq=False)
class MaskValues:
    """The content of a mask's file.

    Attributes:
        labels: unsigned, in the shape of the file.
        colour: of label 1, where two colours told it; None elsewhere.
        palette: ``(n, 3)`` colours of labels that are the indices of a palette; None elsewhere.
    """

    labels: np.ndarray
    colour: Colour | None = None
    palette: np.ndarray | None = None


def stored_labels(stored: StoredMask, where: str) -> MaskValues:
    """Labels by the table above.

    Raises:
        DataError: values that stand for none; names the file and the options that say what they mean.
    """
    if stored.palette is not None:
        return palette_labels(stored.values, stored.palette, where)
    return (colour_labels if stored.coloured else whole_labels)(stored.values, where)


def whole_labels(values: np.ndarray, where: str) -> MaskValues:
    """Labels from numbers of any type.

    Raises:
        DataError: NaN, fractions, values below 0 or above 65535.
    """
    if values.dtype.kind == "b":
        return MaskValues(values.astype(np.uint8))
    if values.dtype.kind == "f":
        values = _rounded(values, where)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > MAX_LABEL:
        raise DataError(
            f"{where} is a mask with impossible labels",
            expected=f"whole numbers from 0 to {MAX_LABEL}",
            found=f"values from {low:.10g} to {high:.10g}",
            hint="say which value is which class: --labels 0=background,VALUE=NAME; or --threshold T",
        )
    return MaskValues(values if values.dtype in (np.uint8, np.uint16) else values.astype(np.uint16))


def palette_labels(indices: np.ndarray, palette: np.ndarray, where: str) -> MaskValues:
    """Labels from ``(H, W)`` indices into ``(n, 3)`` colours."""
    colours = np.unique(palette, axis=0)
    if len(colours) != 2 or indices.max() >= len(palette):
        return MaskValues(whole_labels(indices, where).labels, palette=palette)
    bright = _brighter(colours)
    return MaskValues((palette == bright).all(axis=1).astype(np.uint8)[indices])


def colour_labels(values: np.ndarray, where: str) -> MaskValues:
    """Labels from ``(H, W, 3)`` colours.

    Raises:
        DataError: more than two colours, or one alone; says how many.
    """
    if (values == values[..., :1]).all():
        return MaskValues(values[..., 0])
    packed = values.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    found = np.unique(packed)
    if len(found) != 2:
        raise DataError(
            f"{where} is a mask in colours",
            expected="grey values, a palette, or two colours of which the darker is background",
            found=f"{len(found)} colour{'s' * (len(found) > 1)}",
            hint=f"say which colour is which class: --labels {_example(found)}",
        )
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1)
    red, green, blue = _brighter(colours).tolist()
    return MaskValues((packed == (red << 16 | green << 8 | blue)).astype(np.uint8), (red, green, blue))


def are_whole(values: np.ndarray) -> bool:
    """Do all floats lie within .001 of a whole number? The same for a value in four bytes and in eight."""
    # Plane by plane: a scan and its rounded values take enough memory.
    return all(_is_whole(plane) for plane in (values if values.ndim else values[None]))


def _is_whole(values: np.ndarray) -> bool:
    whole = np.rint(values)
    rounding = np.spacing(np.abs(whole).astype(np.float32))  # of numbers in four bytes
    return bool((np.abs(values - whole) <= NEAR + rounding).all())


def _rounded(values: np.ndarray, where: str) -> np.ndarray:
    if not np.isfinite(values).all():
        raise DataError(f"{where} is a mask with values that are not finite", expected="labels: whole numbers")
    if not are_whole(values):
        raise DataError(
            f"{where} is a mask with fractions",
            expected=f"labels: whole numbers, or floats within {NEAR:g} of one",
            found=f"values from {values.min():.4g} to {values.max():.4g}",
            hint="where they are probabilities, or a map of votes: --threshold T takes what is at least T",
        )
    whole: np.ndarray = np.rint(values)
    return whole


def _example(packed: np.ndarray) -> str:
    """Three of the colours, as options of the command line name them."""
    return ",".join(f"#{colour:06x}={'background' if not colour else 'NAME'}" for colour in packed[:3].tolist())


def _brighter(colours: np.ndarray) -> np.ndarray:
    """The brighter one of ``(2, 3)`` colours."""
    light = colours @ np.array([0.299, 0.587, 0.114])
    brighter: np.ndarray = colours[int(light.argmax())]
    return brighter
