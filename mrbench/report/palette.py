"""Colours, markers and dashes by which a page tells methods and raters apart; colour alone carries nothing."""

from mrbench.pictures import COLOURS

HUES = 7
"""Method colours ``--c0`` .. of the style sheet, after Okabe and Ito, apart from each other and from the paper."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
"""Of figures. Their number and that of the hues have no common factor, so that 56 methods differ."""

GLYPHS = ("●", "■", "▲", "◆", "▼", "✚", "✖", "◀")
"""The markers as text, for the keys in tables."""

RATER_DASHES = ((), (6, 3), (2, 2), (8, 3, 2, 3), (12, 4), (4, 2, 1, 2))
"""Lengths of dash and gap, in pixels of the screen, of each rater's contour."""


def hue(style: int) -> int:
    """The number of a method's colour."""
    return style % HUES


def marker(style: int) -> str:
    """A method's marker."""
    return MARKERS[style % len(MARKERS)]


def glyph(style: int) -> str:
    """A method's marker as text."""
    return GLYPHS[style % len(GLYPHS)]


def rater_colour(rater: int) -> str:
    """A rater's colour as in every picture of mrbench, ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*COLOURS[rater % len(COLOURS)])


def rater_dash(rater: int) -> list[int]:
    """A rater's dash."""
    return list(RATER_DASHES[rater % len(RATER_DASHES)])
