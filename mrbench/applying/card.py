"""The card of a model: what it is, what it was trained on, how well it did there, and what that does not say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mrbench.applying.scope import Scope
from mrbench.configuration import as_text
from mrbench.data.description import Description, Raters
from mrbench.engine.cell import SHORT, CellSpec, domain_title
from mrbench.engine.model_file import ModelFacts
from mrbench.engine.result import Result
from mrbench.results.caveats import EXPLAINED, caveats_of
from mrbench.results.columns import RESEARCH, Column, header
from mrbench.results.numbers import short
from mrbench.visible import visible

RATERS = {
    Raters.IDENTIFIED: "the same persons in every case",
    Raters.RANKED: "virtual: the masks of each case sorted by area",
    Raters.EXCHANGEABLE: "anonymous: a column is not the same person in every case",
}

LIMITS = """\
A prediction is no diagnosis. Nothing says how well the method does on images of another scanner, hospital, population
or disease than it was trained on. Its samples show how the raters of the training data disagreed, not what is true."""

USE = """\
    mrbench predict FILE IMAGE... --samples 16 --raters --to FOLDER
    mrbench.load_model("FILE").sample(image, n=16)

The file holds weights and facts, no code: the method has to be installed, with the code below."""


@dataclass(frozen=True)
class Carded:
    """What a card is of.

    Attributes:
        facts: of the model file.
        result: the finished cell that it comes from.
        columns: of the metrics to show, by name.
        scope: what its training has seen; None where that is not known.
    """

    facts: ModelFacts
    result: Result
    columns: Mapping[str, Column]
    scope: Scope | None

    @property
    def spec(self) -> CellSpec:
        """Of the cell, without folders of the machine."""
        return CellSpec.from_json(self.facts.spec)

    @property
    def description(self) -> Description:
        """What its data set declares."""
        return Description.from_json(self.facts.description)


def card_of(model: Carded) -> str:
    """The card as Markdown, of lines that read well in a terminal too."""
    spec = model.spec
    parts = [
        f"# {spec.method}, trained on {model.description.name}",
        f"{RESEARCH}\n\n{LIMITS}",
        f"## Use\n\n{USE}",
        "## Method\n\n" + _listed(_method(model)),
        "## Data\n\n" + _listed(_data(model)),
        "## Metrics\n\n" + _metrics(model),
    ]
    return visible("\n\n".join(parts)) + "\n"


def _listed(facts: Iterator[tuple[str, str]]) -> str:
    return "\n".join(f"- {name}: {' '.join(text.split())}" for name, text in facts if text)


def _method(model: Carded) -> Iterator[tuple[str, str]]:
    facts, spec = model.facts, model.spec
    yield from facts.method.items()
    yield "plugin", ", ".join(f"{name} of {whose}" for name, whose in facts.plugins.items())
    yield "version and code", f"{spec.method_version}, {spec.prediction_code[:SHORT]}"
    for package, commit in facts.code.commits.items():
        yield f"commit of {package}", commit
    yield "gives", spec.gives or "what the method gives that it is of"
    yield "options", f"preset {spec.preset}" + _settings(spec.settings)
    yield "parameters", f"{model.result.profile.get('parameters') or ''}"
    yield from spec.conditions.facts.items()
    yield "training", f"{facts.name}, written {facts.written}"


def _settings(settings: Mapping[str, Any]) -> str:
    return "".join(f", {name} = {as_text(value)}" for name, value in settings.items())


def _data(model: Carded) -> Iterator[tuple[str, str]]:
    spec, about, scope = model.spec, model.description, model.scope
    yield "data set", f"{about.name} version {about.version}" + _settings(spec.dataset_changed)
    yield "digest", spec.data_digest[:SHORT]
    yield "trained on", f"fold {spec.fold} of split {spec.split}; its test cases are left out"
    yield "licence", about.licence or "not stated"
    yield "citation", about.citation or "not stated"
    yield "origin", about.origin
    yield "classes", ", ".join(about.classes)
    yield "channels", ", ".join(about.channels)
    yield "raters", f"{', '.join(about.rater_names)} ({RATERS[about.raters]})"
    yield "unit and values", f"{about.unit}, normalisation {about.normalisation}"
    if scope is None:
        yield "size and spacing", "not known: images of any are taken"
        return
    window, *sizes = (" x ".join(map(str, size)) for size in (scope.window, *scope.sizes))
    yield "size (H x W)", window + (f" in training, cases from {' to '.join(sizes)}" if {*sizes} != {window} else "")
    spacings = ("x".join(f"{mm:.3g}" for mm in at) for at in (scope.spacings or ())[::2])
    yield "spacing (mm)", " to ".join(dict.fromkeys(spacings)) or "not known"


def _metrics(model: Carded) -> str:
    spec, record = model.spec, model.result.record or {}
    shown = {name: one for name, one in record.get("metrics", {}).items() if name in model.columns}
    cases = max((one.get("cases", 0) for one in shown.values()), default=0)
    tested = f"{cases} test cases of this fold of {domain_title(spec.domain)}"
    if spec.test_on:
        tested = f"{cases} cases, {domain_title(spec.domain)}"
    rows = [
        f"- {header(name, model.columns[name])} {short(one['value'])}{_covered(one)}: {model.columns[name].summary}"
        for name, one in shown.items()
    ]
    caveats = [*caveats_of(spec, model.facts.description), *model.result.faults, *model.result.warnings]
    if record.get("leaks"):
        caveats.append(f"{len(record['leaks'])} subjects are in training and test")
    notes = [f"- {EXPLAINED.get(caveat, caveat)}" for caveat in caveats]
    head = f"On the {tested}, {spec.samples} samples each.\nOf one training: no spread and no rank follow from them."
    said = [head, "\n".join(rows)]
    return "\n\n".join([*said, *(["What else to know of them:", "\n".join(notes)] if notes else [])])


def _covered(metric: Mapping[str, Any]) -> str:
    # Where nothing is said of cases, the value covers what it should.
    own, of = metric.get("cases"), metric.get("of")
    return f" ({own} of {of} cases)" if own != of else ""
