"""What every command and the Python interface tell of the same values, read into one form.

``{(method, metric): {fact: what is told}}``. Facts: mean, sd, sd in 3 digits (all that a page shows), folds; cases and
of (those that have a value, and those that should), summed over the folds; best (has it a star?); tied (the methods
that share a letter with it, itself among them; none without a letter).
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from stored_runs import registry

Told = Mapping[tuple[str, str], Mapping[str, Any]]
"""By method and metric of tables: fact by fact."""

Call = Callable[..., str]
"""Runs ``mrbench`` with arguments; what it prints."""

NOTHING = "not told"
VALUES = ("mean", "sd", "sd in 3 digits", "folds")
FACTS = (*VALUES, "cases", "of", "best", "tied")
TELLS = {
    "the cells": ("folds", "cases", "of"),
    "show": (*VALUES, "cases", "of", "best"),
    "score": (*VALUES, "cases", "of", "best"),
    "compare": (*VALUES, "cases", "of", "tied"),
    "report": ("mean", "sd in 3 digits", "best"),
    "leaderboard.json": (*VALUES, "cases", "of", "best"),
    "leaderboard.csv": (*VALUES, "best"),
    "to_pandas": FACTS,
}
"""The facts that a source must tell."""


def told_by_commands(call: Call, results: Path, work: Path, protocol: str, *, predictions: bool) -> dict[str, Told]:
    """What the commands tell of the run ``run`` under a protocol.

    Args:
        work: an empty folder.
        predictions: has the run any? ``score`` computes from nothing else; and ``show`` shows strict only.
    """
    told = {"show": told_by_show(call, results)} if protocol == "strict" else {}
    told |= {"score": told_by_score(call, results, protocol)} if predictions else {}
    site = built_board(call, results, work)
    return told | {
        "compare": told_by_compare(call, results, protocol),
        "report": told_by_report(call, results, work, protocol),
        "leaderboard.json": told_by_board_json(site, protocol),
        "leaderboard.csv": told_by_board_csv(site, protocol),
    }


def told_by_show(call: Call, results: Path) -> Told:
    """``mrbench show --json``."""
    return _of_tables(json.loads(call("show", "run", "--out", results, "--json")))


def told_by_score(call: Call, results: Path, protocol: str) -> Told:
    """``mrbench score --json``."""
    return _of_tables(json.loads(call("score", "run", "--out", results, "--protocol", protocol, "--json")))


def _of_tables(found: Any) -> Told:
    (table,) = found["tables"]
    return {
        (row["method"], name): _facts(value, folds="n", best=name in row["best"])
        for row in table["rows"]
        for name, value in _of_table_metrics(row["metrics"])
    }


def told_by_compare(call: Call, results: Path, protocol: str) -> Told:
    """The methods of ``mrbench compare --json``."""
    words = ("run", "--out", results, "--protocol", protocol, "--letters", "--json")
    (table,) = json.loads(call("compare", *words))["methods"]
    rows = {row["label"]: dict(_of_table_metrics(row["metrics"])) for row in table["rows"]}
    tied = _tied({(method, name): value["letters"] for method, own in rows.items() for name, value in own.items()})
    return {
        (method, name): _facts(value, folds="n", tied=tied[method, name])
        for method, own in rows.items()
        for name, value in own.items()
    }


def told_by_report(call: Call, results: Path, work: Path, protocol: str) -> Told:
    """The table of results on the page of ``mrbench report``."""
    page = work / "page.html"
    call("report", "run", "--out", results, "--protocol", protocol, "--cases", "1", "--to", page)
    head, *rows = _ResultsTable(page.read_text()).rows
    names = [cell["text"].split()[0] for cell in head]
    return {
        (row[0]["text"].strip(), name): {
            "mean": float(cell["value"]),
            "sd in 3 digits": float(cell["sd"].strip("± ")) if cell["sd"] else None,
            "best": "best" in cell["class"].split(),
        }
        for row in rows
        if len(row) == len(head)
        for name, cell in zip(names, row, strict=True)
        if name in _table_metrics() and cell["value"]
    }


def built_board(call: Call, results: Path, work: Path) -> Path:
    """The site of a leaderboard of the run alone, unfinished methods included."""
    call("leaderboard", "add", "run", "--out", results, "--with-failures", "--to", work / "board")
    for entry in sorted((work / "board" / "records").glob("*/*/*")):
        call("leaderboard", "register", entry)
    call("leaderboard", "build", work / "board", "--to", work / "site")
    return work / "site"


def told_by_board_json(site: Path, protocol: str) -> Told:
    """``leaderboard.json``."""
    (page,) = json.loads((site / "leaderboard.json").read_text())["datasets"]
    (table,) = (table for table in page["tables"] if table["protocol"] == protocol)
    rows = {row["method"]: dict(_of_table_metrics(row["figures"])) for row in table["rows"]}
    return {
        (method, name): _facts(value, best=value["best"]) for method, own in rows.items() for name, value in own.items()
    }


def told_by_board_csv(site: Path, protocol: str) -> Told:
    """``leaderboard.csv``."""
    with (site / "leaderboard.csv").open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["protocol"] == protocol]
    own = {(line["method"], line["metric"]): line for line in lines if line["metric"] in _table_metrics()}
    return {
        place: _facts(
            {"mean": float(line["mean"]), "sd": float(line["sd"]) if line["sd"] else None, "folds": int(line["folds"])},
            best=line["best"] == "True",
        )
        for place, line in own.items()
    }


def told_by_frame(results: Path, protocol: str) -> Told:
    """The data frame of ``mrbench.load_results``."""
    import mrbench

    frame = mrbench.load_results(results).table("phantom", protocol=protocol, letters=True).to_pandas()
    names = [name for name in dict.fromkeys(name for name, _ in frame.columns) if name in _table_metrics()]
    rows = {
        (method, name): {fact: frame.loc[method, (name, fact)] for metric, fact in frame.columns if metric == name}
        for method in frame.index
        for name in names
    }
    rows = {place: own for place, own in rows.items() if not _is_blank(own["mean"])}
    tied = _tied({place: own["letters"] for place, own in rows.items()})
    return {
        place: _facts(
            {name: int(own[name]) for name in ("folds", "cases", "of")}
            | {"mean": float(own["mean"]), "sd": None if _is_blank(own["sd"]) else float(own["sd"])},
            best=bool(own["best"]),
            tied=tied[place],
        )
        for place, own in rows.items()
    }


def contradictions(told: Mapping[str, Told], fact: str) -> list[str]:
    """A line for each value of which two sources tell otherwise, or of which one that must tells nothing."""
    lines = []
    for place in sorted({place for source, shown in told.items() if fact in TELLS[source] for place in shown}):
        said = {
            source: shown[place].get(fact, NOTHING) if place in shown else "no value"
            for source, shown in told.items()
            if fact in TELLS[source]
        }
        if len(set(said.values())) > 1 or NOTHING in said.values():
            lines.append(f"{fact} of {' '.join(place)}: {said}")
    return lines


def _table_metrics() -> set[str]:
    return {plugin.key for plugin in registry().plugins["metric"] if plugin.card.table}


def _of_table_metrics(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in found.items() if name in _table_metrics())


def _facts(value: Mapping[str, Any], *, folds: str = "folds", **more: Any) -> dict[str, Any]:
    found = {"mean": value["mean"], "sd": value["sd"], "folds": value[folds], **more}
    found["sd in 3 digits"] = None if value["sd"] is None else float(f"{value['sd']:.3f}")
    return found | {name: value[name] for name in ("cases", "of") if name in value}


def _tied(letters: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], tuple[str, ...]]:
    # Which letter a group has is of no matter: only who shares one.
    return {
        (method, name): tuple(sorted(m for (m, n), others in letters.items() if n == name and set(own) & set(others)))
        for (method, name), own in letters.items()
    }


def _is_blank(value: Any) -> bool:
    return value is None or value != value


class _ResultsTable(HTMLParser):
    """The cells of the first ``table.results`` of a page, row by row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[dict[str, str]]] = []
        self._inside, self._aside = False, [""]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        if tag == "table":
            self._inside = own.get("class") == "results" and not self.rows
        elif self._inside and tag == "tr":
            self.rows.append([])
        elif self._inside and tag in ("th", "td"):
            facts = {"value": own.get("data-value", ""), "class": own.get("class", "")}
            self.rows[-1].append({"text": "", "sd": "", **facts})
        elif tag in ("span", "small", "b"):
            self._aside.append(own.get("class") or tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._inside = False
        elif tag in ("span", "small", "b"):
            self._aside.pop()

    def handle_data(self, data: str) -> None:
        part = {"": "text", "sd": "sd"}.get(self._aside[-1])
        if self._inside and part and self.rows and self.rows[-1]:
            self.rows[-1][-1][part] += data
