"""Figures belong to the page: no style, no request, no markup out of a name."""

import re
from xml.etree import ElementTree

import pytest

from mrbench.report.svg import INK, _attributes, as_svg, blank, drawing, hue_token, printable

HOSTILE = "<script>alert(1)</script> & $x_1$ \u4e2d"


def drawn(label: str = "a") -> str:
    with drawing():
        figure, axes = blank(200, 100, left=40, bottom=20)
        axes.plot([1, 2], [3, 4], marker="o", color=hue_token(3), label=label)
        axes.text(1, 3, label, color=INK)
        return as_svg(figure, "d0f1", f"Figure of {label}")


def test_text_stays_text_and_markup_is_escaped():
    svg = drawn(HOSTILE)
    root = ElementTree.fromstring(svg)
    assert HOSTILE in [element.text for element in root.iter() if element.tag.endswith("text")]
    assert root.get("aria-label") == f"Figure of {HOSTILE}"
    assert "<script" not in svg


def test_colours_are_those_of_the_page():
    svg = drawn()
    assert "currentColor" in svg
    assert "var(--c3)" in svg
    assert not re.search(r'#[0-9a-f]{6}"', svg)


def test_nothing_but_attributes_within_the_page():
    svg = drawn()
    assert not re.search(r"style|metadata|xlink|font-family|https?://(?!www\.w3\.org/2000/svg)", svg)
    ids = re.findall(r' id="([^"]+)"', svg)
    assert ids
    assert all(name.startswith("d0f1-") for name in ids)
    assert {*re.findall(r'href="#([^"]+)"', svg), *re.findall(r"url\(#([^)]+)\)", svg)} <= set(ids)


def test_the_same_figure_is_the_same_text():
    assert drawn() == drawn()


@pytest.mark.parametrize(
    ("text", "expected"), [("short", "short"), ("a\x00b\n", "a\ufffdb\ufffd"), ("0123456789", "01…89")]
)
def test_labels_are_printable_and_of_bounded_length(text: str, expected: str):
    assert printable(text, 5) == expected


def test_the_font_of_older_versions_of_matplotlib_keeps_its_size_and_weight():
    style = {"style": "font: 700 10px 'DejaVu Sans', sans-serif; text-anchor: middle"}
    assert dict(_attributes(style, "a")) == {"font-size": "10px", "font-weight": "700", "text-anchor": "middle"}
    assert dict(_attributes({"style": "font: 11px 'DejaVu Sans'"}, "a")) == {"font-size": "11px"}
