"""The figures of the pages. Each stands beside a table that says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mrbench.leaderboard.site.plot import LETTER, Plot, cut, powers, ticks
from mrbench.report import palette
from mrbench.report.choices import PARTS
from mrbench.report.picture import Picture
from mrbench.results import numbers
from mrbench.results.curves import Curve
from mrbench.results.table import Row, Table

ROWS = 30
"""Methods in a figure at most."""

LABEL = 24
"""Letters of a label at most."""

POINTS = 150
"""Points of a curve that are drawn at most."""


def parts_picture(table: Table, styles: Mapping[str, int]) -> Picture | None:
    """``2 ged_pa`` of each row as a bar made of its unbiased parts and, at its end, ``ged_unbiased``, which lies on the
    samples' part where it is below 0; None where no row has them. Methods first, best first, then human references; at
    most ``ROWS``."""
    found = [row for row in table.rows if row.newest and all(part in row.values for part in PARTS)]
    rows = found[:ROWS]
    if not rows:
        return None
    values = [[row.values[part].mean for part in PARTS] for row in rows]
    longest = max([aa + pp + max(ged, 0) for ged, _, pp, aa in values] + [1e-9])
    left, width, top = 14 + LETTER * max(len(cut(row.label, LABEL)) for row in rows), 760, 6
    scale = (width - left - 64) / longest
    alt = "; ".join(
        f"{row.label} ged_unbiased {ged:.3f}, samples {pp:.3f}, raters {aa:.3f}"
        for row, (ged, _, pp, aa) in zip(rows, values, strict=True)
    )
    plot = Plot(width, top + 26 * len(rows) + 24, f"Parts of ged_unbiased: {alt}")
    for tick in ticks(0, longest):
        plot.line(left + tick * scale, top, left + tick * scale, plot.height - 20, "grid")
        plot.text(left + tick * scale, plot.height - 4, numbers.tick(tick), "small middle")
    for place, (row, own) in enumerate(zip(rows, values, strict=True)):
        _parts_bar(plot, row, own, (left, top + 26 * place, scale), styles.get(row.method, 0))
    note = f"the first {ROWS} of {len(found)} rows" if len(found) > ROWS else ""
    return Picture("Where ged_unbiased comes from", plot.svg(), note)


def _parts_bar(plot: Plot, row: Row, own: Sequence[float], place: tuple[float, float, float], style: int) -> None:
    (left, y, scale), (ged, _, pp, aa) = place, own
    colour = f"c{palette.hue(style)}"
    plot.text(left - 8, y + 16, cut(row.label, LABEL), "end muted" if row.human else "end")
    plot.box(left, y + 4, aa * scale, 16, "raters")
    plot.box(left + aa * scale, y + 4, pp * scale, 16, f"{colour} pale")
    plot.box(left + (aa + pp + min(ged, 0)) * scale, y + 4, abs(ged) * scale, 16, f"{colour} full")
    for start, length in ((0.0, aa), (aa, pp)):
        if length * scale > 40:
            plot.text(left + (start + length / 2) * scale, y + 16, f"{length:.3f}", "small middle ink")
    plot.text(left + (aa + pp + max(ged, 0)) * scale + 6, y + 16, f"{ged:.3f}", "strong")


def curve_picture(title: str, stage: str, trainings: Mapping[str, Curve], style: int) -> Picture:
    """Loss per epoch of one stage: validation solid, training dashed, a pair of lines for every training, a point at
    the lowest validation loss. Logarithmic where losses span more than a factor of ten."""
    losses = [loss for curve in trainings.values() for loss in (*curve.train, *curve.validation)]
    low, high = min(losses), max(losses)
    logarithmic = low > 0 and high > 10 * low
    last = max(epoch for curve in trainings.values() for epoch in curve.epochs)
    plot = Plot(300, 170, _curve_alt(f"{title} {stage}", trainings))
    x, y = _Scale(1, max(last, 2), 46, 290), _Scale(low, high if high > low else low + 1, 140, 10, logarithmic)
    for tick in powers(low, high) if logarithmic else ticks(y.low, y.high):
        plot.line(46, y(tick), 290, y(tick), "grid")
        plot.text(40, y(tick) + 4, numbers.tick(tick), "small end")
    for tick in ticks(1, max(last, 2), 5):
        if tick == int(tick):
            plot.text(x(tick), 158, numbers.tick(tick), "small middle")
    colour = f"c{palette.hue(style)}"
    for curve in trainings.values():
        step = -(-len(curve.epochs) // POINTS)
        for values, look in ((curve.train, "training"), (curve.validation, "validation")):
            points = [(x(e), y(v)) for e, v in zip(curve.epochs[::step], values[::step], strict=False)]
            if len(points) > 1:
                plot.path(points, f"{colour} {look}")
        if curve.validation:
            best = min(range(len(curve.validation)), key=curve.validation.__getitem__)
            plot.dot(x(curve.epochs[best]), y(curve.validation[best]), f"{colour} full")
    return Picture(stage or title, plot.svg())


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        from math import log

        low, high, own = self.low, self.high, value
        if self.logarithmic:
            low, high, own = log(low), log(high), log(own)
        return self.start + (own - low) / (high - low) * (self.end - self.start)


def _curve_alt(title: str, trainings: Mapping[str, Curve]) -> str:
    lowest = ", ".join(f"{min(curve.validation):.4g}" for curve in trainings.values() if curve.validation)
    text = f"Losses of {title.strip()}, {len(trainings)} trainings"
    return f"{text}; lowest validation losses {lowest}" if lowest else text
