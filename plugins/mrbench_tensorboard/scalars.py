"""From what a cell left behind to named numbers."""

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple


class Scalar(NamedTuple):
    """One number; ``step`` is the epoch of its stage, 0 for what a cell has once."""

    tag: str
    step: int
    value: float


def curve_scalars(path: Path) -> Iterator[Scalar]:
    """``STAGE/train/total`` and so on by epoch, from ``curves.csv``."""
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            stage, epoch = row.pop("stage"), int(row.pop("epoch"))
            for name, text in row.items():
                with suppress(ValueError):  # a column of another stage is empty
                    yield Scalar(f"{stage}/{name}", epoch, float(text))


def record_scalars(record: Mapping[str, Any]) -> Iterator[Scalar]:
    """``metrics/NAME`` and ``cost/NAME``; nothing of a cell that failed."""
    for name, metric in record.get("metrics", {}).items():
        yield Scalar(f"metrics/{name}", 0, metric["value"])
    profile = dict(record.get("profile", {}))
    for phase, facts in profile.pop("phases", {}).items():
        yield from (Scalar(f"cost/{phase}_{name}", 0, value) for name, value in facts.items())
    numbers = {name: value for name, value in profile.items() if isinstance(value, int | float)}
    yield from (Scalar(f"cost/{name}", 0, value) for name, value in numbers.items() if not isinstance(value, bool))
