"""How the cells of a run are computed, and what is told of them meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrbench.engine.cell import CellSpec
from mrbench.registry import Observer, Plugin

Watch = Callable[[CellSpec, Mapping[str, Any]], None]
"""Told of events of cells."""


@dataclass(frozen=True)
class Settings:
    """How the cells of a run are computed; none of it enters a digest.

    Attributes:
        jobs: cells side by side; ``jobs_reason``: why so many, where nobody said it.
        plugin_files: those that a cell's method or data set may come from; each cell gets its own only.
        metric_files: among them, those with metrics: every cell gets them.
        metrics: for scoring processes that cells share; none: each cell starts its own.
    """

    data: Path
    device: str = "auto"
    jobs: int = 1
    jobs_reason: str = ""
    timeout: float | None = None
    force: bool = False
    plugin_files: tuple[Path, ...] = ()
    metric_files: tuple[Path, ...] = ()
    metrics: tuple[Plugin[Any], ...] = ()
    observers: tuple[Observer, ...] = ()
