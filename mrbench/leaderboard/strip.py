"""Texts without what they tell of the machine: folders shrink to the name of the file, hosts and people go."""

import getpass
import re
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mrbench.visible import visible

_START = r"(?:file://)?(?:~[\w.-]*/|/|[A-Za-z]:[\\/]|\\\\)"
_QUOTED = rf"(?P<quote>['\"`])(?P<inner>{_START}[^'\"`\n]+)(?P=quote)"
_BARE = rf"(?<![\w.:/\\]){_START}[^\s'\"`<>|:;,()\[\]{{}}=]+"
_FOUND = re.compile(rf"(?P<url>\b(?:https?|doi)://\S+)|{_QUOTED}|(?P<bare>{_BARE})")
_HOME = re.compile(r"(?:/home|/Users|[A-Za-z]:\\Users)[\\/][^\\/]+")
_GENERIC = frozenset({"root", "user", "admin", "localhost", "ubuntu", "runner", "docker"})


def stripped(text: str) -> str:
    """One line in which no path keeps its folders, and no host and nobody is named."""
    for secret in _known():
        kept = "~" if secret.startswith("/") else "…"
        text = re.sub(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", kept, text)
    return without_folders(text)


def without_folders(text: str) -> str:
    """One line in which no path keeps its folders; for names that must be the same wherever they are packed."""
    return _FOUND.sub(_shortened, visible(" ".join(text.split())))


def _shortened(match: re.Match[str]) -> str:
    if match["url"]:
        return match[0]
    quote = match["quote"] or ""
    return f"{quote}{_last(match['inner'] or match[0])}{quote}"


def _last(path: str) -> str:
    if _HOME.fullmatch(path.rstrip("/\\")):
        return "~"
    return re.split(r"[\\/]", path.rstrip("/\\"))[-1] or "/"


@cache
def _known() -> tuple[str, ...]:
    """Longest first, so that no part of one is left."""
    return tuple(sorted({one for one in _names() if len(one) > 2 and one not in _GENERIC}, key=len, reverse=True))


def _names() -> Iterator[str]:
    host = socket.gethostname()
    yield from (host, host.partition(".")[0])
    try:
        yield from (str(Path.home()), getpass.getuser())
    except (OSError, KeyError, RuntimeError):
        return
