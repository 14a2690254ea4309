"""The command that computes a cell again, made of its specification wherever it is shown, and stored nowhere."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mrbench.configuration import as_text
from mrbench.engine.cell import EXTERNAL, CellSpec
from mrbench.plugin_file import file_of


def reproduce(spec: CellSpec, metrics: Iterable[str] = (), *, folds: Sequence[int] = (), seeds: int = 1) -> str:
    """The command that computes a cell, with these metrics, again; plugin files stand in it without their folder.

    Args:
        folds: all that the command is for; none: the cell's.
        seeds: so many base seeds from the cell's on.
    """
    own = _scored(spec) if spec.kind == "external" else _computed(spec, seeds)
    words = ["mrbench", *own, *(word for fold in folds or (spec.fold,) for word in ("--fold", str(fold)))]
    return shlex.join([*words, *on_dataset(spec, (spec.method, *metrics)), *_settings(spec.method, spec.changed)])


def on_dataset(spec: CellSpec, plugins: Iterable[str] = ()) -> list[str]:
    """The words of a command that choose the cell's data set, with the plugin files of that and of ``plugins``."""
    files = dict.fromkeys(filter(None, map(file_of, (*plugins, spec.dataset))))
    words = ["--dataset", spec.dataset, *(word for file in files for word in ("--plugin-file", file))]
    words += ["--split", spec.split] if spec.split != "strict" else []
    return words + _settings(spec.dataset, spec.dataset_changed)


def _settings(owner: str, options: Mapping[str, Any]) -> list[str]:
    return [word for name, value in options.items() for word in ("--set", f"{owner}.{name}={as_text(value)}")]


def _computed(spec: CellSpec, seeds: int) -> list[str]:
    words = ["run", "--method", spec.method, "--seed", str(spec.seed)]
    words += ["--seeds", str(seeds)] if seeds > 1 else []
    words += ["--samples", str(spec.samples)]
    words += ["--preset", spec.preset] if spec.preset != "default" else []
    words += ["--limit", str(spec.limit)] if spec.limit is not None else []
    return words + spec.conditions.command_line


def _scored(spec: CellSpec) -> list[str]:
    words = ["score", "--predictions", spec.options["predictions"], "--name", spec.method.removeprefix(EXTERNAL)]
    return words + [word for pattern in spec.options["patterns"] for word in ("--pattern", pattern)]
