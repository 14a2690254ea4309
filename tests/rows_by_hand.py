"""Results, method runs and rows by hand: nothing lies on a disk."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stored_runs import DESCRIPTION, StoredCell, registry, spec_of

from mrbench.engine.cell import Status
from mrbench.engine.result import Result
from mrbench.engine.score import applicable_metrics, scored_by
from mrbench.metrics.protocol import STRICT
from mrbench.results.method_run import MethodRun
from mrbench.results.table import Row, Value

PHASES = {"predict": {"seconds": 1.0, "peak_memory_mib": 10.0}}


def result_of(
    method: str = "proseg",
    fold: int = 0,
    seed: int = 0,
    status: Status = Status.OK,
    metrics: Mapping[str, float] | None = None,
    record: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Result:
    """A cell that left its metrics' values, or a failure.

    Args:
        record: fields that differ from the usual ones.
        spec: fields of its specification.
    """
    own = spec_of(StoredCell(method, fold=fold, seed=seed, spec=spec))
    if status is not Status.OK:
        return Result(own, status, "what went wrong\nin detail")
    left = {
        "metrics": {name: {"value": value} for name, value in (metrics or {}).items()},
        "scoring": scored_by(applicable_metrics(registry(), "identified"), STRICT),
        "environment": {"shared_device": False},
        "profile": {"phases": PHASES},
    }
    return Result(own, status, "", left | dict(record or {}))


def run_of(*results: Result, name: str = "r", **fields: Any) -> MethodRun:
    """A method run of these cells; of one finished one where there are none."""
    return MethodRun(results or (result_of(),), DESCRIPTION, (name,), **fields)


def row_of(run: MethodRun | None = None, /, **values: Value | float) -> Row:
    """A row with values; a bare number is that of one fold with all its cases."""
    return Row.of(run or run_of(), {name: as_value(value) for name, value in values.items()})


def as_value(value: Value | float, **fields: Any) -> Value:
    """A value that covers everything it should, but for ``fields``."""
    whole = value if isinstance(value, Value) else Value(value, folds={0: value}, of_folds=1, cases=4, of_cases=4)
    return replace(whole, **fields)
