"""``mrbench data list``."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from mrbench.bounded import said
from mrbench.cli.options import DATA, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.data.folder import data_folder
from mrbench.data.imported import container_name, imported_sets
from mrbench.data.loading import cases_of
from mrbench.errors import DataAbsentError, MrbenchError
from mrbench.registry import Plugin
from mrbench.visible import visible


@click.command("list", short_help="What there is, and what is prepared.")
@DATA
@PLUGIN_FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_datasets(data: Path | None, plugin_files: tuple[Path, ...], as_json: bool) -> None:
    """List the data sets: raters, cases and subjects of those that are there, and which are not."""
    plugins = registry(plugin_files)
    imported = {plugin.name: _facts(plugin, data) for plugin in imported_sets(plugins, data)}
    named = {name: facts for name, facts in imported.items() if facts["state"] == "prepared"}
    others = [container_name(name) for name in imported if name not in named]
    found = [_facts(plugin, data) | _opened(plugin, others) for plugin in plugins.of_kind("dataset")] + [
        *named.values()
    ]
    if as_json:
        click.echo(json.dumps({"folder": str(data_folder(data)), "datasets": found}, indent=1))
        return
    formatter = click.HelpFormatter(max_width=100)
    with formatter.section(f"Data sets (data folder {visible(str(data_folder(data)))})"):
        formatter.write_dl([(facts["name"], visible(". ".join(_lines(facts)))) for facts in found])
    click.echo(formatter.getvalue(), nl=False)
    click.echo("\nmrbench data info NAME says how to get one, and all that it declares.")


def _facts(plugin: Plugin[Any], data: Path | None) -> dict[str, Any]:
    facts = {"name": plugin.key, "summary": plugin.card.summary}
    if plugin.card.generated:
        return facts | {"state": "generated"}
    try:
        cases = cases_of(plugin, plugin.load_config()(), data)
    except DataAbsentError as error:
        return facts | {"state": "absent", "reason": error.what}
    except MrbenchError as error:
        return facts | {"state": "damaged", "reason": error.what}
    except Exception as error:  # of a plugin: the others are still worth listing
        return facts | {"state": "damaged", "reason": f"{type(error).__name__}: {said(error)}"}
    return facts | {
        "state": "prepared",
        "raters": cases.description.raters.value,
        "rater_names": list(cases.description.rater_names),
        "unit": cases.description.unit.value,
        "cases": len(cases),
        "subjects": len(set(cases.subjects)),
        "where": str(_where(plugin, data_folder(data))),
    }


def _opened(plugin: Plugin[Any], containers: Sequence[str]) -> dict[str, Any]:
    """Containers that are no data set by name, for a data set that opens any."""
    return {"opens": plugin.card.opens, "containers": containers} if plugin.card.opens else {}


def _where(plugin: Plugin[Any], folder: Path) -> Path:
    container = folder / f"{plugin.card.name}.h5"
    return container if container.is_file() else folder


def _reason(facts: dict[str, Any]) -> str:
    if facts["state"] == "damaged":
        return f"damaged: {facts['reason']}"
    # The name stands beside it.
    return str(facts["reason"].removeprefix(f"data set {facts['name'].rpartition(':')[2]!r} ").removeprefix("is "))


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    if facts["state"] == "generated":
        yield "generated, nothing to get"
    elif facts["state"] == "prepared":
        raters = f"{len(facts['rater_names'])} {facts['raters']} raters"
        yield f"{facts['cases']:,} cases of {facts['subjects']:,} subjects, {raters}, in {facts['where']}"
    else:
        yield _reason(facts)
    if facts["summary"]:
        yield facts["summary"]
    if facts.get("containers"):
        yield f"To open with --set {facts['opens']}=NAME: {', '.join(facts['containers'])}"
