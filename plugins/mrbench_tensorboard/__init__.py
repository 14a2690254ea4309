"""TensorBoard scalars of every cell: its learning curves, metrics and costs.

Under ``runs/<run id>/tensorboard/<dataset>/<method>/<fold and seed>``; ``tensorboard --logdir`` shows them. A cell that
failed leaves none.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mrbench.errors import UsageError
from mrbench.hooks import hookimpl

MRBENCH_API = "2"


@hookimpl
def mrbench_observer_check() -> None:
    """Imports what writes the events.

    Raises:
        UsageError: tensorboard is not installed, or does not work here.
    """
    try:
        import mrbench_tensorboard.events  # noqa: F401
    except Exception as error:
        raise UsageError(
            "the observer 'tensorboard' needs the package tensorboard",
            found=f"{type(error).__name__}: {error}",
            hint="pip install 'mrbench[tensorboard]'",
        ) from error


@hookimpl
def mrbench_cell_end(run: Any, cell: Any, record: Mapping[str, Any]) -> None:
    """Writes the scalars of one cell anew.

    Raises:
        DataError: its learning curves are not what the cell left.
    """
    from mrbench_tensorboard.events import write_events
    from mrbench_tensorboard.scalars import curve_scalars, record_scalars

    curves = run.result_of(cell).file("curves.csv")  # once it is what the record vouches for
    scalars = [*(curve_scalars(curves) if curves else ()), *record_scalars(record)]
    write_events(folder_of(run.folder, cell.dataset, cell.method, cell.place), scalars, record["written"])


def folder_of(run: Path, dataset: str, method: str, place: str) -> Path:
    """Where the events of a cell lie in the folder of its run."""
    return run / "tensorboard" / dataset.replace(":", "--") / method.replace(":", "--") / place
