"""One data set of a page as its template takes it: texts and figures, in the order of the rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mrbench.engine.summary import COSTS, EXPLAINED, Row
from mrbench.records import Direction
from mrbench.report import palette
from mrbench.report.entry import Entry
from mrbench.report.gather import DatasetReport

ARROWS = {Direction.HIGHER: "↑", Direction.LOWER: "↓", Direction.NEITHER: ""}


def view_of(part: DatasetReport, name: str) -> dict[str, Any]:
    """What the template takes of one data set; ``name`` begins the identifiers of its figures."""
    table, entries = part.table, part.entries
    costs = [name for name in COSTS if any(name in entry.row.cost for entry in entries)]
    return {
        "name": table.dataset,
        "lead": _lead(part),
        "facts": part.facts,
        "metrics": [_metric(name, record.direction) for name, record in table.metrics.items()],
        "groups": list(_groups(entries, list(table.metrics))),
        "ranked": any(entry.row.best for entry in entries),
        "people": any(entry.people for entry in entries),
        "failures": [(entry.label, failure) for entry in entries for failure in entry.row.failures],
        "notes": list(_notes([entry.row for entry in entries])),
        "fold_tables": list(_fold_tables(part)),
        "cost_names": costs,
        "costs": [_costs(entry, costs) for entry in entries if entry.row.cost],
        "gallery": part.gallery,
        **_pictures(part, name),
    }


def _lead(part: DatasetReport) -> str:
    facts = part.table.description
    changed = "".join(f", {name} = {value}" for name, value in part.table.changed.items())
    raters = f"{len(facts['rater_names'])} {facts['raters']} raters"
    return f"{raters}, unit {facts['unit']}, scoring protocol {part.table.protocol}{changed}"


def _metric(name: str, direction: Direction) -> dict[str, str]:
    return {"name": name, "direction": direction.value, "arrow": ARROWS[direction]}


def _groups(entries: Sequence[Entry], metrics: Sequence[str]) -> Iterator[dict[str, Any]]:
    people = [entry for entry in entries if entry.people]
    methods = [entry for entry in entries if not entry.people]
    if methods:
        yield {"title": "", "rows": [_row(entry, metrics) for entry in methods]}
    if people:
        title = "Rows for people: they see the masks that they are scored on, and are never ranked"
        yield {"title": title, "rows": [_row(entry, metrics) for entry in people]}


def _row(entry: Entry, metrics: Sequence[str]) -> dict[str, Any]:
    row = entry.row
    return {
        **_key(entry),
        "samples": row.samples,
        "marks": row.marks,
        "done": row.cells[0],
        "planned": row.cells[1],
        "columns": [_value(row, name) for name in metrics],
    }


def _key(entry: Entry) -> dict[str, Any]:
    return {"label": entry.label, "hue": palette.hue(entry.style), "glyph": palette.glyph(entry.style)}


def _value(row: Row, name: str) -> dict[str, Any]:
    if name not in row.metrics:
        return {"text": "", "sd": "", "sort": "", "best": False}
    summary = row.metrics[name]
    sd = "" if summary.sd is None else f"{summary.sd:.3f}"
    return {"text": f"{summary.mean:.4f}", "sd": sd, "sort": repr(summary.mean), "best": name in row.best}


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    for mark, text in EXPLAINED.items():
        methods = [row.method for row in rows if mark in row.marks]
        if methods:
            yield f"{text}: {', '.join(methods)}"


def _fold_tables(part: DatasetReport) -> Iterator[dict[str, Any]]:
    for metric, values in part.folds.items():
        folds = sorted({fold for own in values.values() for fold in own})
        rows = [(label, [_number(own.get(fold)) for fold in folds]) for label, own in values.items()]
        yield {"metric": metric, "folds": folds, "rows": rows}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _costs(entry: Entry, names: Sequence[str]) -> dict[str, Any]:
    return {**_key(entry), "columns": [_cost(entry.row.cost.get(name)) for name in names]}


def _cost(value: float | None) -> Mapping[str, str]:
    if value is None:
        return {"text": "", "sort": ""}
    return {"text": f"{value:,.0f}" if value >= 100 else f"{value:.3g}", "sort": repr(value)}


def _pictures(part: DatasetReport, name: str) -> dict[str, Any]:
    from markupsafe import Markup

    from mrbench.report.figures import COMPARED, cost_pictures, curve_pictures, fold_picture, parts_picture
    from mrbench.report.picture import Picture

    def trusted(picture: Picture) -> dict[str, Any]:
        return {"title": picture.title, "note": picture.note, "svg": Markup(picture.svg)}

    table, entries = part.table, part.entries
    several = [metric for metric, values in part.folds.items() if any(len(own) > 1 for own in values.values())]
    folds = [
        fold_picture(f"{name}f{number}", metric, table.metrics[metric], part.folds[metric], entries)
        for number, metric in enumerate(several)
    ]
    curves = [
        picture
        for number, entry in enumerate(entries)
        for picture in curve_pictures(f"{name}e{number}", entry, part.curves.get(entry.label, {}))
    ]
    parts = parts_picture(f"{name}p", entries)
    compared = [
        entry for entry in entries if part.metric in entry.row.metrics and entry.row.cost.keys() & COMPARED.keys()
    ]
    return {
        "compared": [_key(entry) for entry in compared],
        "folds": [trusted(picture) for picture in folds],
        "curves": [trusted(picture) for picture in curves],
        "cost_pictures": [trusted(p) for p in cost_pictures(name, part.metric, entries)],
        "parts": trusted(parts) if parts else None,
    }
