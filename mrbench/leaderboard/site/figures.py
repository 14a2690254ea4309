"""The figures of the pages. Each stands beside a table that says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mrbench.leaderboard.board import RankDiagram
from mrbench.leaderboard.site.plot import LETTER, Plot, cut, powers, ticks
from mrbench.report import palette
from mrbench.report.choices import PARTS
from mrbench.report.curves import Curve
from mrbench.report.picture import Picture
from mrbench.results import numbers
from mrbench.results.table import Row, Table

ROWS = 30
"""Methods in a figure at most."""

LABEL = 24
"""Letters of a label at most."""

SHORT = 18
"""Likewise, where labels stand at both sides."""

RANKS_WIDTH, RANKS_TOP = 580.0, 46.0
"""Of a diagram of ranks: its width, and the place of its line."""

POINTS = 150
"""Points of a curve that are drawn at most."""


def parts_picture(table: Table, styles: Mapping[str, int]) -> Picture | None:
    """``2 ged_pa`` of each row as a bar made of ``ged_aa``, ``ged_pp`` and, at its end, ``ged``; None where no row has
    them. Methods first, best first, then human references; at most ``ROWS``."""
    found = [row for row in table.rows if row.newest and all(part in row.values for part in PARTS)]
    rows = found[:ROWS]
    if not rows:
        return None
    values = [[row.values[part].mean for part in PARTS] for row in rows]
    longest = max([aa + pp + max(ged, 0) for ged, _, pp, aa in values] + [1e-9])
    left, width, top = 14 + LETTER * max(len(cut(row.label, LABEL)) for row in rows), 760, 6
    scale = (width - left - 64) / longest
    alt = "; ".join(
        f"{row.label} ged {ged:.3f}, samples {pp:.3f}, raters {aa:.3f}"
        for row, (ged, _, pp, aa) in zip(rows, values, strict=True)
    )
    plot = Plot(width, top + 26 * len(rows) + 24, f"Parts of ged: {alt}")
    for tick in ticks(0, longest):
        plot.line(left + tick * scale, top, left + tick * scale, plot.height - 20, "grid")
        plot.text(left + tick * scale, plot.height - 4, numbers.tick(tick), "small middle")
    for place, (row, own) in enumerate(zip(rows, values, strict=True)):
        _parts_bar(plot, row, own, (left, top + 26 * place, scale), styles.get(row.method, 0))
    note = f"the first {ROWS} of {len(found)} rows" if len(found) > ROWS else ""
    return Picture("Where ged comes from", plot.svg(), note)


def _parts_bar(plot: Plot, row: Row, own: Sequence[float], place: tuple[float, float, float], style: int) -> None:
    (left, y, scale), (ged, _, pp, aa) = place, own
    colour = f"c{palette.hue(style)}"
    plot.text(left - 8, y + 16, cut(row.label, LABEL), "end muted" if row.human else "end")
    plot.box(left, y + 4, aa * scale, 16, "raters")
    plot.box(left + aa * scale, y + 4, pp * scale, 16, f"{colour} pale")
    plot.box(left + (aa + pp) * scale, y + 4, ged * scale, 16, f"{colour} full")
    for start, length in ((0.0, aa), (aa, pp)):
        if length * scale > 40:
            plot.text(left + (start + length / 2) * scale, y + 16, f"{length:.3f}", "small middle ink")
    plot.text(left + (aa + pp + max(ged, 0)) * scale + 6, y + 16, f"{ged:.3f}", "strong")


def rank_picture(diagram: RankDiagram) -> Picture:
    """A critical-difference diagram (Demsar 2006, figure 1): methods on the line of mean ranks, the best half at the
    left; bars join what is not told apart. Methods in the middle are left out where there are more than ``ROWS``."""
    m = len(diagram.methods)
    shown = list(range(m)) if m <= ROWS else [*range(ROWS // 2), *range(m - ROWS // 2, m)]
    bars = diagram.groups[:ROWS]
    half, first = (len(shown) + 1) // 2, RANKS_TOP + 26 + 9 * len(bars)
    plot = Plot(RANKS_WIDTH, first + 22 * half - 4, _rank_alt(diagram, shown))
    longest = max(len(cut(diagram.methods[one], SHORT)) for one in shown)
    margin = 44 + LETTER * longest
    at = _Scale(1, max(m, 2), margin, RANKS_WIDTH - margin)
    _rank_axis(plot, at, m, diagram.difference)
    for place, one in enumerate(shown):
        y = first + 22 * (place if place < half else len(shown) - 1 - place)
        _elbow(plot, diagram, one, (at(diagram.ranks[one]), y), margin, left=place < half)
    for number, group in enumerate(bars):
        ranks, y = [diagram.ranks[one] for one in group], RANKS_TOP + 10 + 9 * number
        plot.line(at(min(ranks)) - 5, y, at(max(ranks)) + 5, y, "bar")
    of = "" if diagram.samples is None else f", S {diagram.samples}"
    p = "< .0001" if diagram.p < 0.00005 else f"= {diagram.p:.4f}".replace("0.", ".", 1)
    note = f"{diagram.blocks} subjects, Friedman p {p}" + (f", {m - ROWS} of {m} left out" if m > ROWS else "")
    return Picture(f"{diagram.metric}{of}", plot.svg(), note)


def _rank_alt(diagram: RankDiagram, shown: Sequence[int]) -> str:
    listed = ", ".join(f"{diagram.methods[one]} {diagram.ranks[one]:.2f}" for one in shown)
    where = f"Mean ranks of {diagram.metric} over {diagram.blocks} subjects"
    return f"{where}: {listed}; critical difference {diagram.difference:.2f}"


def _rank_axis(plot: Plot, at: "_Scale", m: int, difference: float) -> None:
    plot.line(at(1), RANKS_TOP, at(m), RANKS_TOP, "axis")
    for tick in ticks(1, m, min(m - 1, 10)) if m > 1 else [1.0]:
        plot.line(at(tick), RANKS_TOP, at(tick), RANKS_TOP - 4, "axis")
        plot.text(at(tick), RANKS_TOP - 8, numbers.tick(tick), "small middle")
    end = at(1 + min(difference, m - 1))
    plot.line(at(1), 14, end, 14, "accent")
    plot.text(end + 8, 18, f"critical difference {difference:.2f}", "small")


def _elbow(
    plot: Plot, diagram: RankDiagram, one: int, place: tuple[float, float], margin: float, *, left: bool
) -> None:
    """A method's name at one side, tied to its place on the line."""
    x, y = place
    edge = margin - 4 if left else plot.width - margin + 4
    plot.path([(x, RANKS_TOP), (x, y), (edge, y)], "axis")
    name, rank = cut(diagram.methods[one], SHORT), f"{diagram.ranks[one]:.2f}"
    plot.text(edge - 5 if left else edge + 5, y + 4, f"{name}  {rank}" if left else f"{rank}  {name}", "end" * left)


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
