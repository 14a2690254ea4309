"""Figures drawn straight as SVG: axes, marks and text in the page's own colours, a few KB and well under a millisecond
each, because a site may have thousands."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

LETTER = 6.4
"""Pixels that a letter of a label takes, about."""


def cut(text: str, length: int) -> str:
    """At most ``length`` characters; what is cut off is an ellipsis in the middle."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[head + 1 - length :]}"


@dataclass
class Plot:
    """An ``<svg>`` element in the making; lengths in pixels of the page, from the upper left corner."""

    width: float
    height: float
    alt: str
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, look: str) -> None:
        """A straight line; ``look``: classes of the style sheet."""
        self.parts.append(f'<path class="{look}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>')

    def path(self, points: Sequence[tuple[float, float]], look: str) -> None:
        """A line through points."""
        inner = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.parts.append(f'<path class="{look}" d="M{inner}"/>')

    def box(self, x: float, y: float, width: float, height: float, look: str) -> None:
        """A filled rectangle."""
        self.parts.append(
            f'<rect class="{look}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}"/>'
        )

    def dot(self, x: float, y: float, look: str) -> None:
        """A point."""
        self.parts.append(f'<circle class="{look}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')

    def text(self, x: float, y: float, text: str, look: str = "") -> None:
        """Text whose base line begins at the point; ``end`` and ``middle`` in ``look`` move it."""
        self.parts.append(f'<text class="{look}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>')

    def svg(self) -> str:
        """The element; every text in it is escaped."""
        return (
            f'<svg class="plot" viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}"'
            f' height="{self.height:g}" role="img" aria-label="{escape(self.alt)}">{"".join(self.parts)}</svg>'
        )


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers between two others, about ``count``."""
    if not high > low:
        return [low]
    raw = (high - low) / count
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(lead * size for lead in (1, 2, 2.5, 5, 10) if lead * size >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def powers(low: float, high: float) -> list[float]:
    """Round numbers of a logarithmic scale, two to six of them."""
    span = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for leads in ((1,), (1, 3), (1, 2, 5)):
        found = [lead * 10.0**power for power in span for lead in leads if low <= lead * 10.0**power <= high]
        if len(found) >= 2:
            break
    return found[:: -(-len(found) // 6)] if found else [low]
