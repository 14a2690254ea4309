"""Images of a data set that were supplied for the site; only where the licence of the data permits them."""

import struct
from dataclasses import dataclass
from pathlib import Path

from mrbench.errors import DataError
from mrbench.leaderboard.board import DatasetPage
from mrbench.leaderboard.site.addresses import slug
from mrbench.leaderboard.store import read_plain

MAX_IMAGES = 12
MAX_BYTES = 4 * 2**20
MAX_PIXELS = 10_000
"""Of a side."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Image:
    """A PNG; ``file``: its address below the site's folder."""

    file: str
    title: str
    width: int
    height: int
    content: bytes


def images_of(page: DatasetPage, pictures: Path | None) -> list[Image]:
    """The PNG files of ``pictures/<data set>/`` in the order of names; none where the licence permits none.

    Raises:
        DataError: a file that is no PNG, a link, or too large.
    """
    folder = pictures / slug(page.name) if pictures else None
    if folder is None or not page.pictures or not folder.is_dir():
        return []
    return [_image(page, path, number) for number, path in enumerate(sorted(folder.glob("*.png"))[:MAX_IMAGES])]


def _image(page: DatasetPage, path: Path, number: int) -> Image:
    try:
        content = read_plain(path, MAX_BYTES)
    except OSError as error:
        raise DataError(f"cannot read the image {path}", found=str(error.strerror)) from None
    width, height = _size(content)
    if not (0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS):
        raise DataError(f"{path} is no image", expected=f"a PNG of at most {MAX_PIXELS} pixels a side")
    title = path.stem.replace("-", " ").replace("_", " ")
    return Image(f"images/{slug(page.name)}--{number}.png", title, width, height, content)


def _size(content: bytes) -> tuple[int, int]:
    if not content.startswith(_SIGNATURE) or len(content) < 24:
        return 0, 0
    width, height = struct.unpack(">II", content[16:24])
    return width, height
