"""Output that any encoding can hold: a character that it lacks is replaced by a plain one, never by a traceback."""

import codecs
import sys
import unicodedata
from collections.abc import Iterable
from typing import TextIO

PLAIN = {
    "±": "+", "↑": "^", "↓": "v", "→": ">", "←": "<", "–": "-", "—": "-", "−": "-", "×": "x", "·": "*", "•": "*",
    "…": "~", "≤": "<", "≥": ">", "≈": "~", "‘": "'", "’": "'", "“": '"', "”": '"', "′": "'", "µ": "u", "μ": "u",
}  # fmt: skip
"""One for one, so that columns stay where they are."""

ERRORS = "mrbench_plain"
"""The name of the way to treat characters that an encoding lacks."""

ASCII = "mrbench_ascii"
"""ASCII by another name: click takes a stream of plain ASCII for one that is set up wrongly, and writes UTF-8 to it."""


def plain(character: str) -> str:
    """One ASCII character in place of another; a question mark where none resembles it."""
    if character in PLAIN:
        return PLAIN[character]
    if "\u2500" <= character <= "\u257f":
        return _line(unicodedata.name(character))
    found = unicodedata.normalize("NFKD", character)[0]
    return found if found.isascii() else "?"


def _line(name: str) -> str:
    down = "VERTICAL" in name or "UP" in name or "DOWN" in name
    across = "HORIZONTAL" in name or "LEFT" in name or "RIGHT" in name
    return "+" if down and across else "|" if down else "-"


def write_plainly(streams: Iterable[TextIO] | None = None) -> None:
    """Lets streams replace what their encoding lacks; default: standard output and standard error."""
    codecs.register_error(ERRORS, _replace)
    codecs.register(_find)
    for stream in (sys.stdout, sys.stderr) if streams is None else streams:
        reconfigure = getattr(stream, "reconfigure", None)  # a notebook's or a test's stream has none
        if reconfigure is not None:
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            reconfigure(encoding=ASCII if ascii_only else stream.encoding, errors=ERRORS)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(plain, error.object[error.start : error.end])), error.end


def _find(name: str) -> codecs.CodecInfo | None:
    if name != ASCII:
        return None
    own = codecs.lookup("ascii")
    return codecs.CodecInfo(
        own.encode,
        own.decode,
        own.streamreader,
        own.streamwriter,
        own.incrementalencoder,
        own.incrementaldecoder,
        ASCII,
    )
