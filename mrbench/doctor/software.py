"""The software: versions, and the extras that add to them."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from mrbench import __version__
from mrbench.doctor.section import Section

REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)[^;]*(;.*extra\s*==\s*['\"](?P<extra>[\w.-]+)['\"])?")
MISSING = "missing"


def software() -> Section:
    """Versions of mrbench, Python and the packages, and the command that adds what an extra needs."""
    found = _packages()
    needed = found.pop("", {})
    extras = {name: sorted(package for package in own if not own[package]) for name, own in found.items()}
    head = {"mrbench": __version__, "python": platform.python_version(), "system": platform.platform(terse=True)}
    places = {"executable": sys.executable, "folder": str(Path(__file__).parents[1])}
    lost = [name for name, there in needed.items() if not there]
    return Section(
        title="software",
        rows=[
            *(head | places).items(),
            *((name, number or MISSING) for name, number in needed.items()),
            *((f"extra {name}", f"pip install 'mrbench[{name}]'" if own else "there") for name, own in extras.items()),
        ],
        facts=head | places | {"packages": needed, "extras_missing": extras},
        attention=_attention(needed, lost),
    )


def _attention(needed: dict[str, str], lost: list[str]) -> list[str]:
    if not needed:
        return ["mrbench is imported but not installed, so that no plugin of its own is found: pip install mrbench"]
    return [f"package {name!r} is missing: pip install {name}" for name in lost]


def _packages() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for extra, name in _requirements():
        found.setdefault(extra, {})[name] = _version(name)
    return found


def _requirements() -> Iterator[tuple[str, str]]:
    try:
        stated = requires("mrbench") or []
    except PackageNotFoundError:
        return
    for match in filter(None, map(REQUIREMENT.match, stated)):
        if match["name"] != "mrbench":  # an extra that holds another one
            yield match["extra"] or "", match["name"]


def _version(name: str) -> str:
    try:
        return version(name) or "unknown"
    except PackageNotFoundError:
        return ""
