"""How files are named: ``masks/{rater}/{case}.png``. A name may be read in several ways; all of them are told."""

import re
from collections.abc import Iterator, Mapping, Sequence

from mrbench.data.importing.listing import split_ending
from mrbench.errors import UsageError

FIELDS = ("case", "rater", "subject", "slice")

FIELD = re.compile(r"\{([^{}]*)\}")


class NamePattern:
    """One pattern of names from the folder on.

    ``{case}`` and ``{rater}`` hold no ``/``, ``{slice}`` is a number, ``{subject}`` may be several folders. A field
    that stands twice has one value. A pattern without an ending takes every ending that can be read.

    Args:
        text: the pattern, with slashes between folders.
        fields: that it may have.

    Raises:
        UsageError: an unknown field, two fields with nothing between, none at all, or a path out of the folder.
    """

    def __init__(self, text: str, fields: Sequence[str] = FIELDS) -> None:
        self.text = text
        self._stem, self._ending = split_ending(text)
        parts = FIELD.split(self._stem)  # every second part is the name of a field
        self._parts = [(part, place % 2 == 1) for place, part in enumerate(parts) if part or place % 2 == 1]
        self.fields = frozenset(parts[1::2])
        self._check(parts, fields)

    def readings(self, name: str) -> Iterator[Mapping[str, str]]:
        """Every way to read a name, as values by field; none where it does not fit."""
        stem, ending = split_ending(name)
        if self._ending in ("", ending):
            yield from _readings(self._parts, stem, {})

    def _check(self, parts: Sequence[str], fields: Sequence[str]) -> None:
        if not self.fields or not self.fields <= set(fields):
            raise _wrong(self.text, f"at least one of {', '.join(f'{{{field}}}' for field in fields)}")
        if "" in parts[2:-1:2]:
            raise _wrong(self.text, "something between two fields")
        if self.text.startswith("/") or ".." in self.text.split("/") or "\\" in self.text:
            raise _wrong(self.text, "a path within the folder, with / between its parts")


def _readings(parts: Sequence[tuple[str, bool]], text: str, found: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    if not parts:
        if not text:
            yield found
        return
    (part, is_field), rest = parts[0], parts[1:]
    if not is_field or part in found:
        literal = found[part] if is_field else part
        if text.startswith(literal):
            yield from _readings(rest, text[len(literal) :], found)
        return
    for end in _ends(rest, text):
        if _fits(part, text[:end]):
            yield from _readings(rest, text[end:], {**found, part: text[:end]})


def _ends(rest: Sequence[tuple[str, bool]], text: str) -> Iterator[int]:
    if not rest:
        yield len(text)
        return
    place = text.find(rest[0][0], 1)
    while place > 0:
        yield place
        place = text.find(rest[0][0], place + 1)


def _fits(field: str, value: str) -> bool:
    if field == "slice":
        return value.isascii() and value.isdigit() and len(value) <= 9
    return bool(value) and (field == "subject" or "/" not in value)


def _wrong(text: str, expected: str) -> UsageError:
    return UsageError(f"cannot use the pattern {text!r}", expected=expected, hint="'masks/{rater}/{case}.png' is one")
