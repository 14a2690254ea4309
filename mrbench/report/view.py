"""One data set of a page as its template takes it: texts and figures, in the order of the rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mrbench.diagnostics.names import explained
from mrbench.engine.cell import domain_title
from mrbench.report import palette
from mrbench.report.gather import DatasetReport
from mrbench.results.caveats import EXPLAINED, caveat_lines, in_short
from mrbench.results.columns import ARROWS, COSTS, FAILED, INCOMPLETE, Column
from mrbench.results.numbers import cost_text, full, full_interval, full_spread
from mrbench.results.readers import MARK_HEADS, marks_by_construction
from mrbench.results.table import KINDS, Row, Table, Value
from mrbench.results.variability import HOW as COMPONENTS
from mrbench.results.variability import component_texts
from mrbench.statistics.components import FOLDS, REST, SUBJECTS, TRAININGS


def view_of(part: DatasetReport, name: str) -> dict[str, Any]:
    """What the template takes of one data set; ``name`` begins the identifiers of its figures."""
    table = part.table
    shown = [row.values[name] for row in table.rows for name in table.columns if name in row.values]
    costs = [cost.name for cost in COSTS if any(cost.name in row.costs for row in table.rows)]
    return {
        "name": domain_title(table.dataset),
        "lead": _lead(table),
        "facts": part.facts,
        "metrics": [_metric(name, column) for name, column in table.columns.items()],
        "groups": list(_groups(part)),
        "ranked": any(value.best for value in shown),
        "human": any(row.human for row in table.rows),
        "marks": list(_marks(part)),
        "mark_heads": MARK_HEADS,
        "failed": any(row.failed for row in table.rows),
        "failures": [(row.label, failure) for row in table.rows for failure in row.failures],
        "notes": list(_notes(table, shown)),
        "fold_tables": list(_fold_tables(table)),
        "component_tables": list(_component_tables(part)),
        "components": {"sources": SOURCES, "how": COMPONENTS},
        "cost_names": costs,
        "costs": [_costs(part, row, costs) for row in table.rows if row.costs],
        "diagnoses": [
            {**_key(part, row), "rows": _diagnosis(part, row)} for row in table.rows if row.label in part.diagnoses
        ],
        "gallery": part.gallery,
        **_pictures(part, name),
    }


def _lead(table: Table) -> str:
    facts = table.description
    changed = "".join(f", {name} = {value}" for name, value in table.changed.items())
    raters = f"{len(facts['rater_names'])} {facts['raters']} raters"
    return f"{raters}, unit {facts['unit']}, scoring protocol {table.protocol}{changed}"


def _metric(name: str, column: Column) -> dict[str, str]:
    return {"name": name, "direction": column.direction.value, "arrow": ARROWS[column.direction]}


def _groups(part: DatasetReport) -> Iterator[dict[str, Any]]:
    for kind, title in KINDS.items():
        rows = [_row(part, row) for row in part.table.rows if row.kind is kind]
        if rows:
            yield {"title": title, "rows": rows}


def _row(part: DatasetReport, row: Row) -> dict[str, Any]:
    done, planned = row.cells
    return {
        **_key(part, row),
        "samples": row.samples,
        "caveats": [in_short(caveat) for caveat in row.caveats],
        "done": done,
        "planned": planned,
        "failed": row.failed,
        "columns": [_value(row.values.get(name)) for name in part.table.columns],
    }


def _marks(part: DatasetReport) -> Iterator[dict[str, Any]]:
    for one, marks in marks_by_construction(part.table.rows):
        rows = [{**_key(part, row), "texts": mark.texts} for row, mark in marks]
        yield {"title": one.title, "what": one.what, "rows": rows}


def _key(part: DatasetReport, row: Row) -> dict[str, Any]:
    style = part.styles[row.label]
    return {"label": row.label, "hue": palette.hue(style), "glyph": palette.glyph(style)}


def _value(value: Value | None) -> dict[str, Any]:
    if value is None:
        return {"text": "", "sd": "", "count": "", "sort": "", "best": False}
    return {
        "text": full(value.mean),
        "sd": full_spread(value.sd),
        "count": value.count,
        "sort": repr(value.mean),
        "best": value.best,
    }


def _notes(table: Table, shown: Sequence[Value]) -> Iterator[str]:
    if any(value.count for value in shown):
        yield INCOMPLETE
    if any(row.failed for row in table.rows):
        yield FAILED
    # All caveats stand below the method's name; these need other words, or more of them.
    more = ((row.label, [own for own in row.caveats if own in EXPLAINED or own != in_short(own)]) for row in table.rows)
    yield from caveat_lines(more)
    yield from table.notes


def _fold_tables(table: Table) -> Iterator[dict[str, Any]]:
    for name in table.columns:
        values = {row.label: row.values[name].folds for row in table.rows if name in row.values}
        folds = sorted({fold for own in values.values() for fold in own})
        rows = [(label, [_number(own.get(fold)) for fold in folds]) for label, own in values.items()]
        yield {"metric": name, "folds": folds, "rows": rows}


SOURCES = (SUBJECTS, TRAININGS, FOLDS, REST)
"""In the order of their columns."""


def _component_tables(part: DatasetReport) -> Iterator[dict[str, Any]]:
    """A table per metric whose values are known to vary by something; the same reason of all rows is not repeated."""
    for name in part.table.columns:
        found = {label: own[name] for label, own in part.components.items() if name in own}
        if any(one.sources for one in found.values()):
            texts = [(label, component_texts(one)) for label, one in found.items()]
            rows = [(label, [own.get(source, "") for source in SOURCES]) for label, own in texts]
            yield {"metric": name, "rows": rows}


def _number(value: float | None) -> str:
    return "" if value is None else full(value)


def _costs(part: DatasetReport, row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {**_key(part, row), "columns": [_cost(row.costs.get(name)) for name in names]}


def _cost(value: float | None) -> Mapping[str, str]:
    return {"text": cost_text(value), "sort": "" if value is None else repr(value)}


def _diagnosis(part: DatasetReport, row: Row) -> list[dict[str, str]]:
    return [
        {
            "name": name,
            "what": explained(name),
            "text": full(figure.value) if figure.value is not None else f"none: {figure.why}",
            "interval": full_interval(figure.low, figure.high),
        }
        for name, figure in part.diagnoses[row.label].items()
    ]


def _pictures(part: DatasetReport, name: str) -> dict[str, Any]:
    from markupsafe import Markup

    from mrbench.report.figures import cost_pictures, curve_pictures, fold_picture, parts_picture
    from mrbench.report.picture import Picture

    def trusted(picture: Picture) -> dict[str, Any]:
        return {"title": picture.title, "note": picture.note, "svg": Markup(picture.svg)}

    table, styles = part.table, part.styles
    curves = [
        picture
        for number, row in enumerate(table.rows)
        for picture in curve_pictures(f"{name}e{number}", row, styles[row.label], part.curves.get(row.label, {}))
    ]
    parts = parts_picture(f"{name}p", table, styles)
    return {
        "compared": [_key(part, row) for row in _compared(part)],
        "folds": [
            trusted(fold_picture(f"{name}f{number}", metric, table, styles))
            for number, metric in enumerate(_of_several_folds(table))
        ],
        "curves": [trusted(picture) for picture in curves],
        "cost_pictures": [trusted(picture) for picture in cost_pictures(name, part.metric, table, styles)],
        "parts": trusted(parts) if parts else None,
    }


def _of_several_folds(table: Table) -> list[str]:
    values = {name: [row.values[name] for row in table.rows if name in row.values] for name in table.columns}
    return [name for name, own in values.items() if any(len(value.folds) > 1 for value in own)]


def _compared(part: DatasetReport) -> list[Row]:
    names = {cost.name for cost in COSTS if cost.words}
    return [row for row in part.table.rows if part.metric in row.values and names & row.costs.keys()]
