"""One section of an examination: for people, for programs, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Section:
    """What was found out about one thing.

    Attributes:
        title: one word.
        rows: name and text of each finding.
        facts: the same as JSON types.
        attention: what does not work, a sentence each.
        notes: what works and may surprise, a sentence each.
        tracebacks: heading and text of each.
    """

    title: str
    rows: Sequence[tuple[str, str]]
    facts: Mapping[str, Any]
    attention: Sequence[str] = ()
    notes: Sequence[str] = ()
    tracebacks: Sequence[tuple[str, str]] = ()


def gib(number: float) -> str:
    """Bytes in words."""
    return f"{number / 2**30:.1f} GiB"
