"""An agreement report as JSON types; docs/agreement.md has the schema."""

from typing import Any

import numpy as np

from mrbench import __version__
from mrbench.agreement.attributes import AREA, MEASURES
from mrbench.agreement.estimates import Estimates
from mrbench.agreement.survey import Agreement
from mrbench.data.description import Raters
from mrbench.results.table import Row, Value
from mrbench.statistics.bootstrap import DRAWS
from mrbench.statistics.interval import LEVEL

SCHEMA = "mrbench.agreement"
VERSION = 1
"""Raised when a field changes its meaning or goes; a new field does not raise it."""

PAIRS = {
    "dice": "mean_dice",
    "distance": "mean_distance",
    "distance_with_self_pairs": "self_distance",
    "dice_by_case": "case_mean_dice",
    "distance_by_case": "case_mean_distance",
    "distance_by_slice": "mean_slice_distance",
    "dice_where_marked": "marked_dice",
    "distance_where_marked": "marked_distance",
    "dice_pooled": "pooled_dice",
    "distance_pooled": "pooled_distance",
    "area_spread": "area_spread",
    "staple_sensitivity": "mean_sensitivity",
    "staple_specificity": "mean_specificity",
}
"""Summaries of the raters, whoever they are: field and quantity."""

COLUMNS = {"relative_area": "relative_area", "sensitivity": "sensitivity", "specificity": "specificity"}
MATRICES = {"dice": "dice", "distance": "distance", "distance_by_slice": "slice_distance", "area_ranks": "ranks"}
"""Of raters who are somebody: field and quantity."""


def has_columns(found: Agreement) -> bool:
    """Is a column of the masks somebody, a person or a rank?"""
    return found.description.raters is not Raters.EXCHANGEABLE


def class_names(found: Agreement) -> list[str]:
    """Of the foreground classes, with their mean behind where there are several."""
    names = list(found.description.classes[1:])
    return names if len(names) == 1 else [*names, "mean of the classes"]


def as_document(found: Agreement) -> dict[str, Any]:
    """The whole report; what has no value is null."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "mrbench": __version__,
        "dataset": found.description.as_json() | {"digest": found.digest},
        "cases": {
            "chosen": found.chosen,
            "number": found.n_cases,
            "subjects": found.n_subjects,
            "every_image_is_its_own_subject": found.own_subject,
            "by_raters_present": {str(n): times for n, times in found.cases_by_present.items()},
        },
        "protocol": found.protocol.name,
        "intervals": {"level": LEVEL, "draws": DRAWS, "resampled": "subjects"} if found.n_subjects > 1 else None,
        "raters": _raters(found) if has_columns(found) else None,
        "classes": [_class(found, place, name) for place, name in enumerate(class_names(found))],
        "fleiss_kappa": _numbers(found.estimates["kappa"]),
        "krippendorff_alpha": _numbers(found.estimates["alpha"]),
        "krippendorff_alpha_pooled": _numbers(found.estimates["pooled_alpha"]),
        "people": {"samples": found.samples, "rows": [_reference(row) for row in found.references.rows]},
        "attributes": _attributes(found),
        "duplicates": _duplicates(found),
    }


def _raters(found: Agreement) -> list[dict[str, Any]]:
    names, foreground = found.description.rater_names, found.description.classes[1:]
    return [
        {
            "name": name,
            "cases": int(found.present[r]),
            "absent": found.n_cases - int(found.present[r]),
            "marked_nothing": dict(zip(foreground, found.nothing[:, r].tolist(), strict=True)),
        }
        for r, name in enumerate(names)
    ]


def _class(found: Agreement, place: int, name: str) -> dict[str, Any]:
    document: dict[str, Any] = {"name": name}
    document["pairs"] = {field: _numbers(found.estimates[own], place) for field, own in PAIRS.items()}
    if has_columns(found):
        document["columns"] = {field: _numbers(found.estimates[own], place) for field, own in COLUMNS.items()}
        document["matrices"] = {field: _numbers(found.estimates[own], place) for field, own in MATRICES.items()}
    return document


def _numbers(found: Estimates, *place: int) -> dict[str, Any]:
    parts = {"value": found.value, "low": found.low, "high": found.high}
    numbers = {name: _listed(values[place]) for name, values in parts.items()}
    return numbers | {"cases": found.cases[place].tolist()}


def _listed(values: np.ndarray) -> Any:
    objects = np.array(values, object)
    objects[np.isnan(values)] = None
    return objects.tolist()


def _reference(row: Row) -> dict[str, Any]:
    metrics = {name: _value(value) for name, value in row.values.items()}
    return {"row": row.label, "summary": row.summary, "metrics": metrics, "faults": list(row.failures)}


def _value(value: Value) -> dict[str, Any]:
    interval = value.interval
    return {
        "value": value.mean,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "cases": value.cases,
        "of": value.of_cases,
        "by_class": {str(label): number for label, number in value.by_class.items()},
        "by_rater": {str(rater): number for rater, number in value.by_rater.items()},
    }


def _attributes(found: Agreement) -> dict[str, Any] | None:
    if not found.attributes:
        return None
    correlation = found.estimates["correlation"]
    rows = [
        {"attribute": name, **{measure: _numbers(correlation, a, m) for m, measure in enumerate(MEASURES)}}
        for a, name in enumerate((*found.attributes, AREA))
    ]
    return {"correlations": rows}


def _duplicates(found: Agreement) -> dict[str, Any]:
    names = found.description.rater_names
    return {
        "raters": [
            {"raters": [names[r], names[s]], "equal": int(found.equal[r, s]), "both_marked": int(found.both[r, s])}
            for r, s in np.argwhere(found.equal).tolist()
        ]
        if has_columns(found)
        else None,
        "pairs_of_equal_masks": int(found.equal.sum()),
        "pairs_of_marked_masks": int(found.both.sum()),
        "images": [{"copy": copy, "original": original} for copy, original in found.copies],
    }
