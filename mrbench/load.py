"""Where results lie, and what reads them there: a results folder, a run, or a leaderboard."""

from collections.abc import Sequence
from pathlib import Path

from mrbench.engine.run import open_run
from mrbench.errors import DataError, UsageError
from mrbench.registry import Registry, discover
from mrbench.results.load import Results
from mrbench.results.method_run import merged_runs

RUN = "run.json"
"""The file that tells a run's folder from others."""


def load_results(path: str | Path = "results", *, run: str = "", plugin_files: Sequence[str | Path] = ()) -> Results:
    """What lies in a results folder, a run's folder, or a leaderboard: its folder or an archive of it.

    A damaged record costs its cell only: it has the status ``damaged``, and its reason says what mends it.

    Args:
        path: of the folder, or of a ``.zip`` or ``.tar.gz`` archive of a leaderboard.
        run: id of one run of a results folder, or ``last``; empty: all of them.
        plugin_files: files with methods, data sets or metrics that the results come from.

    Raises:
        UsageError: nothing of that kind is there.
        UnknownNameError: no such run; names the nearest.
        DataError, IncompatibleError: it cannot be read.
    """
    folder, registry = Path(path), discover(files=[Path(file) for file in plugin_files])
    if (folder / "runs").is_dir() or run:
        return _of_results(folder, run, registry)
    if (folder / RUN).is_file():
        opened = open_run(str(folder), folder.parent.parent)
        return Results(tuple(merged_runs([opened])), registry)
    from mrbench.leaderboard.load import is_leaderboard, load_leaderboard

    if is_leaderboard(folder):
        return load_leaderboard(folder, registry)
    raise UsageError(
        f"there are no results in {folder}",
        expected=f"a results folder (runs/), a run's folder ({RUN}), a leaderboard (records/) or its archive",
        hint="mrbench run writes to results",
    )


def _of_results(folder: Path, run: str, registry: Registry) -> Results:
    if run:
        return Results(tuple(merged_runs([open_run(run, folder)])), registry)
    opened, notes = [], []
    for path in sorted((folder / "runs").glob(f"*/{RUN}"), key=lambda path: path.stat().st_mtime):
        try:
            opened.append(open_run(str(path.parent), folder))
        except DataError as error:
            notes.append(f"{error.what}: {error.found}; {error.hint}")
    return Results(tuple(merged_runs(opened)), registry, tuple(notes))
