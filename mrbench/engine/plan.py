"""The plan: from what a command asks for to cells."""

import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from mrbench.cards import Capability, MethodCard
from mrbench.configuration import Config, as_text, flat
from mrbench.data.caseset import CaseSet
from mrbench.data.checks import check_cases
from mrbench.data.description import Description
from mrbench.data.imported import find_dataset
from mrbench.data.loading import cases_of, configured
from mrbench.digests import digest_json
from mrbench.engine.cell import EXTERNAL, CellSpec, Member
from mrbench.engine.conditions import AS_USUAL, Conditions
from mrbench.engine.equivalence import known_code
from mrbench.engine.redraws import redraws_fit
from mrbench.engine.tested import OtherData, check_together, named, unlike_raters
from mrbench.engine.tested import chosen as other_data
from mrbench.engine.wrapping import member_of, row_card
from mrbench.errors import MrbenchError, UnknownNameError, UsageError, together
from mrbench.interfaces.wrapper import WrapperConfig
from mrbench.places import blamed
from mrbench.registry import Plugin, Registry

STANDARD_PRESETS = ("paper", "quick", "compact", "as_released")
"""Names that mean something for every method; one without settings of that name has nothing to set."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a command asks for.

    Attributes:
        methods, datasets: names as given.
        settings: ``option``, or ``plugin.option`` to say whose, with values as given.
        presets: names of settings of the methods: for all (key ``""``) or for one by its name; none: ``paper``.
        folds: to run; empty: all.
        seeds: base seeds.
        samples: drawn per case.
        limit: at most this many test cases per fold.
        split: by name.
        test_on: ``DATASET[:SPLIT]`` that is tested on in place of the data sets' own test cases; empty: nothing else.
        conditions: of the trainings.
        data: the folder of prepared data.
    """

    methods: Sequence[str]
    datasets: Sequence[str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    presets: Mapping[str, str] = field(default_factory=dict)
    folds: Sequence[int] = ()
    seeds: Sequence[int] = (0,)
    samples: int = 50
    limit: int | None = None
    split: str = "strict"
    test_on: str = ""
    conditions: Conditions = AS_USUAL
    data: Path


@dataclass(frozen=True)
class Chosen:
    """A method with its settings.

    Attributes:
        preset: the name that they came from; of a wrapper, its member's.
        changed: the options set beside it.
        card: of its row.
        member: what a wrapper is of.
    """

    plugin: Plugin[Any]
    preset: str
    config: Config
    changed: Mapping[str, Any]
    card: MethodCard
    member: "Chosen | None" = None

    def on(self, description: Description) -> "Chosen":
        """Its options on a data set; errors as of :func:`fitted_to`."""
        member = self.member.on(description) if self.member else None
        return replace(self, config=fitted_to(description, self.plugin, self.config), member=member)

    @property
    def objective(self) -> dict[str, Any]:
        """Options of the loss that its preset sets otherwise than the paper."""
        return {name: value for name, value in self.config.objective().items() if name not in self.changed}

    def member_at(self, seed: int) -> Member | None:
        """What a wrapper's cell of a base seed says of its member."""
        if self.member is None or not isinstance(self.config, WrapperConfig):
            return None
        own, code = self.member, known_code(self.member.plugin)
        return Member(
            method=own.plugin.key,
            family=_family(own.plugin),
            method_version=own.plugin.version,
            options=own.config.values(),
            training=own.config.step("training"),
            prediction=own.config.step("prediction"),
            changed=own.changed,
            training_code=code.training,
            prediction_code=code.prediction,
            seeds=self.config.seeds(seed),
        )


@dataclass(frozen=True)
class PlannedCell:
    """A cell of a run, or the reason why it cannot be."""

    spec: CellSpec
    not_applicable: str = ""


@dataclass(frozen=True)
class Plan:
    """The cells of a run in the order in which they are done, with what there is to say about the data."""

    cells: tuple[PlannedCell, ...]
    descriptions: Mapping[str, Mapping[str, Any]]
    warnings: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        """The same request on the same data has the same run."""
        names = list(dict.fromkeys(cell.spec.domain.replace(":", "--") for cell in self.cells))
        return f"{'-'.join(names)}-{digest_json([cell.spec.as_json() for cell in self.cells])[:8]}"


def make_plan(request: Request, registry: Registry) -> Plan:
    """Resolves names and options, loads each data set once and lists the cells.

    Raises:
        UsageError: an unknown name, option, split or fold, an option that nothing takes, or options of methods that do
            not fit a data set: of all methods at once.
        PluginError: a configuration that raises something else.
        DataAbsentError, DataError: a data set that is not there or is wrong.
    """
    _check_named(request)
    _check_not_external(request.methods)
    methods = _distinct(registry.get("method", name) for name in request.methods)
    _check_something_trains(request, methods)
    datasets = _distinct(find_dataset(name, registry, request.data) for name in request.datasets)
    other = named(request.test_on, registry, request.data) if request.test_on else None
    with_data = _distinct([*datasets, *(other[:1] if other else ())])
    members = _members(request, registry, methods, with_data)
    trained = _distinct([*methods, *members.values()])
    _check_requirements(trained)
    settings = OptionValues(request.settings, trained, with_data)
    cells: list[PlannedCell] = []
    warnings: list[str] = []
    descriptions = {}
    _check_presets(request.presets, trained)
    chosen = [_chosen(plugin, members.get(plugin.qualified), request.presets, settings) for plugin in methods]
    faults: list[MrbenchError] = []
    tested = _loaded_other(*other, settings, request.data) if other else None
    for dataset in datasets:
        config, cases, found = load_checked(dataset, settings, request.data)
        warnings += found + cases.split(request.split).leak_warnings(cases.subjects, owner=dataset.key)
        descriptions[dataset.key] = cases.description.as_json()
        for one in chosen:
            try:
                fitted = one.on(cases.description)
            except MrbenchError as fault:
                faults.append(fault)
                continue
            cells += _cells(request, settings, fitted, dataset, config, cases, tested)
        if tested:
            own = [cell.spec for cell in cells if cell.spec.dataset == dataset.key]
            check_together(own, cases, tested)
            descriptions |= {spec.domain: tested.cases.description.as_json() for spec in own}
    settings.check_used()
    if faults:
        raise together("methods do not fit their data sets", faults)
    return Plan(tuple(sorted(cells, key=_order)), descriptions, tuple(warnings))


def _loaded_other(plugin: Plugin[Any], split: str, settings: "OptionValues", data: Path) -> OtherData:
    config, cases, _ = load_checked(plugin, settings, data)
    return other_data(plugin, config.values(), settings.of(plugin), cases, split)


def load_checked(plugin: Plugin[Any], settings: "OptionValues", data: Path) -> tuple[Config, CaseSet, list[str]]:
    """A data set's configuration and cases, with what the loading checks warn of.

    Raises:
        UsageError: an option that it does not have.
        DataAbsentError, DataError: it is not there or is wrong.
    """
    config = configured(plugin, settings.of(plugin))
    cases = cases_of(plugin, config, data)
    # A container was checked when it was written.
    warnings = check_cases(cases) if cases.stored_digest is None else []
    return config, cases, [f"{plugin.key}: {line}" for line in warnings]


def _members(
    request: Request, registry: Registry, methods: Sequence[Plugin[Any]], datasets: Sequence[Plugin[Any]]
) -> dict[str, Plugin[Any]]:
    """What each wrapper is of; an option without an owner is the member's as well."""
    settings = OptionValues(request.settings, methods, datasets)
    wrappers = [plugin for plugin in methods if plugin.card.wraps]
    return {plugin.qualified: member_of(plugin, settings.of(plugin), registry) for plugin in wrappers}


def _chosen(
    plugin: Plugin[Any], of: Plugin[Any] | None, presets: Mapping[str, str], settings: "OptionValues"
) -> Chosen:
    if of is None:
        preset, config = _method_config(plugin, _preset(presets, plugin), settings)
        return Chosen(plugin, preset, config, settings.of(plugin), plugin.card)
    own = configured(plugin, settings.of(plugin)).values()
    asked = own["of_preset"] or presets.get(plugin.key) or presets.get(plugin.card.name) or _preset(presets, of)
    preset, config = _method_config(of, asked, settings)
    member = Chosen(of, preset, config, settings.of(of), of.card)
    # What it is of belongs to the row's name, set or not.
    told = {name: as_text(value) for name, value in own.items() if name != "of_preset"} | settings.of(plugin)
    named = configured(plugin, own | {"of": of.key, "of_preset": preset if preset in of.card.presets else None})
    return Chosen(plugin, preset, named, told, row_card(plugin.card, of.card), member)


def _order(cell: PlannedCell) -> tuple[str, int, int, bool]:
    # Fold by fold, so that an early look at a long run compares the methods; training-free cells first.
    return cell.spec.dataset, cell.spec.seed, cell.spec.fold, cell.spec.kind == "method"


def _check_named(request: Request) -> None:
    for kind, names in (("method", request.methods), ("dataset", request.datasets)):
        if not names:
            raise UsageError(f"no {kind} is named", hint=f"--{kind} NAME; mrbench list {kind}s")


def _check_not_external(methods: Sequence[str]) -> None:
    for name in methods:
        if name.startswith(EXTERNAL):
            raise UsageError(
                f"method {name!r} stands for predictions made elsewhere, which no run can compute",
                hint=f"mrbench score --predictions PATH --name {name.removeprefix(EXTERNAL)} --dataset NAME",
            )


def _distinct(plugins: Iterable[Plugin[Any]]) -> list[Plugin[Any]]:
    return list({plugin.qualified: plugin for plugin in plugins}.values())


def _check_requirements(plugins: Sequence[Plugin[Any]]) -> None:
    for plugin in plugins:
        missing = [name for name in plugin.card.requires if importlib.util.find_spec(name) is None]
        if missing:
            raise UsageError(f"method {plugin.key!r} needs {missing[0]!r}", hint=f"pip install {missing[0]}")


def _check_something_trains(request: Request, methods: Sequence[Plugin[Any]]) -> None:
    changed = request.conditions.command_line
    if changed and all(plugin.card.kind == "fusion" for plugin in methods):
        raise UsageError(
            f"{' '.join(changed[:2])} changes trainings, and none of the methods has one",
            expected="a method that learns",
            found=", ".join(plugin.key for plugin in methods),
            hint="mrbench list methods",
        )


def _check_presets(presets: Mapping[str, str], methods: Sequence[Plugin[Any]]) -> None:
    names = {name for plugin in methods for name in (plugin.key, plugin.card.name)}
    for owner, preset in presets.items():
        if owner and owner not in names:
            raise UnknownNameError("method", owner, names, where="in --preset")
        known = {*STANDARD_PRESETS, *(name for plugin in methods for name in plugin.card.presets)}
        if preset not in known:
            raise UnknownNameError("preset", preset, known, hint="mrbench info METHOD")


def _preset(presets: Mapping[str, str], plugin: Plugin[Any]) -> str | None:
    return presets.get(plugin.key) or presets.get(plugin.card.name) or presets.get("")


def _method_config(plugin: Plugin[Any], preset: str | None, settings: "OptionValues") -> tuple[str, Config]:
    record: MethodCard = plugin.card
    name = preset or "paper"
    if not record.presets or (preset is None and name not in record.presets):
        name, values = "default", {}
    elif name not in record.presets:
        hint = f"--preset {plugin.card.name}=NAME gives this method one of its own"
        raise UnknownNameError("preset", name, record.presets, where=f"of method {plugin.key!r}", hint=hint)
    else:
        values = dict(record.presets[name])
    return name, configured(plugin, flat(values) | flat(settings.of(plugin)))


def _cells(
    request: Request,
    settings: "OptionValues",
    chosen: Chosen,
    dataset: Plugin[Any],
    dataset_config: Config,
    cases: CaseSet,
    tested: OtherData | None,
) -> Iterator[PlannedCell]:
    plugin, config, record = chosen.plugin, chosen.config, chosen.card
    split = cases.split(request.split)
    split.check(cases.subjects, owner=dataset.key)
    reasons = "; ".join(_reasons(record, cases, tested))
    code = known_code(plugin)
    conditions = request.conditions.among(cases.description.n_raters, cases.description.name)
    for seed in request.seeds:
        for fold in chosen_folds(request.folds, len(split.folds), dataset.key):
            spec = CellSpec(
                method=plugin.key,
                dataset=dataset.key,
                kind=record.kind,
                family=_family(plugin),
                gives=record.gives,
                method_version=plugin.version,
                training_code=code.training,
                prediction_code=code.prediction,
                capabilities=tuple(sorted(record.capabilities_with(config.values()))),
                options=config.values(),
                training=config.step("training"),
                prediction=config.step("prediction"),
                preset=chosen.preset,
                changed=chosen.changed,
                dataset_options=dataset_config.values(),
                dataset_changed=settings.of(dataset),
                data_digest=cases.digest,
                split=split.name,
                split_digest=split.digest(cases.ids),
                fold=fold,
                seed=seed,
                samples=request.samples,
                limit=request.limit,
                conditions=conditions if record.kind == "method" else AS_USUAL,
                member=chosen.member_at(seed),
                test_on=tested.choice if tested else None,
                objective=(chosen.member or chosen).objective,
            )
            yield PlannedCell(spec, reasons)


def _reasons(card: MethodCard, trained: CaseSet, tested: OtherData | None) -> list[str]:
    own = capabilities_fit(card, trained.description)
    if tested is None:
        return [*own, *redraws_fit(card, trained)]
    other = tested.cases.description
    of_both = capabilities_fit(card, other), unlike_raters(card, trained.description, other)
    return [*dict.fromkeys([*own, *chain(*of_both), *redraws_fit(card, tested.cases)])]


def fitted_to(description: Description, plugin: Plugin[Any], config: Config) -> Config:
    """A method's options on a data set, checked where the method works on such data at all.

    Raises:
        UsageError: they do not fit it; names both.
        PluginError: the configuration raised something else.
    """
    where = f"method {plugin.key!r} on data set {description.name!r}"
    try:
        with blamed(f"{where}: its options cannot be checked", plugin.modules):
            resolved = config.resolved(description)
            if not capabilities_fit(plugin.card, description):
                resolved.check(description)
    except UsageError as error:
        what, hint = f"{where}: {error.what}", error.hint or f"mrbench info {plugin.key}"
        raise UsageError(what, expected=error.expected, found=error.found, hint=hint) from error
    return resolved


def _family(plugin: Plugin[Any]) -> str:
    own = plugin.key == plugin.card.name
    return str(plugin.card.family) if own else f"{plugin.distribution}:{plugin.card.family}"


def chosen_folds(asked: Sequence[int], available: int, dataset: str) -> Sequence[int]:
    """The folds asked for, all where none are; a fold that is not there is a usage error."""
    unknown = [fold for fold in asked if not 0 <= fold < available]
    if unknown:
        raise UsageError(f"data set {dataset!r} has no fold {unknown[0]}", expected=f"0..{available - 1}")
    return sorted(set(asked)) or range(available)


class OptionValues:
    """``--set`` values by owner: ``plugin.option`` for one, ``option`` for every plugin that has it."""

    def __init__(self, values: Mapping[str, Any], methods: Sequence[Plugin[Any]], datasets: Sequence[Plugin[Any]]):
        self.values = flat(values)
        self.plugins = [*methods, *datasets]
        self.options = {plugin.qualified: plugin.load_config().options() for plugin in self.plugins}
        self.used: set[str] = set()

    def of(self, plugin: Plugin[Any]) -> dict[str, Any]:
        """The values that are meant for one plugin."""
        own: dict[str, Any] = {}
        for name, value in self.values.items():
            owners = self._owners(name)
            if name in self.options[plugin.qualified] and not owners:
                own.setdefault(name, value)
                self.used.add(name)
            elif plugin.qualified in owners:
                own[owners[plugin.qualified]] = value
                self.used.add(name)
        return own

    def _owners(self, name: str) -> dict[str, str]:
        # The plugins that the name begins with, and the option that follows; both may have dots of their own.
        for heads in ({p.qualified: p.qualified for p in self.plugins}, {p.qualified: p.name for p in self.plugins}):
            found = {p: name.removeprefix(f"{head}.") for p, head in heads.items() if name.startswith(f"{head}.")}
            if found:
                return found
        return {}

    def check_used(self) -> None:
        """Refuses a name that no chosen method or data set has."""
        known = {name for options in self.options.values() for name in options}
        for name in self.values:
            if name not in self.used:
                raise UnknownNameError("option", name, known, hint=f"mrbench info {self.plugins[0].key}")


def capabilities_fit(record: MethodCard, description: Description) -> Sequence[str]:
    """Why a method cannot work on a data set by declaration; empty where it can."""
    reasons = []
    if not description.channels and record.kind == "method":
        reasons.append(f"learns from images, {description.name!r} has none: fusions of masks work on it")
    if description.n_classes > 2 and Capability.MULTI_CLASS not in record.capabilities:
        reasons.append(f"takes two classes, {description.name!r} has {description.n_classes}")
    if description.unit == "volume" and Capability.VOLUMES not in record.capabilities:
        reasons.append(f"takes slices, {description.name!r} has volumes")
    return reasons
