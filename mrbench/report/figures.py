"""The figures of a page. Each stands beside a table or a sentence that says the same."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from mrbench.cards import Direction
from mrbench.report import palette
from mrbench.report.choices import PARTS
from mrbench.report.picture import Picture
from mrbench.report.svg import INK, LINE, PAPER, as_svg, blank, drawing, hue_token, printable
from mrbench.results.columns import COSTS
from mrbench.results.curves import Curve
from mrbench.results.numbers import tick
from mrbench.results.table import Row, Table

LETTER = 6.2
"""Pixels that a letter of a label takes, about."""

ROW = 24
POINTS = 200
"""Points of a curve that are drawn at most."""


Styles = Mapping[str, int]
"""Number of the colour and marker of each label."""


def fold_picture(name: str, metric: str, table: Table, styles: Styles) -> Picture:
    """A dot per fold and a bar at their mean, one row per method."""
    rows = [row for row in table.rows if metric in row.values]
    with drawing():
        figure, axes = _rows(rows, 350)
        for place, row in enumerate(rows):
            value, style = row.values[metric], styles[row.label]
            axes.plot([value.mean] * 2, [place - 0.3, place + 0.3], color=hue_token(palette.hue(style)), linewidth=2)
            _dots(axes, list(value.folds.values()), [place] * len(value.folds), style, row.human)
        _ticks(axes)
        alt = f"{metric} of every fold: " + "; ".join(
            f"{row.label} {_listed(row.values[metric].folds.values())}" for row in rows
        )
        return Picture(metric, as_svg(figure, name, alt), _BETTER[table.columns[metric].direction])


_BETTER = {
    Direction.HIGHER: "further right is better",
    Direction.LOWER: "further left is better",
    Direction.NEITHER: "neither way is better",
}


def _rows(rows: Sequence[Row], width: int) -> Any:
    labels = [printable(row.label, 20) for row in rows]
    left = 12 + LETTER * max(map(len, labels))
    figure, axes = blank(width, 36 + ROW * len(rows), left=left, bottom=26, right=18)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), labels)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y")
    return figure, axes


def _ticks(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(axis="x", length=3)


def _dots(axes: Any, x: Sequence[float], y: Sequence[float], style: int, human: bool) -> None:
    colour = hue_token(palette.hue(style))
    axes.plot(
        x, y, linestyle="none", marker=palette.marker(style), markersize=7, color=colour,
        markerfacecolor=PAPER if human else colour, markeredgewidth=1.3, clip_on=False,
    )  # fmt: skip


def _listed(values: Any) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def curve_pictures(name: str, row: Row, style: int, stages: Mapping[str, Mapping[str, Curve]]) -> Iterator[Picture]:
    """Training and validation loss per epoch, one picture per stage, one pair of lines per fold and seed."""
    for number, (stage, trainings) in enumerate(stages.items()):
        with drawing():
            figure, axes = blank(270, 170, left=50, bottom=28)
            for curve in trainings.values():
                _lines(axes, curve, style, row.human)
            axes.grid(axis="y")
            _ticks(axes)
            axes.xaxis.get_major_locator().set_params(integer=True)
            _loss_axis(axes, [loss for curve in trainings.values() for loss in (*curve.train, *curve.validation)])
            title = row.label if len(stages) == 1 else f"{row.label}: {stage}"
            yield Picture(title, as_svg(figure, f"{name}s{number}", _curve_alt(title, trainings)))


def _lines(axes: Any, curve: Curve, style: int, human: bool) -> None:
    step = -(-len(curve.epochs) // POINTS)
    colour = hue_token(palette.hue(style))
    few = len(curve.epochs) <= 2
    axes.plot(
        curve.epochs[::step], curve.train[::step], color=colour, linewidth=1.2, dashes=(3, 2), alpha=0.75,
        marker="." if few else None,
    )  # fmt: skip
    if curve.validation:
        axes.plot(curve.epochs[::step], curve.validation[::step], color=colour, linewidth=1.6)
        best = curve.validation.index(min(curve.validation))
        _dots(axes, [curve.epochs[best]], [curve.validation[best]], style, human)


def _loss_axis(axes: Any, losses: Sequence[float]) -> None:
    # A first epoch that is far off must not flatten the others.
    low, high = min(losses), max(losses)
    if low > 0 and high > 10 * low:
        _logarithmic(axes, "y", low / 1.2, high * 1.2)
    else:
        axes.yaxis.get_major_locator().set_params(nbins=4)


def _curve_alt(title: str, trainings: Mapping[str, Curve]) -> str:
    first = next(iter(trainings.values()))
    lowest = [min(curve.validation) for curve in trainings.values() if curve.validation]
    text = f"Losses of {title} over {len(first.epochs)} epochs of {len(trainings)} trainings"
    return text + (f"; lowest validation loss {_listed(lowest)}" if lowest else "")


def parts_picture(name: str, table: Table, styles: Styles) -> Picture | None:
    """``2 ged_pa`` of each method as a bar made of its unbiased parts and, at its end, ``ged_unbiased``; below 0 that
    lies on the samples' part."""
    rows = [row for row in table.rows if all(part in row.values for part in PARTS)]
    if not rows:
        return None
    with drawing():
        figure, axes = _rows(rows, 720)
        axes.grid(visible=False)
        parts = {row.label: [row.values[part].mean for part in PARTS] for row in rows}
        for place, (label, (ged, _, pp, aa)) in enumerate(parts.items()):
            colour = hue_token(palette.hue(styles[label]))
            _bar(axes, place, 0, aa, LINE, "raters")
            _bar(axes, place, aa, pp, colour, "samples", alpha=0.35)
            _bar(axes, place, aa + pp + min(ged, 0), abs(ged), colour, "")
            axes.annotate(
                f"{ged:.3f}",
                (aa + pp + max(ged, 0), place),
                (6, 0),
                textcoords="offset points",
                va="center",
                weight="bold",
            )
        axes.set_xlim(0, 1.08 * max(max(2 * pa, pp + aa) for _, pa, pp, aa in parts.values()) or 1)
        _ticks(axes)
        alt = "Parts of ged_unbiased: " + "; ".join(
            f"{label} raters {aa:.3f}, samples {pp:.3f}, twice between them {2 * pa:.3f}, ged_unbiased {ged:.3f}"
            for label, (ged, pa, pp, aa) in parts.items()
        )
        return Picture("Where ged_unbiased comes from", as_svg(figure, name, alt))


def _bar(axes: Any, place: int, start: float, length: float, colour: str, word: str, alpha: float = 1.0) -> None:
    axes.barh(place, length, left=start, height=0.62, color=colour, alpha=alpha, edgecolor="none")
    if word and length > 0.1:
        axes.text(start + length / 2, place, f"{length:.3f}", ha="center", va="center", fontsize=10, color=INK)


def cost_pictures(name: str, metric: str, table: Table, styles: Styles) -> Iterator[Picture]:
    """The metric against what it costs, one picture for each cost in words that at least two methods have."""
    for number, cost in enumerate(cost for cost in COSTS if cost.words):
        rows = [row for row in table.rows if metric in row.values and row.costs.get(cost.name, 0) > 0]
        if len(rows) < 2:
            continue
        with drawing():
            figure, axes = blank(270, 190, left=58, bottom=30, right=20)
            for row in rows:
                _dots(axes, [row.costs[cost.name]], [row.values[metric].mean], styles[row.label], row.human)
            costs = [row.costs[cost.name] for row in rows]
            _logarithmic(axes, "x", min(costs) / 2, max(costs) * 2)
            axes.margins(y=0.15)
            axes.yaxis.get_major_locator().set_params(nbins=4)
            axes.grid(axis="y")
            alt = f"{metric} against {cost.words}: " + "; ".join(
                f"{row.label} {row.values[metric].mean:.4g} at {row.costs[cost.name]:.4g}" for row in rows
            )
            yield Picture(f"{metric} against {cost.words}", as_svg(figure, f"{name}c{number}", alt))


def _logarithmic(axes: Any, which: Literal["x", "y"], low: float, high: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(FixedLocator(_round_numbers(low, high)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))


def _round_numbers(low: float, high: float) -> list[float]:
    # 1, 2 and 5 times powers of ten, or powers of ten alone where these are enough.
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for leads in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        found = [lead * 10.0**power for power in powers for lead in leads if low <= lead * 10.0**power <= high]
        if len(found) >= 3:
            return found[:: -(-len(found) // 5)]
    return found
