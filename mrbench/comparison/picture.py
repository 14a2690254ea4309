"""Comparisons as figures that stand alone: intervals of differences, and critical-difference diagrams."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.cards import Direction
from mrbench.comparison.differences import Comparison, Difference
from mrbench.comparison.ranking import Diagram
from mrbench.comparison.report import ComparisonReport
from mrbench.errors import UsageError
from mrbench.files import replaced
from mrbench.results.columns import RESEARCH
from mrbench.results.numbers import p_relation
from mrbench.results.ties import LEVEL
from mrbench.statistics.bootstrap import LEVEL as INTERVAL
from mrbench.statistics.critical import CriticalDifference

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
WIDTH, LETTER, ROW, HEAD, FOOT, EDGE = 620, 6.4, 24, 34, 34, 16
"""Pixels: of the figure, of a letter, of a row, above and below a panel, and at its sides."""

CAPTION = 40
"""Pixels below all panels."""

LABEL = 44
"""Letters of a label at most."""

_LIGHT = {"INK": "#1c1e22", "MUTED": "#5b6069", "LINE": "#d9dade"}
_ACCENT = "#0072b2"


def check_picture(path: Path) -> None:
    """Refuses to begin what cannot be finished.

    Raises:
        UsageError: another ending, a folder that is not there, or no matplotlib.
    """
    if path.suffix.lower().removeprefix(".") not in FORMATS:
        raise UsageError(
            f"cannot draw {path}: what it should be is told by its ending",
            expected=", ".join(f".{name}" for name in FORMATS),
            hint=f"--picture {path.with_suffix('.svg')}",
        )
    if not path.parent.is_dir():
        raise UsageError(f"cannot draw {path}: there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")
    if find_spec("matplotlib") is None:
        raise UsageError("a picture needs matplotlib", hint="pip install 'mrbench[report]'")


def draw_differences(compared: ComparisonReport, path: Path) -> None:
    """A panel per data set and metric: the difference of each pair with its interval, filled where it is told apart.

    Raises:
        UsageError: no difference to draw.
    """
    panels: dict[tuple[str, str], list[tuple[Comparison, Difference]]] = {}
    for comparison in compared.comparisons:
        for difference in comparison.differences:
            panels.setdefault((comparison.a.dataset, difference.metric), []).append((comparison, difference))
    heights = [HEAD + ROW * len(rows) + FOOT for rows in panels.values()]
    several = len({dataset for dataset, _ in panels}) > 1
    with _drawing():
        figure = _figure(
            heights,
            f"line: {100 * INTERVAL:.0f} % bootstrap interval; filled: told apart at {100 * LEVEL:.0f} % "
            f"({compared.test} test, Holm for {compared.tests} tests)",
        )
        top = 0
        for ((dataset, metric), rows), height in zip(panels.items(), heights, strict=True):
            where = f"{dataset}: " if several else ""
            _forest(figure, where + metric, rows, compared.test, (top, height))
            top += height
        _save(figure, path)


def _forest(
    figure: "Figure",
    heading: str,
    rows: Sequence[tuple[Comparison, Difference]],
    test: str,
    place: tuple[int, int],
) -> None:
    labels = _pair_labels([comparison for comparison, _ in rows])
    left = EDGE + LETTER * max(map(len, labels))
    axes = _axes(figure, place, left)
    for y, (_, difference) in enumerate(rows):
        value, interval = difference.estimate.value, difference.estimate.interval
        told = difference.corrected.get(test, 1.0) < LEVEL
        if interval:
            axes.plot([interval.low, interval.high], [y, y], color=_ACCENT, linewidth=2, solid_capstyle="butt")
        axes.plot(
            [value], [y], marker="o", markersize=7, color=_ACCENT, markerfacecolor=_ACCENT if told else "white"
        )  # fmt: skip
    axes.axvline(0, color=_LIGHT["MUTED"], linewidth=1, zorder=0)
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.margins(x=0.08)
    direction = rows[0][0].metrics[rows[0][1].metric].direction
    axes.set_title(f"{heading}: B - A{_BETTER[direction]}", loc="left", fontsize=11)
    _few_ticks(axes)


_BETTER = {
    Direction.HIGHER: ", right of 0: B is better",
    Direction.LOWER: ", left of 0: B is better",
    Direction.NEITHER: "",
}


def _pair_labels(comparisons: Sequence[Comparison]) -> list[str]:
    several = len({one.runs for comparison in comparisons for one in (comparison.a, comparison.b)}) > 1
    sides = [
        [f"{one.method} ({', '.join(one.runs)})" if several else one.method for one in (comparison.b, comparison.a)]
        for comparison in comparisons
    ]
    return [_printable(" - ".join(pair)) for pair in sides]


def draw_diagrams(diagrams: Sequence[Diagram], path: Path) -> None:
    """A critical-difference diagram per metric (Demsar 2006, figure 1): methods on the line of mean ranks.

    Raises:
        UsageError: no diagram can be drawn; says why.
    """
    drawn = [(one, one.found) for one in diagrams if isinstance(one.found, CriticalDifference)]
    if not drawn:
        reasons = dict.fromkeys(f"{one.metric}: {one.found}" for one in diagrams)
        raise UsageError("no critical-difference diagram can be drawn", found="; ".join(reasons) or "nothing to rank")
    heights = [HEAD + 54 + 10 * len(found.groups) + 20 * ((len(found.ranks) + 1) // 2) for _, found in drawn]
    with _drawing():
        figure = _figure(heights, f"bars join methods that Nemenyi's test does not tell apart at {100 * LEVEL:.0f} %")
        top = 0
        for (diagram, found), height in zip(drawn, heights, strict=True):
            _critical(figure, diagram, found, (top, height))
            top += height
        _save(figure, path)


def _critical(figure: "Figure", diagram: Diagram, found: CriticalDifference, place: tuple[int, int]) -> None:
    m, bars = len(found.ranks), len(found.groups)
    longest = max(len(_printable(method)) for method in diagram.methods)
    axes = _axes(figure, place, EDGE + LETTER * (longest + 7), right=EDGE + LETTER * (longest + 7), foot=8)
    rows = (m + 1) // 2
    axes.set_xlim(1, m)
    axes.set_ylim(14 + 10 * bars + 20 * rows, -32)
    axes.axis("off")
    of = "" if diagram.samples is None else f", S {diagram.samples}"
    words = f"{diagram.metric}{of}: mean rank over {found.blocks} {diagram.blocks}, Friedman p {p_relation(found.p)}"
    axes.set_title(words, loc="center", fontsize=11)
    axes.plot([1, m], [0, 0], color=_LIGHT["INK"], linewidth=1, clip_on=False)
    for tick in range(1, m + 1):
        axes.plot([tick, tick], [0, -4], color=_LIGHT["INK"], linewidth=1, clip_on=False)
        axes.text(tick, -6, str(tick), ha="center", va="bottom", fontsize=10)
    width = min(found.difference, m - 1)
    axes.plot([1, 1 + width], [-26, -26], color=_ACCENT, linewidth=2)
    axes.text(1 + width, -26, f" critical difference {found.difference:.2f}", va="center", fontsize=10)
    _elbows(axes, diagram, found, 14 + 10 * bars)
    for number, group in enumerate(found.groups):
        ranks = [found.ranks[method] for method in group]
        ends = [min(ranks) - 0.02 * m, max(ranks) + 0.02 * m]
        axes.plot(ends, [10 + 10 * number] * 2, color=_ACCENT, linewidth=4, solid_capstyle="round", clip_on=False)


def _elbows(axes: Any, diagram: Diagram, found: CriticalDifference, top: float) -> None:
    """The best half of the methods at the left, the others at the right, each tied to its place on the line."""
    m = len(found.ranks)
    order = sorted(range(m), key=lambda method: found.ranks[method])
    half = (m + 1) // 2
    for position, method in enumerate(order):
        left = position < half
        depth = top + 20 * (position if left else m - 1 - position)
        edge, rank = (1 if left else m), found.ranks[method]
        axes.plot([rank, rank, edge], [0, depth, depth], color=_LIGHT["INK"], linewidth=1, clip_on=False)
        label = f"{_printable(diagram.methods[method])}  {rank:.2f} " if left else (
            f" {rank:.2f}  {_printable(diagram.methods[method])}"
        )  # fmt: skip
        axes.text(edge, depth, label, ha="right" if left else "left", va="center", fontsize=11)


@contextmanager
def _drawing() -> Iterator[None]:
    import matplotlib as mpl

    from mrbench.report import svg

    real = {svg.INK: _LIGHT["INK"], svg.MUTED: _LIGHT["MUTED"], svg.LINE: _LIGHT["LINE"], "none": "white"}
    look: Any = {key: real.get(value, value) for key, value in svg.RC.items() if key != "svg.fonttype"}
    with mpl.rc_context({**look, "axes.facecolor": "none", "svg.fonttype": "none", "svg.hashsalt": "mrbench"}):
        yield


def _figure(heights: Sequence[int], caption: str) -> "Figure":
    """A figure for panels of these heights, with a line below them."""
    from matplotlib.figure import Figure

    height = sum(heights) + CAPTION
    figure = Figure(figsize=(WIDTH / 72, height / 72))
    figure.text(EDGE / WIDTH, 22 / height, caption, fontsize=9, color=_LIGHT["MUTED"])
    figure.text(EDGE / WIDTH, 9 / height, RESEARCH, fontsize=9, color=_LIGHT["MUTED"])
    return figure


def _axes(figure: "Figure", place: tuple[int, int], left: float, right: float = EDGE, foot: float = FOOT) -> Any:
    """Axes of a panel; its top and height in pixels from the top of the figure."""
    top, height = place
    total = figure.get_size_inches()[1] * 72
    left = min(left, WIDTH * 0.6)
    right = min(right, WIDTH * 0.3)
    bottom = total - top - height + foot
    return figure.add_axes(
        (left / WIDTH, bottom / total, (WIDTH - left - right) / WIDTH, (height - HEAD - foot) / total)
    )


def _few_ticks(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _printable(text: str) -> str:
    from mrbench.report.svg import printable

    return printable(text, LABEL)


def _save(figure: "Figure", path: Path) -> None:
    import warnings

    kind = path.suffix.lower().removeprefix(".")
    metadata = {"Date": None} if kind == "svg" else {"CreationDate": None} if kind == "pdf" else {}
    with replaced(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # letters of names that the font lacks
        figure.savefig(temporary, format=kind, dpi=144, metadata=metadata)
