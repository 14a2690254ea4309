"""``mrbench run``."""

import json
import shlex
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mrbench.cli.options import DATA, METRICS, OUT, PLUGIN_FILES, read_jobs
from mrbench.cli.plugins import registry
from mrbench.configuration import as_text, flat
from mrbench.data.folder import data_folder
from mrbench.engine.cell import CellSpec
from mrbench.engine.conditions import PRECISIONS, SPARSITIES, Conditions
from mrbench.engine.damage import fault_of_cell
from mrbench.engine.launch import DEVICES, Launch, PlannedRun
from mrbench.engine.plan import Request
from mrbench.engine.record import is_there
from mrbench.errors import UnknownNameError, UsageError
from mrbench.metrics.protocol import MAX_PREDICTIONS
from mrbench.registry import Registry

SET = "mrbench.cli.run.set"
"""Where the settings of a file wait for those of the command line."""

EXITS = """\b
Exit codes: 0 all that was asked for is there, 1 a cell failed, 2 usage,
4 results of another version, 130, 143, 129 ended by Ctrl-C, SIGTERM, SIGHUP."""


def _read_config(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> Path | None:
    """Makes a TOML file's keys the defaults of the options of the same names; its table [set] is added to --set."""
    if path is None:
        return None
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the configuration {path}", found=str(error)) from None
    options = [p for p in ctx.command.params if isinstance(p, click.Option) and p.name != "config"]
    known = {option.opts[0].lstrip("-"): option for option in options}
    for name, value in values.items():
        if name not in known:
            raise UnknownNameError(
                "key", name, known, where=f"in {path}", hint="options of plugins stand in the table [set]"
            )
        if isinstance(value, Mapping) != (name == "set") or (isinstance(value, list) and not known[name].multiple):
            expected = 'a table: [set] with "NAME.KEY" = VALUE' if name == "set" else "a value as on the command line"
            raise UsageError(f"key {name!r} in {path} has a wrong type", expected=expected, found=repr(value))
    ctx.meta[SET] = [f"{name}={as_text(value)}" for name, value in flat(values.pop("set", {})).items()]
    ctx.default_map = {known[name].name: _as_default(known[name], value) for name, value in values.items()}
    return path


def _added_to_file(ctx: click.Context, _parameter: click.Parameter, settings: Sequence[str]) -> tuple[str, ...]:
    """The file's settings, then those of the command line, the later of one name winning."""
    return (*ctx.meta.get(SET, ()), *settings)


def _parted(_ctx: click.Context, _parameter: click.Parameter, names: Sequence[str]) -> tuple[str, ...]:
    """Names from the environment stand in one word with commas."""
    return tuple(name for word in names for name in word.split(",") if name)


def _as_default(parameter: click.Option, value: Any) -> Any:
    plain = value if isinstance(value, bool) else [str(v) for v in value] if isinstance(value, list) else str(value)
    return [plain] if parameter.multiple and not isinstance(plain, list) else plain


@click.command("run", epilog=EXITS)
@click.option("--method", "methods", multiple=True, metavar="NAME", help="A method; repeat for several.")
@click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="A data set; repeat for several.")
@click.option(
    "--preset",
    "presets",
    multiple=True,
    metavar="NAME",
    help="Settings of the methods: paper (default), quick, compact, as_released. METHOD=NAME for one of several.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_added_to_file,
    help="An option of a method or data set; NAME.KEY=VALUE says whose, a,b,c gives several values. See mrbench info "
    "NAME.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_read_config,
    is_eager=True,
    help="A TOML file with these options. One on the command line replaces the file's, all its values together; --set "
    "adds to the file's table [set].",
)
@click.option(
    "--fold", "folds", multiple=True, type=click.IntRange(0), help="A fold; repeat for several. [default: all]"
)
@click.option("--split", default="strict", show_default=True, metavar="NAME", help="The split of the data set.")
@click.option(
    "--test-on",
    default="",
    metavar="DATASET[:SPLIT]",
    help="Test on another data set than is trained on: on all its cases, or on the test cases of a split of it.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Base seed of trainings and draws.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Number of base seeds, from --seed on."
)
@click.option(
    "--samples",
    type=click.IntRange(1, MAX_PREDICTIONS),
    default=50,
    show_default=True,
    help="Samples drawn per case.",
)
@click.option("--limit", type=click.IntRange(1), help="Test on the first N cases of each fold only.")
@click.option(
    "--raters-present",
    type=click.IntRange(1),
    metavar="N",
    help="Train with the masks of N raters of each image, at most; test with all. [default: all]",
)
@click.option(
    "--sparsity",
    type=click.Choice(SPARSITIES),
    help="The N raters: drawn anew at every step (the default), or fixed once for each case.",
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="Of convolutions in training. bf16 takes about two thirds of the time where the hardware has it.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    metavar="N",
    help="Threads of a cell, a condition that its numbers depend on.",
)
@PLUGIN_FILES
@METRICS
@DATA
@OUT
@click.option(
    "--observe",
    "observers",
    multiple=True,
    callback=_parted,
    envvar="MRBENCH_OBSERVE",
    show_envvar=True,
    metavar="NAME",
    help="An observer that is told of every cell, e.g. tensorboard; repeat for several.",
)
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True)
@click.option(
    "--jobs",
    callback=read_jobs,
    default="auto",
    show_default=True,
    metavar="N",
    help="Cells side by side; changes no number. auto: as many as cores and free memory allow, one for each GPU.",
)
@click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Per cell.")
@click.option("--force", is_flag=True, help="Compute finished cells again, trainings included.")
@click.option("--diagnose", is_flag=True, help="Ask the finished weights what their latents do: mrbench diagnose.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON on standard output.")
def command(**options: Any) -> None:
    """Run methods on data sets under one protocol and print a table.

    The same command again continues: finished cells are kept, failed ones run again.

    \b
    mrbench run --method proseg --method unet-majority --dataset phantom --preset quick
    mrbench run --method proseg --dataset lidc --data FOLDER --preset quick --fold 0
    """
    found = registry(options["plugin_files"])
    for name in options["metrics"]:
        found.get("metric", name)
    planned = _launch(options).planned(found, shlex.join(["mrbench", *sys.argv[1:]]))
    for line in planned.warnings:
        click.echo(f"warning: {line}", err=True)
    if options["dry_run"]:
        _print_plan(planned, as_json=options["as_json"])
        return
    from mrbench.cli.tables import print_run

    results = planned.compute(progress=True)
    failed = 0
    if options["diagnose"]:
        failed = _diagnose(planned, found, quiet=options["as_json"])
        results = planned.run.cell_results()
    shown = print_run(planned.run, results, found, metrics=options["metrics"], as_json=options["as_json"])
    sys.exit(shown or failed)


def _diagnose(planned: PlannedRun, found: Registry, *, quiet: bool) -> int:
    from mrbench.cli.diagnose import diagnose_runs
    from mrbench.diagnostics.diagnose import Asked
    from mrbench.results.method_run import runs_of

    settings = planned.settings
    asked = Asked(data=settings.data, device=settings.device, plugin_files=settings.plugin_files)
    return diagnose_runs(runs_of(planned.run), found, asked, show=not quiet)


def _launch(options: Mapping[str, Any]) -> Launch:
    seed = options["seed"]
    request = Request(
        methods=options["methods"],
        datasets=options["datasets"],
        settings=dict(parse_setting(text) for text in options["settings"]),
        presets=dict(_preset(text) for text in options["presets"]),
        folds=options["folds"],
        seeds=range(seed, seed + options["seeds"]),
        samples=options["samples"],
        limit=options["limit"],
        split=options["split"],
        test_on=options["test_on"],
        conditions=_conditions(options),
        data=data_folder(options["data"]),
    )
    return Launch(
        request=request,
        out=options["out"],
        device=options["device"],
        jobs=options["jobs"],
        timeout=options["timeout"],
        force=options["force"],
        plugin_files=options["plugin_files"],
        observe=options["observers"],
    )


def _conditions(options: Mapping[str, Any]) -> Conditions:
    return Conditions.chosen(options["raters_present"], options["sparsity"], options["precision"], options["threads"])


def _preset(text: str) -> tuple[str, str]:
    owner, equals, name = text.rpartition("=")
    return (owner, name) if equals else ("", text)


def parse_setting(text: str) -> tuple[str, str]:
    """Name and value of one ``--set``."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {text!r} is no setting", expected="KEY=VALUE or NAME.KEY=VALUE")
    return name.strip(), value.strip()


def _print_plan(planned: PlannedRun, *, as_json: bool) -> None:
    run = planned.run
    rows = [_planned(planned, *cell) for cell in run.cells]
    if as_json:
        click.echo(json.dumps({"run": run.id, "cells": [row.as_json() for row in rows]}, indent=1))
        return
    for row in rows:
        click.echo(f"{row.spec.title}  preset {row.spec.preset}  {row.spec.digest[:12]}  {row.told}")
    for line in planned.other_code:
        click.echo(line)
    click.echo(f"run {run.id}: nothing was computed; {len(rows)} cells")


@dataclass(frozen=True)
class _Planned:
    """A cell, what the run does with it and why, and whether its method was built before; None where it need not be."""

    spec: CellSpec
    state: str
    fault: str = ""
    built: bool | None = None

    @property
    def told(self) -> str:
        why = f": {self.fault}; what is there is moved aside" if self.fault else ""
        return f"{self.state}{'' if self.built is not False else ', not yet built'}{why}"

    def as_json(self) -> dict[str, Any]:
        found = {"cell": self.spec.title, "digest": self.spec.digest, "state": self.state, "built": self.built}
        return found | ({"fault": self.fault} if self.fault else {})


def _planned(planned: PlannedRun, spec: CellSpec, reason: str) -> _Planned:
    folder = spec.folder(planned.run.results)
    there = not reason and not planned.settings.force and is_there(folder)
    fault = fault_of_cell(folder) if there else None  # every byte is looked at, as the run does
    if reason or (there and fault is None):
        return _Planned(spec, reason or "kept")
    return _Planned(spec, "to do", fault.fault if fault else "", planned.builds.is_built(spec))
