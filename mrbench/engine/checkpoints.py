"""Checkpoints that vouch for themselves: a file's name holds the SHA-256 of its content; one rename leaves both."""

import pickle
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from mrbench.engine.manifest import facts_of
from mrbench.files import flush

_NAME = re.compile(r"stage(\d{3})-epoch(\d{6})-([0-9a-f]{64})\.pt")

Place = tuple[int, int]
"""Stage and epoch, each from 0: how many are done."""


def save_checkpoint(folder: Path, place: Place, state: Mapping[str, Any]) -> None:
    """Writes a checkpoint, whole or not at all, and removes those before it.

    Raises:
        OSError, RuntimeError: it cannot be written; those before it stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        torch.save(dict(state), temporary)
        flush(temporary)
        path = folder / f"stage{place[0]:03d}-epoch{place[1]:06d}-{facts_of(temporary)['sha256']}.pt"
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    for other in folder.iterdir():
        if other != path:
            other.unlink(missing_ok=True)


def load_checkpoints(folder: Path, device: torch.device) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The whole checkpoints in a folder, the furthest first; damaged ones are told of in the log and removed."""
    for path in _furthest_first(folder):
        fault = _fault_of(path)
        if not fault:
            try:
                yield path, torch.load(path, map_location=device, weights_only=True)
            except (RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as error:
                fault = f"{type(error).__name__}: {error}"
        if fault:
            set_aside(path, fault)


def set_aside(path: Path, fault: str) -> None:
    """Removes a checkpoint that cannot be continued from, and says so in the log."""
    print(f"the checkpoint {path} cannot be continued from: {fault}", file=sys.stderr)
    path.unlink(missing_ok=True)


def _furthest_first(folder: Path) -> list[Path]:
    # Names sort by stage and epoch; the clock may have jumped.
    return sorted(folder.glob("*.pt"), reverse=True)


def _fault_of(path: Path) -> str:
    named = _NAME.fullmatch(path.name)
    if named is None:
        return "its name is no checkpoint's"
    return "" if facts_of(path)["sha256"] == named[3] else "its content is not what was written"
