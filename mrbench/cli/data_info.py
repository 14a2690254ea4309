"""``mrbench data info``."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mrbench.cli.dataset import SETTINGS, configured
from mrbench.cli.options import DATA, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.data.loading import cases_of
from mrbench.errors import DataAbsentError
from mrbench.registry import Plugin
from mrbench.visible import visible

if TYPE_CHECKING:
    from mrbench.configuration import Config
    from mrbench.data.caseset import CaseSet
    from mrbench.data.splits import Fold, Split

Lines = list[tuple[str, str]]

DIGITS = 16
"""Of a digest that is shown; JSON has all."""


@click.command("info", short_help="Declarations, options, splits, and how to get it.")
@click.argument("name")
@DATA
@SETTINGS
@PLUGIN_FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(
    name: str, data: Path | None, settings: tuple[str, ...], plugin_files: tuple[Path, ...], as_json: bool
) -> None:
    """Show what a data set declares, its options, its splits with their digests, and how to get and prepare it."""
    plugin, config = configured(name, settings, registry(plugin_files), data)
    facts = _facts(plugin, config, data)
    if as_json:
        click.echo(json.dumps(facts, indent=1))
        return
    formatter = click.HelpFormatter(max_width=100)
    for title, lines in _sections(facts):
        if lines:
            with formatter.section(title):
                formatter.write_dl([(visible(word), visible(text)) for word, text in lines])
    click.echo(formatter.getvalue().strip("\n"))


def _facts(plugin: Plugin[Any], config: "Config", data: Path | None) -> dict[str, Any]:
    from mrbench.configuration import flat

    record = plugin.card
    prepares = f"mrbench data prepare {plugin.key} --source PATH" if record.prepare else ""
    facts = {
        "name": plugin.key,
        "summary": record.summary,
        "get it": record.source,
        "prepare it": prepares,
        "licence": record.licence,
        "citation": record.citation,
        "options": {
            name: {"value": flat(config.values()).get(name), "help": text} for name, text in config.options().items()
        },
    }
    try:
        cases = cases_of(plugin, config, data)
    except DataAbsentError as error:
        return facts | {"absent": {"what": error.what, "expected": error.expected, "next": error.hint}}
    return facts | {
        "declarations": cases.description.as_json(),
        "cases": len(cases),
        "subjects": len(set(cases.subjects)),
        "digest": cases.digest,
        "void": cases.void_share(),
        "splits": {name: _split_facts(split, cases) for name, split in cases.splits.items()},
    }


def _split_facts(split: "Split", cases: "CaseSet") -> dict[str, Any]:
    folds = [_fold_facts(fold, cases) for fold in split.folds]
    leaks = any(fold["leaking_subjects"] for fold in folds)
    return {"digest": split.digest(cases.ids), "leaks": leaks, "folds": folds}


def _fold_facts(fold: "Fold", cases: "CaseSet") -> dict[str, Any]:
    parts = {
        part: {"cases": len(indices), "subjects": len({cases.subjects[i] for i in indices.tolist()})}
        for part, indices in fold.parts().items()
    }
    return parts | {"leaking_subjects": len(fold.leaks(cases.subjects))}


def _sections(facts: Mapping[str, Any]) -> Iterator[tuple[str, Lines]]:
    about = [(name, facts[name]) for name in ("summary", "get it", "prepare it", "licence", "citation") if facts[name]]
    yield f"Data set {facts['name']}", about
    if "absent" in facts:
        absent = facts["absent"]
        yield "Not there", [(name, absent[name]) for name in ("what", "expected", "next") if absent[name]]
    else:
        declared = {name: _plain(value) for name, value in facts["declarations"].items() if facts.get(name) != value}
        yield (
            "Declares",
            [("content", _counted(facts)), ("digest", facts["digest"][:DIGITS])]
            + [("void pixels", f"{facts['void']:.2%}, which count nowhere")] * bool(facts["void"])
            + [(name.replace("_", " "), text) for name, text in declared.items() if text],
        )
        for name, split in facts["splits"].items():
            yield f"Split {name}{' (leaks)' if split['leaks'] else ''}", list(_split_lines(split))
    chosen = [(f"{name} = {_plain(option['value'])}", option["help"]) for name, option in facts["options"].items()]
    yield "Options (--set NAME=VALUE)", chosen


def _split_lines(split: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "digest", split["digest"][:DIGITS]
    for k, fold in enumerate(split["folds"]):
        parts = (f"{verb} {_counted(fold[part])}" for part, verb in _SPOKEN.items())
        leaking = fold["leaking_subjects"]
        yield (
            f"fold {k}",
            ", ".join(parts)
            + (f"; LEAKS: tests on {leaking:,} subject{'s' * (leaking != 1)} it learns from" * bool(leaking)),
        )


_SPOKEN = {"train": "trains on", "validation": "validates on", "test": "tests on"}


def _counted(facts: Mapping[str, int]) -> str:
    cases, subjects = facts["cases"], facts["subjects"]
    return f"{cases:,} case{'s' * (cases != 1)} of {subjects:,} subject{'s' * (subjects != 1)}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
