"""Figures of an agreement report as PNG, on a light ground: heat maps whose every square has its number."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from mrbench.agreement.document import class_names, has_columns
from mrbench.agreement.survey import Agreement
from mrbench.data.description import Raters
from mrbench.files import replaced
from mrbench.report.svg import RC, printable
from mrbench.results.numbers import short

INK, MUTED, PAPER = "#1c1e22", "#5b6069", "#ffffff"
"""Of the report's page in light."""

LIGHT: Any = RC | {
    "figure.facecolor": PAPER,
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}
SHADES = "Blues"
"""From white to one dark hue: lightness alone carries the value, for colour-blind eyes and in print too."""

SQUARE, DPI = 46, 144
"""Side of a square in points, and pixels per inch."""

LETTER = 6.4
"""Points that a letter of a label takes, about."""


def write_pictures(found: Agreement, folder: Path) -> list[Path]:
    """``distances.png`` and ``ranks.png``, one of each per class where there are several; returns their paths.

    Anonymous raters have neither: a column is nobody. Nor are there ranks where no case has all raters.
    """
    written: list[Path] = []
    if not has_columns(found):
        return written
    names = class_names(found)
    for place, name in enumerate(names):
        of, end = (f", {name}", f"-{place + 1}") if len(names) > 1 else ("", "")
        with mpl.rc_context(LIGHT):
            written.append(_saved(_distances(found, place, of), folder / f"distances{end}.png"))
            if np.isfinite(found.estimates["ranks"].value[place]).any():
                written.append(_saved(_ranks(found, place, of), folder / f"ranks{end}.png"))
    return written


def _distances(found: Agreement, place: int, of: str) -> Figure:
    values = found.estimates["distance"].value[place].copy()
    np.fill_diagonal(values, np.nan)
    names = [printable(name, 20) for name in found.description.rater_names]
    title = f"{printable(found.description.name, 30)}{of}: distance of two raters"
    low, high = (float(limit(values)) for limit in (np.nanmin, np.nanmax)) if np.isfinite(values).any() else (0.0, 1.0)
    return _heat_map(values, names, names, title, _facts(found, "mean of 1 - IoU"), (low, high))


def _ranks(found: Agreement, place: int, of: str) -> Figure:
    numbers = found.estimates["ranks"]
    names = [printable(name, 20) for name in found.description.rater_names]
    title = f"{printable(found.description.name, 30)}{of}: area ranks"
    ranks = [str(rank + 1) for rank in range(len(names))]
    figure = _heat_map(
        numbers.value[place], names, ranks, title, _facts(found, "share of the cases"),
        (0.0, float(np.nanmax(numbers.value[place]))), digits=2,
    )  # fmt: skip
    figure.axes[0].set_xlabel("rank by area, 1 the smallest")
    return figure


def _facts(found: Agreement, what: str) -> str:
    virtual = "; virtual raters" if found.description.raters is Raters.RANKED else ""
    return f"{what}; {found.n_cases} cases{virtual}"


def _heat_map(
    values: np.ndarray,
    rows: list[str],
    columns: list[str],
    title: str,
    facts: str,
    limits: tuple[float, float],
    digits: int = 3,
) -> Figure:
    long = max(map(len, columns)) * LETTER
    slanted = long > SQUARE
    left, bottom, top = 14 + LETTER * max(map(len, rows)), (10 + 0.72 * long if slanted else 34), 46
    width = max(left + SQUARE * len(columns) + 16, 6.6 * max(len(title), len(facts)) + 20)
    height = bottom + SQUARE * len(rows) + top
    figure = Figure(figsize=(width / 72, height / 72))
    box = (left / width, bottom / height, SQUARE * len(columns) / width, SQUARE * len(rows) / height)
    axes = figure.add_axes(box)
    shades = mpl.colormaps[SHADES].with_extremes(bad="#f0f0ee")
    scale = mpl.colors.Normalize(limits[0], _above(limits))
    axes.imshow(np.ma.masked_invalid(values), cmap=shades, norm=scale, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=45 if slanted else 0, ha="right" if slanted else "center")
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for row, column in np.argwhere(np.isfinite(values)).tolist():
        ground = shades(scale(values[row, column]))
        axes.text(column, row, short(values[row, column], digits), ha="center", va="center", color=_on(ground))
    axes.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color=PAPER, linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    figure.text(10 / width, 1 - 18 / height, title, fontsize=12, weight="bold")
    figure.text(10 / width, 1 - 35 / height, facts, color=MUTED)
    return figure


def _above(limits: tuple[float, float]) -> float:
    # Equal ends would leave no scale.
    return limits[1] if limits[1] > limits[0] else limits[0] + 1.0


def _on(ground: tuple[float, ...]) -> str:
    """The colour of text that stands out more from a ground, by the contrast of WCAG 2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in ground[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return INK if luminance > 0.2 else PAPER


def _saved(figure: Figure, path: Path) -> Path:
    import warnings

    with replaced(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # letters that the font lacks
        figure.savefig(temporary, format="png", dpi=DPI)
    return path
