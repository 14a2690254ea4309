"""``curves.csv`` read back: losses per epoch and stage. Files may come from others."""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mrbench.errors import DataError

MAX_BYTES = 16 * 2**20
MAX_STAGES = 64


@dataclass(frozen=True)
class Curve:
    """The total loss of one stage of one training.

    Attributes:
        epochs: (n,) from 1.
        train: (n,) mean loss over the training slices.
        validation: (n,) mean loss over the validation slices; empty where there are none.
    """

    epochs: tuple[int, ...]
    train: tuple[float, ...]
    validation: tuple[float, ...]


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
    stages: dict[str, list[tuple[int, float, float | None]]] = {}
    for row in csv.DictReader(lines):
        stages.setdefault(row["stage"], []).append(_point(row))
    if len(stages) > MAX_STAGES:
        raise ValueError(f"{len(stages)} stages, more than {MAX_STAGES}")
    return {stage: _curve(points) for stage, points in stages.items()}


def _point(row: Mapping[str, str]) -> tuple[int, float, float | None]:
    validation = row.get("validation/total")
    return int(row["epoch"]) + 1, _number(row["train/total"]), _number(validation) if validation else None


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not finite")
    return value


def _curve(points: list[tuple[int, float, float | None]]) -> Curve:
    epochs, train, validation = zip(*points, strict=True)
    return Curve(epochs, train, () if None in validation else validation)
