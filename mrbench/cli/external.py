"""The options of ``mrbench score`` that are for predictions made elsewhere, and what they do."""

import re
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from mrbench.cli.mask_options import OPTIONS as MASK_OPTIONS
from mrbench.cli.options import DATA
from mrbench.data.folder import data_folder
from mrbench.engine.run import Run, run_of
from mrbench.engine.settings import Settings
from mrbench.errors import UsageError
from mrbench.registry import Registry

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
NAME_LENGTH = 80

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = (
    click.option(
        "--predictions",
        type=click.Path(path_type=Path),
        help="Score these instead of a run: an HDF5 or npz file, or a folder of NIfTI or PNG files.",
    ),
    click.option("--dataset", metavar="NAME", help="The data set that the predictions are of."),
    click.option("--name", metavar="NAME", help="Name of their row. [default: that of the file or folder]"),
    click.option(
        "--pattern",
        "patterns",
        multiple=True,
        metavar="TEXT",
        help="How files in a folder are named, e.g. '{case}/sample-{sample}.png'; repeat for several.",
    ),
    click.option(
        "--fold", "folds", multiple=True, type=click.IntRange(0), help="A fold; repeat for several. [default: all]"
    ),
    click.option("--split", metavar="NAME", help="The split of the data set. [default: strict]"),
    click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="An option of the data set."),
    *MASK_OPTIONS,
    DATA,
)


FLAGS = {
    "dataset": "--dataset",
    "name": "--name",
    "patterns": "--pattern",
    "folds": "--fold",
    "split": "--split",
    "settings": "--set",
    "labels": "--labels",
    "threshold": "--threshold",
    "invert": "--invert",
    "data": "--data",
}
"""What means nothing without predictions."""


def external_options(function: F) -> F:
    """Adds the options to a command; they reach it by name."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def check_options(options: Mapping[str, Any]) -> None:
    """Refuses options of the command at hand that mean nothing together."""
    if options["predictions"] is None:
        given = [flag for name, flag in FLAGS.items() if _is_given(options[name])]
        if given:
            raise UsageError(f"{given[0]} is for predictions made elsewhere", hint="--predictions PATH")
        return
    if click.get_current_context().get_parameter_source("run") is not ParameterSource.DEFAULT:
        raise UsageError("both a run and --predictions are named", expected="one of them")
    if not options["dataset"]:
        raise UsageError("no data set is named", hint="--dataset NAME; mrbench list datasets")


def score_predictions(options: Mapping[str, Any], registry: Registry, out: Path) -> Run:
    """Scores predictions made elsewhere and leaves a run in the results folder."""
    from mrbench.cli.run import parse_setting
    from mrbench.engine.progress import open_progress
    from mrbench.external.cell import External, planned_external, score_external

    path: Path = options["predictions"]
    asked = External(
        predictions=path,
        name=_checked(options["name"]) if options["name"] is not None else default_name(path),
        dataset=options["dataset"],
        patterns=options["patterns"],
        labels=options["labels"],
        threshold=options["threshold"],
        invert=options["invert"],
        settings=dict(parse_setting(text) for text in options["settings"]),
        folds=options["folds"],
        split=options["split"] or "strict",
        data=data_folder(options["data"]),
    )
    with planned_external(asked, registry) as planned:
        for line in planned.plan.warnings:
            click.echo(f"warning: {line}", err=True)
        run = run_of(planned.plan, out, asked.data, shlex.join(["mrbench", *sys.argv[1:]]))
        with open_progress(planned.plan, run, Settings(data=asked.data)) as watch:
            score_external(planned, run, registry, watch)
    return run


def default_name(path: Path) -> str:
    """The name of a file without its ending, or of a folder, with ``-`` for what no row's name may hold."""
    stem = path.resolve().name if path.is_dir() else path.stem
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem)[:NAME_LENGTH].strip("-_") or "predictions"


def _is_given(value: Any) -> bool:
    return value not in (None, ()) and value is not False


def _checked(name: str) -> str:
    if len(name) > NAME_LENGTH or not NAME.fullmatch(name):
        raise UsageError(
            f"{name[:NAME_LENGTH]!r} cannot name a row",
            expected=f"at most {NAME_LENGTH} letters, digits, hyphens, underscores and single dots",
        )
    return name
