"""``curves.csv`` read back: losses per epoch and stage. Files may come from others."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mrbench.errors import DataError

MAX_BYTES = 16 * 2**20
MAX_STAGES = 64
MAX_TERMS = 64


@dataclass(frozen=True)
class Curve:
    """A loss of one stage of one training: the total, or a term of it.

    Attributes:
        epochs: (n,) from 1.
        train: (n,) mean loss over the training slices.
        validation: (n,) mean loss over the validation slices; empty where there are none.
        terms: of a total, those that it is the sum of, by name, over the epochs that have them.
    """

    epochs: tuple[int, ...]
    train: tuple[float, ...]
    validation: tuple[float, ...]
    terms: "Mapping[str, Curve]" = field(default_factory=dict)


def losses_of(stages: Mapping[str, Curve]) -> Mapping[str, Curve]:
    """The total of every stage by the stage's name, each followed by its terms where it has several."""
    found: dict[str, Curve] = {}
    for stage, curve in stages.items():
        found[stage] = curve
        if len(curve.terms) > 1:
            found |= {f"{stage}, {term}": own for term, own in curve.terms.items()}
    return found


def read_curves(path: Path) -> Mapping[str, Curve]:
    """The curve of every stage in the order of training; none where the file is not there.

    Raises:
        DataError: too large, or no table of losses.
    """
    if not path.is_file():
        return {}
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"the curves {path} are too large", expected=f"at most {MAX_BYTES} bytes")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return parse_curves(file)
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(
            f"cannot read the curves {path}",
            expected="columns stage, epoch, train/total and maybe validation/total",
            found=f"{type(error).__name__}: {error}",
        ) from error


def parse_curves(lines: Iterable[str]) -> Mapping[str, Curve]:
    """The curve of every stage in the order of training, from the lines of the file.

    Raises:
        ValueError, KeyError, TypeError, csv.Error: no table of losses, or one of too many stages.
    """
    stages: dict[str, list[Mapping[str, str]]] = {}
    for row in csv.DictReader(lines):
        stages.setdefault(row["stage"], []).append(row)
    if len(stages) > MAX_STAGES:
        raise ValueError(f"{len(stages)} stages, more than {MAX_STAGES}")
    return {stage: _stage(rows) for stage, rows in stages.items()}


def _stage(rows: Sequence[Mapping[str, str]]) -> Curve:
    columns = [name or "" for name in rows[0]]  # those beyond the header have no name
    terms = [name.removeprefix("train/") for name in columns if name.startswith("train/") and name != "train/total"]
    if len(terms) > MAX_TERMS:
        raise ValueError(f"{len(terms)} terms, more than {MAX_TERMS}")
    having = {term: [row for row in rows if row[f"train/{term}"]] for term in terms}
    found = {term: _curve(term, own) for term, own in having.items() if own}
    return replace(_curve("total", rows), terms=found)


def _curve(term: str, rows: Sequence[Mapping[str, str]]) -> Curve:
    validation = [row.get(f"validation/{term}") for row in rows]
    return Curve(
        tuple(int(row["epoch"]) + 1 for row in rows),
        tuple(_number(row[f"train/{term}"]) for row in rows),
        tuple(_number(text) for text in validation if text) if all(validation) else (),
    )


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not finite")
    return value
