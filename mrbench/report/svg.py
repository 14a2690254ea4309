"""Figures as SVG that belongs to the page: its fonts, its colours in light and dark, and no style of its own."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.figure import Figure

INK, MUTED, LINE, PAPER = "#fe0100", "#fe0101", "#fe0102", "#fe0103"
"""Stand for colours of the page while matplotlib draws; no figure uses them otherwise."""

_TOKENS = {INK: "currentColor", MUTED: "var(--muted)", LINE: "var(--line)", PAPER: "var(--paper)"}
_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_DROPPED = {"font-family", "stroke-miterlimit"}

RC: Any = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.linewidth": 1,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 11,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
}


def hue_token(hue: int) -> str:
    """Stands for a method's colour while matplotlib draws."""
    return f"#fe02{hue:02x}"


@contextmanager
def drawing() -> Iterator[None]:
    """Figures made within look like the page."""
    with mpl.rc_context(RC):
        yield


def blank(width: float, height: float, *, left: float, bottom: float, right: float = 12, top: float = 8) -> Any:
    """A figure and its axes; all lengths in pixels of the page."""
    figure = Figure(figsize=(width / 72, height / 72))
    box = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    return figure, figure.add_axes(box)


def printable(text: str, length: int) -> str:
    """At most ``length`` characters that can stand in a figure; what is cut off is an ellipsis in the middle."""
    clean = "".join(c if c.isprintable() else "�" for c in text)
    if len(clean) <= length:
        return clean
    head = (length - 1) // 2
    return f"{clean[:head]}…{clean[head + 1 - length :]}"


def as_svg(figure: Figure, name: str, alt: str) -> str:
    """The figure as an ``<svg>`` element.

    Args:
        name: letters and digits; unique on the page, for the ids within.
        alt: what it shows, for those who cannot see it.
    """
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": name}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # letters that the font for measuring lacks; the page has them
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(buffer.getvalue())
    _cleaned(root, name)
    width, height = (f"{length * 72:g}" for length in figure.get_size_inches())
    root.attrib = {"viewBox": f"0 0 {width} {height}", "width": width, "height": height}
    root.attrib |= {"role": "img", "aria-label": alt}
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _LINK)
    return ElementTree.tostring(root, encoding="unicode")


def _cleaned(element: ElementTree.Element, name: str) -> None:
    for child in list(element):
        if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
            element.remove(child)
        else:
            _cleaned(child, name)
    if element.tag == f"{{{_SVG}}}g":
        element.attrib.pop("id", None)  # nothing refers to a group
    element.attrib = dict(_attributes(element.attrib, name))
    element.tail = None
    if element.tag != f"{{{_SVG}}}text":
        element.text = None


def _attributes(found: dict[str, str], name: str) -> Iterator[tuple[str, str]]:
    # Styles become attributes, which a page that forbids inline styles still shows.
    styles = dict(part.split(":", 1) for part in found.pop("style", "").split(";") if ":" in part)
    for key, value in {**found, **{key.strip(): value.strip() for key, value in styles.items()}}.items():
        if key in _DROPPED or (key == "transform" and value.startswith("rotate(-0 ")):
            continue
        if key == "font":
            yield from _font(value)
        elif key == "id":
            yield key, f"{name}-{value}"
        elif key == f"{{{_LINK}}}href":
            yield "href", f"#{name}-{value[1:]}"
        elif value.startswith("url(#"):
            yield key, f"url(#{name}-{value[5:]}"
        elif key == "d":
            yield key, re.sub(r"\s+", " ", value).strip()
        else:
            yield key, _colour(value)


def _font(shorthand: str) -> Iterator[tuple[str, str]]:
    # Older versions of matplotlib write size and weight as one property, which is no attribute.
    yield from (("font-size", word) for word in re.findall(r"[\d.]+px", shorthand)[:1])
    yield from (("font-weight", word) for word in re.findall(r"^(bold|[5-9]00)\b", shorthand))


def _colour(value: str) -> str:
    if value.startswith("#fe02"):
        return f"var(--c{int(value[5:], 16)})"
    return _TOKENS.get(value, value)
