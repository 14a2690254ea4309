"""How the files of a release are named: ``{part}/images/{case}_{part}.tif``."""

import re
from collections.abc import Mapping

_FIELD = re.compile(r"\{(\w+)\}")


class Pattern:
    """One pattern of names, whatever folders lie above; upper and lower case are the same.

    Archives are unpacked into a folder of their name or are not, so that what comes before is free.

    Args:
        text: with ``{field}`` for what a field's expression matches, the same wherever it stands twice.
        fields: the regular expression of each field.
    """

    def __init__(self, text: str, fields: Mapping[str, str]) -> None:
        self.text = text
        seen: set[str] = set()
        parts = [self._part(part, place % 2 == 1, fields, seen) for place, part in enumerate(_FIELD.split(text))]
        self._expression = re.compile("(?:.*/)?" + "".join(parts), re.IGNORECASE)

    @staticmethod
    def _part(part: str, is_field: bool, fields: Mapping[str, str], seen: set[str]) -> str:
        if not is_field:
            return re.escape(part)
        if part in seen:
            return f"(?P={part})"
        seen.add(part)
        return f"(?P<{part}>{fields[part]})"

    def fields_of(self, name: str) -> dict[str, str] | None:
        """The values of its fields in a name with ``/`` between folders; None where it does not fit."""
        found = self._expression.fullmatch(name)
        return None if found is None else found.groupdict()
