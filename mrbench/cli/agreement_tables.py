"""The tables of ``mrbench agreement``: as many columns side by side as fit, what has no value left blank."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from mrbench.agreement.attributes import AREA, MEASURES
from mrbench.agreement.document import COLUMNS, class_names, has_columns
from mrbench.agreement.estimates import Estimates
from mrbench.agreement.survey import Agreement
from mrbench.cli.columns import Column, print_columns, print_notes
from mrbench.cli.tables import mean_and_spread, title
from mrbench.data.description import Raters, Unit
from mrbench.results.columns import INCOMPLETE, RESEARCH, header
from mrbench.results.numbers import short, short_interval, signed
from mrbench.results.table import Table, Value
from mrbench.statistics.bootstrap import DRAWS
from mrbench.statistics.interval import LEVEL

INTERVAL = f"{100 * LEVEL:.0f} % interval"


def print_agreement(found: Agreement, console: Console) -> None:
    """Prints the whole report."""
    console.print(title(found.description.name, found.description.as_json(), f"scoring protocol {found.protocol.name}"))
    print_notes(console, _cases(found))
    _print(console, "All raters", *_beyond_chance(found))
    for place, name in enumerate(class_names(found)):
        _print_class(console, found, place, f" of {name}" if len(class_names(found)) > 1 else "")
    _print(console, f"Human reference rows (samples: {found.samples})", *_references(found.references))
    print_notes(console, _reference_notes(found.references))
    if found.attributes:
        _print(console, "Ratings that differ, and masks that differ: Pearson's r over cases", *_attributes(found))
        print_notes(
            console,
            [
                f"ratings: standard deviation over the raters; r with the {AREA} says how far a column measures size: "
                "the variance per pixel of a fixed frame does, because small objects leave most of it empty"
            ],
        )
    console.print()
    print_notes(console, _notes(found))


def _print_class(console: Console, found: Agreement, place: int, of: str) -> None:
    _print(console, f"Two raters{of}", *_pairs(found, place))
    print_notes(console, _pair_notes(found, place))
    if not has_columns(found):
        return
    _print(console, f"Each rater{of}", *_raters(found, place))
    _print_matrices(console, found, place, of)
    ranks = found.estimates["ranks"]
    if np.isfinite(ranks.value[place]).any():
        cases = int(ranks.cases[place].max())
        of = f"{of} (cases: {cases})" if cases else of
        _print(console, f"Area ranks, 1 the smallest, share of the cases{of}", *_ranks(found, place))


def _print_matrices(console: Console, found: Agreement, place: int, of: str) -> None:
    distance, by_slice, dice = (found.estimates[name] for name in ("distance", "slice_distance", "dice"))
    _print(console, f"Distance, mean of 1 - IoU{of}", *_matrix(found, distance, place))
    if not np.allclose(by_slice.value[place], distance.value[place], atol=5e-5, equal_nan=True):
        name = f"Distance slice by slice, two empty masks 1 apart (ProSeg Tables 5 and 8){of}"
        _print(console, name, *_matrix(found, by_slice, place))
    _print(console, f"Dice, mean{of}", *_matrix(found, dice, place))
    if place < len(found.nothing) and (dice.cases[place] < found.n_cases).any():
        _print(console, f"Cases of each two raters{of}", *_counts(found, dice.cases[place]))


def _print(console: Console, name: str, names: Column, columns: Sequence[Column]) -> None:
    console.print()
    console.print(name, style="bold", markup=False, highlight=False)
    print_columns(console, names, columns)


def _cases(found: Agreement) -> Iterator[str]:
    subjects = "every image is its own subject" if found.own_subject else f"of {found.n_subjects} subjects"
    yield f"{found.chosen}: {found.n_cases}, {subjects}"
    complete = found.cases_by_present.get(found.description.n_raters, 0)
    if complete == found.n_cases:
        yield "all raters looked at all cases"
    else:
        looked = [f"{n} at {_cases_of(times)}" for n, times in sorted(found.cases_by_present.items(), reverse=True)]
        yield f"raters who looked: {', '.join(looked)}; two raters are compared on the cases that both looked at"
    if found.description.raters is Raters.RANKED:
        yield "virtual raters: the masks of each case sorted by area, no persons; ranks and areas follow from that"
    if not has_columns(found):
        yield "anonymous raters: a column is nobody, so there are no matrices and no figures by rater"


def _cases_of(n: int) -> str:
    return f"{n:,} case{'' if n == 1 else 's'}"


def _beyond_chance(found: Agreement) -> tuple[Column, list[Column]]:
    rows = {
        "Fleiss' kappa, mean of cases": "kappa",
        "Krippendorff's alpha, mean of cases": "alpha",
        "Krippendorff's alpha, all pixels": "pooled_alpha",
    }
    return Column("", [Text(name) for name in rows]), _estimates([(found.estimates[own], ()) for own in rows.values()])


CONVENTIONS = {
    "cases weigh alike": "case_mean_distance",
    "slice by slice, two empty masks 1 apart": "mean_slice_distance",
    "without two empty masks": "marked_distance",
    "pixels of all cases pooled": "pooled_distance",
}
"""Other ways to a mean distance of two raters."""


def _pairs(found: Agreement, place: int) -> tuple[Column, list[Column]]:
    rows = {
        "Dice": "mean_dice",
        "distance 1 - IoU": "mean_distance",
        "  with self-pairs": "self_distance",
        **{f"  {name}": own for name, own in CONVENTIONS.items() if not _same(found, own, place)},
        "areas, sd / mean": "area_spread",
        "STAPLE sensitivity": "mean_sensitivity",
        "STAPLE specificity": "mean_specificity",
    }
    names = [Text(name) for name in rows]
    return Column("mean", names), _estimates([(found.estimates[own], (place,)) for own in rows.values()])


def _same(found: Agreement, own: str, place: int) -> bool:
    values = [_short(found.estimates[name].value[place]) for name in (own, "mean_distance")]
    return values[0] == values[1]


def _pair_notes(found: Agreement, place: int) -> Iterator[str]:
    same = [name for name, own in CONVENTIONS.items() if _same(found, own, place)]
    if same:
        yield f"the same distance: {'; '.join(same)}"


def _estimates(rows: Sequence[tuple[Estimates, tuple[int, ...]]]) -> list[Column]:
    return [
        Column("value", [Text(_short(one.value[at])) for one, at in rows]),
        Column(INTERVAL, [Text(_interval(one, at)) for one, at in rows]),
        Column("cases", [Text(str(int(one.cases[at]) or "")) for one, at in rows]),
    ]


def _raters(found: Agreement, place: int) -> tuple[Column, list[Column]]:
    names = found.description.rater_names
    columns = [Column("cases", [Text(str(n)) for n in found.present.tolist()])]
    if place < len(found.nothing):
        columns.append(Column("marked nothing", [Text(str(n)) for n in found.nothing[place].tolist()]))
    for own in COLUMNS.values():
        cells = [_with_interval(found.estimates[own], (place, r)) for r in range(len(names))]
        columns.append(Column(own.replace("_", " "), cells))
    return Column("rater", [Text(name) for name in names]), columns


def _matrix(found: Agreement, numbers: Estimates, place: int) -> tuple[Column, list[Column]]:
    names, values = found.description.rater_names, numbers.value[place]
    columns = [
        Column(str(s + 1), [Text("" if r == s else _short(values[r, s])) for r in range(len(names))])
        for s in range(len(names))
    ]
    return Column("rater", [Text(f"{r + 1} {name}") for r, name in enumerate(names)]), columns


def _counts(found: Agreement, cases: np.ndarray) -> tuple[Column, list[Column]]:
    names = found.description.rater_names
    columns = [Column(str(s + 1), [Text(str(n)) for n in own]) for s, own in enumerate(cases.T.tolist())]
    return Column("rater", [Text(f"{r + 1} {name}") for r, name in enumerate(names)]), columns


def _ranks(found: Agreement, place: int) -> tuple[Column, list[Column]]:
    names, shares = found.description.rater_names, found.estimates["ranks"].value[place]
    columns = [Column(str(rank + 1), [Text(_short(share, 3)) for share in own]) for rank, own in enumerate(shares.T)]
    return Column("rater", [Text(name) for name in names]), columns


def _references(table: Table) -> tuple[Column, list[Column]]:
    columns = [
        Column(header(name, column), [_value(row.values.get(name)) for row in table.rows])
        for name, column in table.columns.items()
    ]
    return Column("row", [Text(row.label) for row in table.rows]), columns


def _value(value: Value | None) -> Text:
    if value is None:
        return Text("")
    interval = f" ({short_interval(value.interval.low, value.interval.high)})" if value.interval else ""
    return Text(mean_and_spread(value)).append(interval, style="dim")


def _reference_notes(table: Table) -> Iterator[str]:
    for row in table.rows:
        yield f"{row.label}: {row.summary}"
        yield from (f"{row.label}: {failure}" for failure in row.failures)
    shown = (row.values.get(name) for row in table.rows for name in table.columns)
    if any(value and value.count for value in shown):
        yield INCOMPLETE
    yield (
        "rows with one rater as the truth, or one rater's mask as the sample, have another R or S in ged than rows "
        "against everybody, and do not compare with them; all see raters' masks, and none is a method"
    )


def _attributes(found: Agreement) -> tuple[Column, list[Column]]:
    numbers = found.estimates["correlation"]
    rows = range(len(found.attributes) + 1)
    columns = [
        Column(measure, [_with_interval(numbers, (a, m), _signed) for a in rows]) for m, measure in enumerate(MEASURES)
    ]
    columns.append(Column("cases", [Text(str(int(n))) for n in numbers.cases[:, -1]]))
    return Column("rating", [Text(name) for name in (*found.attributes, AREA)]), columns


def _notes(found: Agreement) -> Iterator[str]:
    yield from (f"warning: {line}" for line in found.warnings)
    yield f"{int(found.equal.sum()):,} of {int(found.both.sum()):,} pairs of masks with marks are equal"
    if found.n_subjects > 1:
        images = ": images, for every image is its own subject" if found.own_subject else ""
        yield f"interval, in brackets too: {100 * LEVEL:.0f} % of {DRAWS:,} bootstrap draws of subjects{images}"
    else:
        yield "no intervals: there is one subject, and what another one would give cannot be known"
    if has_columns(found) and not found.estimates["dice"].cases[0].all():
        yield "blank in a matrix: no case that both looked at"
    unit = "volumes as wholes" if found.description.unit is Unit.VOLUME else "slices"
    yield f"distances and Dice: of {unit}; kappa and alpha: of pixels, so they rise with the background of a frame"
    yield RESEARCH


def _short(value: float, digits: int = 4) -> str:
    return "" if np.isnan(value) else short(float(value), digits)


def _signed(value: float) -> str:
    return "" if np.isnan(value) else signed(float(value), 3)


def _interval(numbers: Estimates, at: tuple[int, ...], number: Callable[[float], str] = _short) -> str:
    low, high = numbers.low[at], numbers.high[at]
    return "" if np.isnan(low) else short_interval(low, high, number)


def _with_interval(numbers: Estimates, at: tuple[int, ...], number: Callable[[float], str] = _short) -> Text:
    interval = _interval(numbers, at, number)
    return Text(number(numbers.value[at])).append(f" ({interval})" if interval else "", style="dim")
