"""Differences with their intervals as a figure that stands alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.cards import Direction
from mrbench.comparison.differences import Comparison, Difference, Verdict
from mrbench.comparison.report import ComparisonReport
from mrbench.errors import UsageError
from mrbench.files import replaced
from mrbench.results.columns import RESEARCH
from mrbench.statistics.correction import LEVEL
from mrbench.statistics.interval import LEVEL as INTERVAL

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
            f"line: {100 * INTERVAL:.0f} % interval over subjects and trainings; filled: differs at "
            f"{100 * LEVEL:.0f} % (Holm for the pairs of a panel); grey: the margin",
        )
        top = 0
        for ((dataset, metric), rows), height in zip(panels.items(), heights, strict=True):
            where = f"{dataset}: " if several else ""
            _forest(figure, where + metric, rows, (top, height))
            top += height
        _save(figure, path)


def _forest(
    figure: "Figure", heading: str, rows: Sequence[tuple[Comparison, Difference]], place: tuple[int, int]
) -> None:
    labels = _pair_labels([comparison for comparison, _ in rows])
    left = EDGE + LETTER * max(map(len, labels))
    axes = _axes(figure, place, left)
    for y, (_, difference) in enumerate(rows):
        value, interval = difference.estimate.value, difference.estimate.interval()
        told = difference.verdict is Verdict.DIFFERS
        if difference.margin:
            axes.barh(y, 2 * difference.margin, left=-difference.margin, color=_LIGHT["LINE"], zorder=-1)
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
