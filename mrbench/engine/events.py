"""What a worker says, one JSON object per line, read as it arrives; a line that is too long is refused."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

EVENT_BYTES = 2**18
"""Of one line."""


class EventReader:
    """Puts lines together from parts; one that was cut off, is no event or is too long costs nobody anything."""

    def __init__(self) -> None:
        self._line = b""
        self._refused = 0

    def read(self, part: bytes) -> Iterator[dict[str, Any]]:
        """The events that a part completes; for a line that was refused, an event that says how long it was."""
        *lines, rest = part.split(b"\n")
        for line in lines:
            self._add(line)
            yield from self._complete()
        self._add(rest)

    def _add(self, part: bytes) -> None:
        if self._refused or len(self._line) + len(part) > EVENT_BYTES:
            self._refused += len(self._line) + len(part)
            self._line = b""
        else:
            self._line += part

    def _complete(self) -> Iterator[dict[str, Any]]:
        line, refused = self._line, self._refused
        self._line, self._refused = b"", 0
        if refused:
            yield {
                "event": "warning",
                "text": f"an event of {refused:,} bytes was refused; {EVENT_BYTES:,} are allowed",
            }
        with suppress(ValueError, RecursionError):
            event = json.loads(line)
            if isinstance(event, dict) and isinstance(event.get("event"), str):
                yield event
