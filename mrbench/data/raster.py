"""PNG, TIFF, JPEG, GIF and PPM files from strangers: the header is looked at before a picture is unpacked."""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from mrbench.errors import DataError, MrbenchError, UsageError

FORMATS = ("PNG", "TIFF", "JPEG")
"""Whatever the ending says; what ends as one of ``BY_ENDING`` is of that format alone."""

BY_ENDING = {".gif": ("GIF",), ".ppm": ("PPM",), ".pgm": ("PPM",), ".pbm": ("PPM",)}

PLAIN = {"1": "bool", "L": "uint8", "P": "uint8", "I;16": "<u2", "I;16B": ">u2", "I;16L": "<u2", "I": "int32",
         "F": "float32"}  # fmt: skip
"""NumPy's names of the values of Pillow's modes of one channel; those of a palette are its indices."""

COLOURED = {"RGB": 3, "RGBA": 3, "LA": 1}
"""Channels of modes with colours or transparency."""

ORIENTATION, PHOTOMETRIC = 0x0112, 0x0106
"""Of the tags of EXIF and TIFF: how a viewer has to turn the picture; is 0 white?"""

MAX_RATIO = 1032
"""Bytes that deflate makes of one, at most: a picture of more pixels is not whole, however empty."""


@contextmanager
def open_picture(source: Path | IO[bytes], where: str, formats: Sequence[str] = FORMATS) -> Iterator[Any]:
    """A picture as Pillow opens it, of which the header alone has been read; faults become errors that name it.

    Args:
        source: the file, or its content.
        where: the file, and the case where there is one, for messages.
        formats: Pillow's names of those allowed.

    Raises:
        DataError: another format, damaged, or more pixels than Pillow allows: 178,956,970.
        UsageError: Pillow is not installed.
    """
    image_module = import_pillow()
    said = f"{where} is not a whole {' or '.join([', '.join(formats[:-1]), formats[-1]][len(formats) < 2 :])} file"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with image_module.open(source, formats=list(formats)) as image:
                yield image
    except MrbenchError:
        raise
    except image_module.UnidentifiedImageError:
        raise DataError(said, found="another format, or nothing") from None
    except image_module.DecompressionBombError as error:
        raise _too_large(source, where, str(error)) from None
    except Exception as error:  # its decoders raise what they like on damaged files
        raise DataError(said, found=f"{error}"[:200]) from error


def import_pillow() -> Any:
    """Pillow's module of images.

    Raises:
        UsageError: it is not installed; says what installs it.
    """
    try:
        from PIL import Image
    except ImportError:
        raise UsageError("PNG, TIFF and JPEG files need Pillow", hint="pip install 'mrbench[pictures]'") from None
    return Image


def picture_layout(image: Any, where: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape ``(H, W)`` or ``(H, W, 3)`` and type of what :func:`picture_values` gives; nothing is unpacked.

    Raises:
        DataError: several pictures in one file, one that a viewer has to turn, or values that would not be kept whole.
    """
    if getattr(image, "n_frames", 1) > 1:
        raise DataError(
            f"{where} holds {image.n_frames} pictures", expected="one; volumes as NIfTI, npy or npz", found=image.format
        )
    if _orientation(image) not in (0, 1):
        raise DataError(
            f"{where} is stored turned (EXIF orientation {_orientation(image)})",
            expected="rows and columns as a mask has them",
            hint="save it upright, without the tag",
        )
    if image.mode not in PLAIN and image.mode not in COLOURED:
        raise DataError(f"{where} has colours of an unknown kind", expected="grey or RGB", found=image.mode)
    if _is_cut(image):
        raise DataError(f"{where} has 16 bits per colour, which would be cut to 8", expected="8 bits, or 16-bit grey")
    shape = (image.height, image.width)
    return (*shape, 3) if COLOURED.get(image.mode) == 3 else shape, np.dtype(PLAIN.get(image.mode, "uint8"))


def picture_values(image: Any, where: str) -> np.ndarray:
    """``(H, W)`` values, those of a palette as indices, or ``(H, W, 3)`` colours; unpacks the picture.

    Raises:
        DataError: damaged, or pixels that are not opaque.
    """
    values = np.asarray(image)
    if image.mode not in COLOURED:
        return np.iinfo(np.uint16).max - values if _is_inverted(image) else values
    channels = COLOURED[image.mode]
    if values.ndim == 3 and values.shape[2] > channels:
        if (values[..., -1] < 255).any():
            raise DataError(f"{where} has transparent pixels", expected="opaque ones", hint="save it without alpha")
        values = values[..., :-1]
    return values[..., 0] if channels == 1 else values


def palette_colours(image: Any, where: str) -> np.ndarray:
    """``(H, W, 3)`` colours that the indices of a palette stand for; errors as for :func:`picture_values`."""
    return picture_values(image.convert("RGBA" if "transparency" in image.info else "RGB"), where)


def palette(image: Any) -> np.ndarray:
    """``(n, 3)`` colours that a picture's indices stand for."""
    return np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)


def _too_large(source: Path | IO[bytes], where: str, said: str) -> DataError:
    # Pillow states the pixels and its limit in words alone.
    pixels, limit = (int(number) for number in re.findall(r"(\d+) pixels", said)[:2])
    size = source.stat().st_size if isinstance(source, Path) else source.seek(0, 2)
    if pixels // 8 > MAX_RATIO * size:  # one bit each
        return DataError(
            f"{where} declares more than its size can hold", found=f"{pixels:,} pixels in a file of {size:,} bytes"
        )
    return DataError(
        f"{where} is too large",
        expected=f"at most {limit:,} pixels",
        found=f"{pixels:,}",
        hint="cut it into tiles, or save it at a lower resolution, masks by nearest neighbour",
    )


def _is_inverted(image: Any) -> bool:
    """Is 0 white, and left so? Pillow turns pictures of 8 bits and less itself."""
    return image.format == "TIFF" and image.mode.startswith("I;16") and image.tag_v2.get(PHOTOMETRIC) == 0


def _is_cut(image: Any) -> bool:
    """Does Pillow read 8 of 16 bits?"""
    return image.mode in COLOURED and ";16" in str(image.tile)


def _orientation(image: Any) -> int:
    # Asked for tags that stand behind the pixels, Pillow would unpack a PNG.
    return int(image.getexif().get(ORIENTATION, 1)) if image.format != "PNG" or "exif" in image.info else 1
