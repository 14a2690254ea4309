"""An entry: what a submission says of one method configuration on one data set under one split.

Entries come from strangers. Every text has a length and no hidden character, every number is finite and bounded, every
list has an end; what is not in the schema is refused. Paths of the machine that computed it are not in it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, with_config

from mrbench.cards import Capability, Direction, Need
from mrbench.data.description import Raters, Unit
from mrbench.diagnostics.figures import Figure
from mrbench.diagnostics.verdicts import verdicts
from mrbench.engine.cell import CellSpec, CodeDigest, DataChoice, PluginKey, Status
from mrbench.engine.conditions import AS_USUAL, Conditions, FlatForm
from mrbench.errors import DataError, IncompatibleError
from mrbench.metrics.protocol import MAX_PREDICTIONS
from mrbench.results.caveats import PLUGIN_FILE, caveats_of
from mrbench.results.method_run import is_trained, samples_of
from mrbench.visible import UNSEEN

FORMAT = 3
"""Version of the schema."""

MAX_BYTES = 2**20
"""Of ``entry.json``."""

MAX_CELLS = 200

METHOD_FILE = "method.py"
"""What a packed plugin file is called, whatever its own name is."""

LARGEST = 1e15

_SHOWN = f"^[^\x00-\x1f{UNSEEN}]*$"  # one line, and nothing that is not seen or turns it round


def _on_the_calendar(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Text = Annotated[str, Field(max_length=400, pattern=_SHOWN)]
LongText = Annotated[str, Field(max_length=8000, pattern=_SHOWN)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=_SHOWN)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
ModuleName = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
FileName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}(\.[a-z0-9][a-z0-9_-]{0,60}){1,4}$")]
Time = Annotated[
    str,
    Field(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\+00:00$"),
    AfterValidator(_on_the_calendar),
]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
Cost = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e9)]
"""Seconds (30 years), MiB (a petabyte) or milliseconds."""
Count = Annotated[int, Field(ge=0, le=2**53)]
Class = Annotated[int, Field(ge=1, le=10_000)]
Rater = Annotated[int, Field(ge=0, le=10_000)]
PhaseName = Literal["prepare", "fit", "predict", "score"]
Options = Annotated[dict[Name, Text], Field(max_length=300)]
"""Options by their dotted name, as texts for people."""

_closed = with_config(ConfigDict(extra="forbid"))


@_closed
@dataclass(frozen=True)
class DataFacts:
    """What the data set declares of itself.

    Attributes:
        raters: who the columns of the masks are; ``rater_names``: of the R columns.
        classes: names of the K classes, the background first.
        unit: what one case is.
    """

    raters: Raters
    rater_names: Annotated[tuple[Text, ...], Field(min_length=1, max_length=1000)]
    classes: Annotated[tuple[Text, ...], Field(min_length=2, max_length=1000)]
    unit: Unit
    licence: Text
    citation: Text
    origin: Text


@_closed
@dataclass(frozen=True, kw_only=True)
class OtherData:
    """The data set that is tested on, where it is not the one that is trained on; names as of ``DataChoice``."""

    dataset: PluginKey
    dataset_options: Options
    dataset_changed: Options
    data_digest: Digest
    split: Name
    split_digest: Digest


@_closed
@dataclass(frozen=True)
class MethodFacts:
    """What the method said of itself where it ran; ``plugin``: distribution or file, with its version."""

    summary: Text
    citation: Text
    licence: Text
    plugin: Text


@_closed
@dataclass(frozen=True)
class CodeFacts:
    """The code that the cells were computed with.

    Attributes:
        modules: those that the method is in.
        files: digests by file; ``commits``: of their checkouts, by package, where known.
    """

    modules: Annotated[tuple[ModuleName, ...], Field(max_length=100)] = ()
    files: Annotated[dict[Name, Text], Field(max_length=2000)] = field(default_factory=dict)
    commits: Annotated[dict[Name, Text], Field(max_length=100)] = field(default_factory=dict)


@_closed
@dataclass(frozen=True)
class MetricFacts:
    """What a metric said of itself.

    Attributes:
        direction: which way is better.
        needs: what it is computed from; ``samples``: it depends on S.
        low, high: the least and greatest value that it can take; None: no bound.
        summary: one line on what it is.
        table: is it meant for tables? The others, such as the parts of GED, are for figures.
    """

    direction: Direction
    needs: Need
    low: Number | None
    high: Number | None
    summary: Text
    table: bool


@_closed
@dataclass(frozen=True)
class Phase:
    """Cost of one phase of a cell."""

    seconds: Cost
    peak_memory_mib: Cost


@_closed
@dataclass(frozen=True)
class CellEntry:
    """One training with its predictions.

    Attributes:
        reason: one line on why it is not ok.
        phases: by name.
        versions: of mrbench, Python and libraries.
        environment: what it ran on; no names of hosts or people.
        alone: did it have the device to itself? Costs of others are not compared.
        faults: what metrics did wrong, one line each.
        cases: by scoring protocol, digest of the cases that have a score, with their subjects: cells with equal ones
            were tested on the same.
    """

    fold: Annotated[int, Field(ge=0, le=10_000)]
    seed: Count
    status: Status
    written: Time
    reason: Text = ""
    phases: Annotated[dict[PhaseName, Phase], Field(max_length=4)] = field(default_factory=dict)
    parameters: Count | None = None
    milliseconds_per_image: Cost | None = None
    epochs: Count | None = None
    alone: bool = True
    trained_alone: bool = True
    versions: Annotated[dict[Word, Text], Field(max_length=40)] = field(default_factory=dict)
    environment: Annotated[dict[Word, Text], Field(max_length=40)] = field(default_factory=dict)
    faults: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    cases: Annotated[dict[Word, Digest], Field(max_length=10)] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Fold and seed, as in the names of its files."""
        return f"fold{self.fold}-seed{self.seed}"


@_closed
@dataclass(frozen=True)
class Score:
    """One metric under one scoring protocol.

    Attributes:
        definition: digest of the protocol's switches and of the metric's definition: equal ones compare.
        mean, sd: over the folds; seeds of a fold are averaged first. ``sd`` None where there is one fold.
        folds: value by fold.
        low, high: 95 % interval of the mean over subjects and trainings; None where there is none, for ``no_interval``.
        by_class, by_rater: means over the folds.
        cases: that have a value, over all folds, of one seed.
        subjects: that have one.
        of_cases: to which the metric applies.
    """

    definition: Digest
    mean: Number
    sd: Number | None
    folds: Annotated[dict[Rater, Number], Field(min_length=1, max_length=MAX_CELLS)]
    low: Number | None
    high: Number | None
    no_interval: Text
    by_class: Annotated[dict[Class, Number], Field(max_length=1000)]
    by_rater: Annotated[dict[Rater, Number], Field(max_length=1000)]
    cases: Count
    subjects: Count
    of_cases: Count


@_closed
@dataclass(frozen=True)
class FileFacts:
    """A file beside ``entry.json``."""

    bytes: Annotated[int, Field(ge=0, le=2**26)]
    sha256: Digest


Scores = Annotated[dict[Word, Annotated[dict[PluginKey, Score], Field(max_length=300)]], Field(max_length=10)]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A submission's content; names as of ``CellSpec``. In ``entry.json`` the conditions stand among the other fields.

    Attributes:
        code: of the cells; ``training_code`` and ``prediction_code``: its digests.
        options: of the method, all of them; ``changed``: those set beside the preset.
        training_digest, prediction_digest: of the specification; equal ones are the same computation.
        plugin_file: name of the local plugin file that the method came from, which is packed as ``METHOD_FILE``; empty
            where it was installed.
        data: of what is tested on.
        test_on: another data set that is tested on.
        objective: options of the loss that the preset sets otherwise than the paper.
        cells: by fold and seed, failures too.
        metrics: what those of the scores said of themselves.
        scores: by protocol and metric.
        written: when its last cell was.
        submitter, note: of whoever packed it.
        files: by name.
        diagnostics: figures of what the weights do, means over the cells; as packed, for no cases prove them.
    """

    format: Literal[2] = 2
    method: PluginKey
    dataset: PluginKey
    kind: Literal["method", "fusion", "external"]
    family: PluginKey
    gives: Text
    method_version: Text
    capabilities: Annotated[tuple[Capability, ...], Field(max_length=len(Capability))]
    about: MethodFacts
    plugin_file: Text = ""
    options: Options
    preset: Text
    changed: Options
    samples: Annotated[int, Field(ge=1, le=MAX_PREDICTIONS)]
    training_code: CodeDigest = ""
    prediction_code: CodeDigest = ""
    code: CodeFacts = CodeFacts()
    conditions: Conditions = AS_USUAL
    data: DataFacts
    dataset_options: Options
    dataset_changed: Options
    data_digest: Digest
    split: Name
    split_digest: Digest
    test_on: Annotated[OtherData | None, Field(exclude_if=lambda other: other is None)] = None
    objective: Annotated[Options, Field(exclude_if=lambda differing: not differing)] = field(default_factory=dict)
    training_digest: Digest
    prediction_digest: Digest
    cells: Annotated[tuple[CellEntry, ...], Field(min_length=1, max_length=MAX_CELLS)]
    metrics: Annotated[dict[PluginKey, MetricFacts], Field(max_length=300)]
    scores: Scores
    written: Time
    submitter: Text = ""
    note: LongText = ""
    files: Annotated[dict[FileName, FileFacts], Field(max_length=4 * MAX_CELLS)]
    diagnostics: Annotated[dict[Name, Number], Field(max_length=300, exclude_if=lambda found: not found)] = field(
        default_factory=dict
    )

    @property
    def finished(self) -> list[CellEntry]:
        """The cells that are ok."""
        return [cell for cell in self.cells if cell.status is Status.OK]

    @property
    def human(self) -> bool:
        """Does it see the masks that it is scored on?"""
        return self.kind == "fusion" or Capability.SEES_TEST_MASKS in self.capabilities

    @property
    def trained(self) -> bool:
        """Would another training change it?"""
        return is_trained(self.kind)

    @property
    def sample_count(self) -> int | None:
        """S of its sample set; 1 for a single output, None where it gives none."""
        return samples_of(self.spec)

    @cached_property
    def spec(self) -> CellSpec:
        """Of its cells, but for fold and seed: what was set, for people; its digests are the entry's own fields."""
        shared = {name: getattr(self, name) for name in _SHARED}
        shared["test_on"] = DataChoice(**vars(self.test_on)) if self.test_on else None
        return CellSpec(**shared, training={}, prediction={}, fold=0, seed=0)

    @property
    def more_caveats(self) -> tuple[str, ...]:
        """Those that do not follow from the specification."""
        found = verdicts({name: Figure(value) for name, value in self.diagnostics.items()})
        return (*((PLUGIN_FILE,) if self.plugin_file else ()), *found)

    @property
    def caveats(self) -> tuple[str, ...]:
        """What a reader must know before comparing, as in the tables of runs."""
        return (*caveats_of(self.spec, {"raters": self.data.raters}), *self.more_caveats)

    @property
    def failures(self) -> tuple[str, ...]:
        """A line on each cell that did not finish, and on each metric that failed."""
        failed = [f"{cell.place} {cell.status}: {cell.reason}" for cell in self.cells if cell.status is not Status.OK]
        return (*failed, *dict.fromkeys(fault for cell in self.cells for fault in cell.faults))


_SHARED = tuple(name for name in CellSpec.__dataclass_fields__ if name in Entry.__dataclass_fields__)


def parse_entry(content: bytes) -> Entry:
    """An entry from the bytes of ``entry.json``.

    Raises:
        IncompatibleError: another version wrote it.
        DataError: not JSON or not an entry; names the field.
    """
    try:
        return _form().back(_form().adapter.validate_json(content, strict=True))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))[:200]
        found = repr(first["input"])[:80]
        if where == "format":
            raise IncompatibleError("the entry has another format", expected=str(FORMAT), found=found) from None
        raise DataError(f"{where or 'entry.json'}: {first['msg']}"[:400], found=found) from None


def entry_bytes(entry: Entry) -> bytes:
    """``entry.json``: the same bytes for the same entry; what it gives can be parsed.

    Raises:
        DataError: it does not fit the schema; names the field.
    """
    content = _form().adapter.dump_json(_form().of(entry), indent=1, warnings="error") + b"\n"
    if len(content) > MAX_BYTES:
        raise DataError("the entry is too large", expected=f"at most {MAX_BYTES} bytes", found=str(len(content)))
    parse_entry(content)
    return content


@cache
def _form() -> FlatForm[Entry]:
    return FlatForm(Entry)
