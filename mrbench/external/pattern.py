"""Which file is which prediction, by a pattern of its name: ``{case}/sample-{sample}.png``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from mrbench.errors import UsageError
from mrbench.interfaces.draw import DrawKind

ENDINGS = (".png", ".nii", ".nii.gz")

STEMS = ("{case}/sample-{sample}", "{case}/rater-{rater}", "{case}/rater-{rater}-draw-{draw}", "{case}/consensus")
"""What ``mrbench export`` writes; several draws of a rater are numbered."""

FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Match:
    """What a name says.

    Attributes:
        case: as it stands in the name.
        kind: of the prediction.
        number: of the sample, or of the draw of a rater, 0 where it has none.
        rater: as it stands in the name, empty where it has none.
    """

    case: str
    kind: DrawKind
    number: int
    rater: str


class Pattern:
    """One pattern. Fields are ``{case}``, which every one has, ``{sample}``, ``{rater}`` and ``{draw}``.

    Args:
        text: the pattern, with slashes between folders.
        raters: names of the data set's raters; in names they may be percent-encoded, or column numbers.

    Raises:
        UsageError: a wrong field or ending, or a path that leads out of the folder.
    """

    def __init__(self, text: str, raters: Sequence[str]) -> None:
        self.text = text
        fields = FIELD.findall(text)
        self.kind = _kind(text, fields)
        if not text.endswith(ENDINGS):
            raise _wrong(text, f"a name that ends with {', '.join(ENDINGS)}")
        if text.startswith("/") or ".." in text.split("/") or "\\" in text:
            raise _wrong(text, "a path within the folder, with / between its parts")
        self._expression = re.compile(_expression(text, raters))

    def match(self, name: str) -> Match | None:
        """What the pattern reads in a path from the folder on, or None where it does not fit."""
        found = self._expression.fullmatch(name)
        if found is None:
            return None
        values = found.groupdict()
        number = int(values.get("sample") or values.get("draw") or 0)
        return Match(values["case"], self.kind, number, values.get("rater") or "")


def read_patterns(texts: Sequence[str], raters: Sequence[str]) -> list[Pattern]:
    """The patterns given, or without any those that ``mrbench export`` writes."""
    return [Pattern(text, raters) for text in texts or default_patterns()]


def default_patterns() -> Iterator[str]:
    """What ``mrbench export`` writes, with every ending."""
    return (stem + ending for stem in STEMS for ending in ENDINGS)


def _kind(text: str, fields: Sequence[str]) -> DrawKind:
    kinds = {
        frozenset({"case", "sample"}): DrawKind.SAMPLE,
        frozenset({"case", "rater"}): DrawKind.RATER,
        frozenset({"case", "rater", "draw"}): DrawKind.RATER,
        frozenset({"case"}): DrawKind.CONSENSUS,
    }
    if frozenset(fields) not in kinds:
        raise _wrong(text, "{case} with {sample}, with {rater}, with {rater} and {draw}, or alone for a consensus")
    return kinds[frozenset(fields)]


def _expression(text: str, raters: Sequence[str]) -> str:
    # Raters are spelt out and cases end early, so that either name may hold what stands between them.
    names = [*raters, *(quote(name, safe="") for name in raters), *map(str, range(len(raters)))]
    spelt = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    forms = {"case": "[^/]+?", "sample": "[0-9]{1,9}", "draw": "[0-9]{1,9}", "rater": spelt}
    seen: set[str] = set()
    parts = []
    for place, part in enumerate(FIELD.split(text)):  # every second part is the name of a field
        if place % 2 == 0:
            parts.append(re.escape(part))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>{forms[part]})")
            seen.add(part)
    return "".join(parts)


def _wrong(text: str, expected: str) -> UsageError:
    return UsageError(f"cannot use the pattern {text!r}", expected=expected, hint="'{case}/sample-{sample}.png' is one")
