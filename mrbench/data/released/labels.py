"""What the values in the masks of a release stand for."""

from collections.abc import Callable, Mapping

import numpy as np

from mrbench.data.image_file import ImageFile
from mrbench.errors import DataError

Labels = Callable[[np.ndarray, ImageFile, str], np.ndarray]
"""Classes, uint8, from the values of a mask, of its file and of the file's name for messages."""

NEAR_LEVEL = 8
"""How far a grey may lie from the level that it stands for."""


def coded(*tables: Mapping[int, int]) -> Labels:
    """The class of each value; a file is written by one of the tables, the first that knows all its values."""

    def labels(values: np.ndarray, file: ImageFile, where: str) -> np.ndarray:
        if file.lossy:
            raise DataError(f"{where} is a mask in JPEG, which keeps no labels", expected="the file as released")
        found = np.unique(values).tolist()
        table = next((table for table in tables if set(found) <= set(table)), None)
        if table is None:
            raise _wrong(where, " or ".join(_listed(table) for table in tables), found)
        return _looked_up(values, table)

    return labels


BINARY = coded({0: 0, 1: 1}, {0: 0, 255: 1})
"""Masks of one structure: 0 and 1, or 0 and 255."""


def levels(table: Mapping[int, int]) -> Labels:
    """The class of the nearest grey level; in JPEG, which changes values, however far that is."""

    def labels(values: np.ndarray, file: ImageFile, where: str) -> np.ndarray:
        found = np.unique(values).tolist()
        nearest = {value: min(table, key=lambda level: abs(level - value)) for value in found}
        far = [value for value, level in nearest.items() if abs(level - value) > NEAR_LEVEL]
        if (far and not file.lossy) or max(found) > max(table) + NEAR_LEVEL:
            raise _wrong(where, f"{_listed(table)}, each within {NEAR_LEVEL}", found)
        return _looked_up(values, {value: table[level] for value, level in nearest.items()})

    return labels


def _looked_up(values: np.ndarray, table: Mapping[int, int]) -> np.ndarray:
    classes = np.zeros(max(table) + 1, np.uint8)
    classes[list(table)] = list(table.values())
    return classes[values]


def _listed(values: Mapping[int, int]) -> str:
    return ", ".join(map(str, sorted(values)))


def _wrong(where: str, expected: str, found: list[int]) -> DataError:
    shown = ", ".join(map(str, found[:10])) + ", ..." * (len(found) > 10)
    return DataError(f"{where} has values that stand for nothing", expected=expected, found=shown)
