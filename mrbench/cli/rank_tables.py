"""The tables of ``mrbench compare --ranks``."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from mrbench.cli.columns import Column, print_columns, print_notes
from mrbench.cli.compare_tables import methods_json
from mrbench.cli.tables import title
from mrbench.comparison.ranking import Diagram, RankedMethod, Ranking
from mrbench.comparison.report import ComparisonReport
from mrbench.results import ties
from mrbench.results.columns import RESEARCH, header
from mrbench.results.numbers import p_relation, short, short_interval
from mrbench.statistics.bootstrap import DRAWS, LEVEL
from mrbench.statistics.critical import METHODS, CriticalDifference

NO_RANKS = "no two complete methods that may be ranked with each other (sample metrics: of equal S)"


def print_ranks(compared: ComparisonReport, rankings: Sequence[Ranking], diagrams: Sequence[Diagram]) -> None:
    """Prints a table per data set and metric, then the mean ranks over all."""
    console = Console()
    for table in compared.tables:
        console.print()
        console.print(title(table.dataset, table.description, f"scoring protocol {compared.protocol.name}"))
        own = [ranking for ranking in rankings if ranking.dataset == table.dataset]
        for ranking in own:
            print_columns(console, *_columns(ranking))
            print_notes(console, [f"no ranks: {ranking.reason}"] if ranking.reason else [])
            console.print()
        print_notes(console, [] if own else [NO_RANKS])
    for diagram in diagrams:
        if len(diagram.methods) < METHODS:
            continue
        console.print(Text(f"{diagram.metric}{_of(diagram.samples)}", style="bold").append(_over(diagram), "not bold"))
        print_notes(console, diagram_lines(diagram))
        console.print()
    print_notes(console, [f"left out: {note}" for note in compared.pairing.notes])
    print_notes(console, _legend(diagrams))


def _of(samples: int | None) -> str:
    return "" if samples is None else f", S {samples}"


def _over(diagram: Diagram) -> str:
    return f"  mean ranks over {diagram.blocks} of {', '.join(diagram.datasets)}"


def _columns(ranking: Ranking) -> tuple[Column, list[Column]]:
    share = f"{100 * LEVEL:.0f} %"
    cells = [_cells(one, ranking.metric) for one in ranking.methods]
    names = Column(
        f"{header(ranking.metric, ranking.column)}{_of(ranking.samples)}",
        [Text(one.row.label) for one in ranking.methods],
    )
    headers = ("mean", f"{share} interval", "rank", f"{share} of draws", "best", "group")
    return names, [Column(header, [Text(row[place]) for row in cells]) for place, header in enumerate(headers)]


def _cells(one: RankedMethod, metric: str) -> tuple[str, ...]:
    interval, rank = one.value.interval, one.rank
    return (
        short(one.value.value),
        short_interval(interval.low, interval.high) if interval else "",
        f"{rank.mean:.2f}" if rank else "",
        f"{rank.low:g} .. {rank.high:g}" if rank else "",
        f"{100 * rank.best:.0f}%" if rank else "",
        one.row.values[metric].letters,
    )


def diagram_lines(diagram: Diagram) -> Iterator[str]:
    """A critical-difference diagram in words."""
    found = diagram.found
    if not isinstance(found, CriticalDifference):
        yield f"none: {found}"
        return
    order = sorted(range(len(found.ranks)), key=lambda place: found.ranks[place])
    yield ", ".join(f"{diagram.methods[place]} {found.ranks[place]:.2f}" for place in order)
    p = p_relation(found.p)
    yield f"Friedman p {p} over {found.blocks} {diagram.blocks}; critical difference {found.difference:.2f}"
    if found.p >= ties.LEVEL:
        yield "no two are told apart"
    else:
        groups = [" = ".join(diagram.methods[place] for place in group) for group in found.groups]
        yield f"not told apart: {'; '.join(groups) or 'none'}"


def _legend(diagrams: Sequence[Diagram]) -> Iterator[str]:
    yield (
        f"rank: mean over {DRAWS:,} bootstrap draws of subjects, 1 the best; best: in how many draws; about other "
        "subjects, not other trainings"
    )
    yield f"group: {ties.HOW}"
    if any(len(diagram.methods) >= METHODS for diagram in diagrams):
        yield "mean ranks: Friedman and Nemenyi (Demsar 2006), which take the blocks for independent" + (
            "; folds of one data set are not" if diagrams[0].blocks == "folds" else ""
        )
    yield RESEARCH


def ranks_json(compared: ComparisonReport, rankings: Sequence[Ranking], diagrams: Sequence[Diagram]) -> dict[str, Any]:
    """The same content as JSON types."""
    return {
        "test": compared.test,
        "tests": compared.tests,
        "left_out": list(compared.pairing.notes),
        "methods": [methods_json(table) for table in compared.tables],
        "rankings": [_ranking_json(ranking) for ranking in rankings],
        "mean_ranks": [_diagram_json(diagram) for diagram in diagrams],
    }


def _ranking_json(ranking: Ranking) -> dict[str, Any]:
    methods: list[dict[str, Any]] = [
        {
            "method": one.row.label,
            "letters": one.row.values[ranking.metric].letters,
            "rank": asdict(one.rank) if one.rank else None,
            "value": one.value.value,
            "interval": asdict(one.value.interval) if one.value.interval else None,
        }
        for one in ranking.methods
    ]
    return {
        "dataset": ranking.dataset,
        "metric": ranking.metric,
        "direction": ranking.column.direction.value,
        "samples": ranking.samples,
        "methods": methods,
        "no_ranks": ranking.reason,
    }


def _diagram_json(diagram: Diagram) -> dict[str, Any]:
    found = diagram.found
    shown = {"metric": diagram.metric, "samples": diagram.samples, "datasets": list(diagram.datasets)}
    shown |= {"blocks": diagram.blocks, "methods": list(diagram.methods)}
    if not isinstance(found, CriticalDifference):
        return shown | {"reason": found}
    return shown | {"reason": ""} | asdict(found) | {"blocks": diagram.blocks, "n_blocks": found.blocks}
