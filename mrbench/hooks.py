"""The hooks that a plugin module may implement, called by pluggy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from mrbench.cards import DatasetCard, MethodCard, MetricCard
    from mrbench.engine.cell import CellSpec
    from mrbench.engine.result import Result
    from mrbench.engine.run import Run

PROJECT = "mrbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def mrbench_methods() -> Sequence["MethodCard"]:  # type: ignore[empty-body]
    """The methods and fusions that this plugin provides."""


@hookspec
def mrbench_datasets() -> Sequence["DatasetCard"]:  # type: ignore[empty-body]
    """The data sets that this plugin provides."""


@hookspec
def mrbench_metrics() -> Sequence["MetricCard"]:  # type: ignore[empty-body]
    """The metrics that this plugin provides: their cards, or the decorated functions."""


@hookspec
def mrbench_observer_check() -> None:
    """A run that names this observer is about to be planned; what it raises ends the command: say what is missing."""


@hookspec
def mrbench_run_start(run: "Run") -> None:
    """A run begins; ``run.folder`` is its folder, ``run.cells`` what it will compute."""


@hookspec
def mrbench_run_end(run: "Run", results: "Sequence[Result]") -> None:
    """A run has ended, whatever became of its cells."""


@hookspec
def mrbench_cell_start(run: "Run", cell: "CellSpec") -> None:
    """A cell that is not finished yet begins; never called for one that is kept or not applicable."""


@hookspec
def mrbench_cell_end(run: "Run", cell: "CellSpec", record: "Mapping[str, Any]") -> None:
    """A cell has ended with this record: finished, failed, or finished before and kept (then it never started)."""


OBSERVER_HOOKS = ("mrbench_run_start", "mrbench_run_end", "mrbench_cell_start", "mrbench_cell_end")
"""Called for the plugins that ``mrbench run --observe NAME`` names, one implementation at a time."""
