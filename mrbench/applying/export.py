"""From a training of a run to one file that predicts elsewhere, where the same plugin is installed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mrbench.applying.card import Carded, card_of
from mrbench.applying.scope import Scope, scope_of
from mrbench.applying.trainings import Trainings
from mrbench.configuration import flat
from mrbench.data.description import Description
from mrbench.data.loading import configured
from mrbench.engine.cell import CellSpec, DataChoice
from mrbench.engine.from_file import file_options
from mrbench.engine.model import load_model
from mrbench.engine.model_file import CodeFacts, ModelFacts, weights_of, write_model_file
from mrbench.engine.required import methods_of
from mrbench.errors import UsageError
from mrbench.leaderboard.strip import without_folders
from mrbench.registry import Registry


def export_model(
    chosen: Trainings, to: Path, registry: Registry, plugin_files: Sequence[Path] = (), *, other_code: bool = False
) -> list[str]:
    """Writes the model of a training; returns what there is to say of it, a line each.

    Raises:
        UsageError: there is something at ``to``; or options that name files which predictions need.
        PluginError: a method whose weights are not all that it saves, or one of other code, unless that is accepted.
        DataError: weights that are not there, or damaged.
    """
    if to.exists() or to.is_symlink():
        raise UsageError(f"{to} is there already", hint="name another file, or remove it first")
    (result,) = chosen.results
    model = load_model(result, device="cpu", plugin_files=plugin_files, other_code=other_code)
    weights = [weights_of(method) for method in model.methods]
    scope, note = scope_of(chosen.spec, registry, chosen.run)
    facts = _facts(chosen, model.description, scope, registry)
    columns = {plugin.key: plugin.card for plugin in registry.of_kind("metric") if plugin.card.table}
    to.parent.mkdir(parents=True, exist_ok=True)
    write_model_file(to, facts, card_of(Carded(facts, result, columns, scope)), weights)
    return [note] if note else []


def _facts(chosen: Trainings, description: Description, scope: Scope | None, registry: Registry) -> ModelFacts:
    (result,) = chosen.results
    spec, record = portable(result.spec, registry), result.record or {}
    return ModelFacts(
        name=chosen.names[0],
        spec=spec.as_json(),
        description=description.as_json(),
        seen=asdict(scope) if scope else None,
        plugins={name: _distribution(name, registry) for name in methods_of(spec)},
        code=_code(record.get("code", {})),
        method=_about(registry, spec),
        metrics={name: float(one["value"]) for name, one in record.get("metrics", {}).items()},
        written=result.written,
    )


def _distribution(name: str, registry: Registry) -> str:
    plugin = registry.get("method", name)
    return f"{plugin.distribution} {plugin.distribution_version}".strip()


def _code(recorded: Mapping[str, Any]) -> CodeFacts:
    known = ("modules", "files", "commits")
    return CodeFacts(**{name: recorded[name] for name in known if name in recorded})


def _about(registry: Registry, spec: CellSpec) -> dict[str, str]:
    facts: dict[str, str] = {}
    for name in methods_of(spec):
        card = registry.get("method", name).card
        which = "" if name == spec.method else f" of {name}"
        own = {"what": card.summary, "citation": card.citation, "licence of the code": card.licence}
        facts |= {f"{key}{which}": text for key, text in own.items() if text}
    return facts


def portable(spec: CellSpec, registry: Registry) -> CellSpec:
    """A cell's specification without folders of the machine; it has the same digests.

    Files that a method begins its training from are no part of it: their content is in the digests, and the weights
    that came of them are in the file.

    Raises:
        UsageError: an option names a file that predictions need.
    """
    own = _without_files(spec, registry)
    member = spec.member
    if member:
        of = _without_files(spec.trainings[0], registry)
        member = replace(member, options=of.options, changed=of.changed)
    return replace(
        spec,
        options=own.options,
        changed=own.changed,
        member=member,
        dataset_options=_plain(spec.dataset_options),
        dataset_changed=_plain(spec.dataset_changed),
        test_on=spec.test_on and _plain_choice(spec.test_on),
    )


def _without_files(spec: CellSpec, registry: Registry) -> CellSpec:
    plugin = registry.get("method", spec.method)
    files = [*file_options(configured(plugin, spec.options))]
    options = flat(spec.options) | dict.fromkeys(files)
    if not files:
        return spec
    if needed := [name for name in files if name in spec.prediction]:
        raise _file_needed(spec, f"option {needed[0]!r} is of the prediction")
    try:
        configured(plugin, options)
    except UsageError as error:
        raise _file_needed(spec, error.fault) from error
    changed = {name: value for name, value in spec.changed.items() if name not in files}
    return replace(spec, options=options, changed=changed)


def _file_needed(spec: CellSpec, found: str) -> UsageError:
    return UsageError(
        f"method {spec.method!r} cannot be exported: an option names a file that it cannot do without",
        expected="files that only training needs, or none",
        found=found,
    )


def _plain_choice(choice: DataChoice) -> DataChoice:
    options, changed = _plain(choice.dataset_options), _plain(choice.dataset_changed)
    return replace(choice, dataset_options=options, dataset_changed=changed)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: without_folders(value) if isinstance(value, str) else value for name, value in flat(values).items()}
