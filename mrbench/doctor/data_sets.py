"""The data sets: which are ready, and how to get the others. Content is not verified."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mrbench.bounded import said, traceback_of
from mrbench.data.loading import cases_of, configured
from mrbench.doctor.section import Section
from mrbench.errors import DataAbsentError, MrbenchError
from mrbench.registry import Plugin


def data_sets(plugins: Sequence[Plugin[Any]], folder: Path) -> Section:
    """Every data set as its standard options load it from a folder."""
    found = {plugin.key: _state(plugin, folder) for plugin in plugins}
    wrong = {name: one for name, one in found.items() if one["state"] == "wrong"}
    return Section(
        title="data",
        rows=[("folder", str(folder) + ("" if folder.is_dir() else " (not there)")), *_rows(found)],
        facts={"folder": str(folder), "datasets": found},
        attention=[
            f"data set {name!r} cannot be loaded: {one['found'].splitlines()[0]}" for name, one in wrong.items()
        ],
        tracebacks=[(f"data set {name!r}", one["traceback"]) for name, one in wrong.items()],
    )


def _rows(found: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    return [(name, _sentences(one)) for name, one in found.items()]


def _sentences(state: dict[str, str]) -> str:
    if state["state"] == "absent":
        return f"absent. Wanted: {state['wanted']}. Next: {state['next']}"
    return f"{state['state']}: {state['found'].splitlines()[0]}"


def _state(plugin: Plugin[Any], folder: Path) -> dict[str, str]:
    try:
        cases = cases_of(plugin, configured(plugin, {}), folder)
        subjects, raters = len(set(cases.subjects)), cases.description.n_raters
        return {"state": "ready", "found": f"{len(cases)} cases of {subjects} subjects, {raters} raters"}
    except DataAbsentError as error:
        return {"state": "absent", "found": error.found, "wanted": error.expected, "next": error.hint}
    except (Exception, SystemExit) as error:
        found = error.message if isinstance(error, MrbenchError) else f"{type(error).__name__}: {said(error)}"
        found = found.removeprefix(f"data set {plugin.key!r} cannot be loaded").removeprefix(": ")
        return {"state": "wrong", "found": found, "traceback": traceback_of(error)}
