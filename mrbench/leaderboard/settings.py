"""What a board says of itself, in ``board.toml``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from mrbench.errors import DataError
from mrbench.leaderboard.store import read_plain
from mrbench.visible import visible

SETTINGS = "board.toml"
MAX_BYTES = 2**16
KEYS = ("title", "pictures")


@dataclass(frozen=True)
class Settings:
    """Of a board.

    Attributes:
        title: of its pages.
        pictures: data sets whose images may be shown.
    """

    title: str = "Leaderboard"
    pictures: tuple[str, ...] = ()


def read_settings(board: Path) -> Settings:
    """The settings of a board; the defaults where there is no file.

    Raises:
        DataError: not TOML, or a key that no board has.
    """
    path = board / SETTINGS
    if not path.exists():
        return Settings()
    try:
        found = tomllib.loads(read_plain(path, MAX_BYTES).decode("utf-8"))
        unknown = [name for name in found if name not in KEYS]
        if unknown:
            raise ValueError(f"the key {unknown[0][:40]!r}")
        pictures = tuple(visible(str(name)) for name in found.get("pictures", ()))
        texts = {name: visible(str(found[name]))[:200] for name in ("title",) if name in found}
        return Settings(pictures=pictures, **texts)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"cannot read {path}", expected=f"keys {', '.join(KEYS)}", found=str(error)[:200]) from None
