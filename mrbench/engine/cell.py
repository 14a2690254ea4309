"""A cell: one training with its predictions and scores; the unit of work, of resuming and of failure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, with_config

from mrbench.digests import digest_json
from mrbench.engine.conditions import AS_USUAL, Conditions, FlatForm
from mrbench.errors import DataError
from mrbench.plugin_file import file_of

FORMAT = 2
"""Version of what cells and trainings look like on disk and of what enters their digests."""

SHORT = 16
"""Hex digits of a digest in folder names."""


PREDICTIONS = "predictions.h5"
CASES = "cases.csv.gz"
CURVES = "curves.csv"
FOLDS = "folds"
"""What a record says of its split: how many folds there are."""

DIAGNOSTICS = "diagnostics.json"
"""Files in a cell's folder."""

COMPUTED_AGAIN = "mrbench run --force computes the cell again"
"""The next command where a file of a cell cannot be read."""

REPAIR = "mrbench repair RUN moves it aside; the same mrbench run then computes it anew and keeps the others"
"""The next commands where a file is not what was written."""

EXTERNAL = "external:"
"""Begins the method key of predictions that were made elsewhere."""

CONTENT = "sha256"
"""The option of such a row that says what was scored; its digests are made of it."""

PluginKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_@-]*(\.?[A-Za-z0-9_@:-]+)*$", max_length=200)]
"""A registry key; what it admits is safe in a folder's name."""


CodeDigest = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
"""Of code, blank where there is none."""


class Status(StrEnum):
    """How a cell ended."""

    OK = "ok"
    FAILED = "failed"
    OUT_OF_MEMORY = "out-of-memory"
    TIMEOUT = "timeout"
    DIVERGED = "diverged"
    INTERRUPTED = "interrupted"
    DAMAGED = "damaged"
    """It finished once, and its record can no longer be read."""
    NOT_APPLICABLE = "not-applicable"


ALL_CASES = "all cases"
"""In the place of a split's name: every case is tested, whatever the fold."""

BETWEEN = "~"
"""Between the data sets in a domain; in no registry key."""


def domain_title(domain: str) -> str:
    """A domain in words: the data set, or what is trained and what is tested on."""
    trained, between, tested = domain.partition(BETWEEN)
    return f"trained on {trained}, tested on {tested}" if between else domain


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class DataChoice:
    """A data set with its options, and the split that says which of its cases are tested; names as of CellSpec."""

    dataset: PluginKey
    dataset_options: Mapping[str, Any]
    dataset_changed: Mapping[str, Any]
    data_digest: str
    split: str
    split_digest: str


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class Member:
    """The method whose trainings a wrapper answers from; names as of :class:`CellSpec`.

    Attributes:
        seeds: base seeds of the trainings that the cell needs.
    """

    method: PluginKey
    family: PluginKey
    method_version: str
    options: Mapping[str, Any]
    training: Mapping[str, Any]
    prediction: Mapping[str, Any]
    changed: Mapping[str, Any]
    training_code: CodeDigest
    prediction_code: CodeDigest
    seeds: tuple[Annotated[int, Field(ge=0)], ...]


@dataclass(frozen=True, kw_only=True)
class CellSpec:
    """Everything that a cell is a function of, data and code by their digests.

    Attributes:
        method, dataset: registry keys (``name``, or ``distribution:name`` for plugins of others).
        kind: does the method learn, is it a fusion, or were its predictions made elsewhere?
        family, gives: methods of one family share a training and differ in the answers that they give.
        method_version: of the method's definition; of a plugin file with the content's digest, for people.
        training_code, prediction_code: digests of the code that trained weights and draws are a function of, those of
            equivalent code being one; blank where nothing is trained, or was drawn here.
        capabilities: of the method, as it declared them; no part of the digest.
        options: of the method, all of them.
        training, prediction: those that enter the digest of each step, files by their content.
        preset: the name that the options came from, for people; ``changed``: the options set beside it.
        dataset_options, dataset_changed: of the data set, all of them and those set.
        data_digest, split, split_digest, fold: what is trained and tested on.
        seed: base seed; the training's and the prediction's are derived from it.
        samples: drawn per case.
        limit: at most this many test cases; None: all. Changes no draw of the cases that stay.
        conditions: of the training.
        member: of a wrapper; its preset is the wrapper's. None: the method trains itself.
        test_on: another data set that it is tested on, in place of the fold's test cases.
        objective: options of the loss, a member's too, that the preset sets otherwise than the paper; for people.
    """

    method: PluginKey
    dataset: PluginKey
    kind: Literal["method", "fusion", "external"]
    family: PluginKey
    gives: str
    method_version: str
    capabilities: tuple[str, ...]
    options: Mapping[str, Any]
    training: Mapping[str, Any]
    prediction: Mapping[str, Any]
    preset: str
    changed: Mapping[str, Any]
    dataset_options: Mapping[str, Any]
    dataset_changed: Mapping[str, Any]
    data_digest: str
    split: str
    split_digest: str
    fold: Annotated[int, Field(ge=0)]
    seed: Annotated[int, Field(ge=0)]
    samples: Annotated[int, Field(ge=1)]
    training_code: CodeDigest = ""
    prediction_code: CodeDigest = ""
    limit: int | None = None
    conditions: Conditions = AS_USUAL
    member: Member | None = None
    test_on: DataChoice | None = None
    objective: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tested(self) -> DataChoice:
        """What it is tested on: the other data set that was asked for, else its own."""
        return self.test_on or DataChoice(**{name: getattr(self, name) for name in DataChoice.__dataclass_fields__})

    @property
    def domain(self) -> str:
        """Key of the table that it stands in: its data set, ``A~B`` where it is trained on A and tested on B."""
        return f"{self.dataset}{BETWEEN}{self.test_on.dataset}" if self.test_on else self.dataset

    @property
    def data_settings(self) -> dict[str, Any]:
        """What was set of the data sets, for people; of one that is only tested on, under its name."""
        other = self.test_on
        more = {f"{other.dataset}.{name}": value for name, value in other.dataset_changed.items()} if other else {}
        return {**self.dataset_changed, **more}

    @property
    def trainings(self) -> "tuple[CellSpec, ...]":
        """The cells whose trainings it needs: itself where its method trains, a wrapper's members, none."""
        if self.kind != "method" or self.member is None:
            return (self,) if self.kind == "method" else ()
        member = {name: value for name, value in vars(self.member).items() if name != "seeds"}
        return tuple(replace(self, **member, seed=seed, member=None) for seed in self.member.seeds)

    @property
    def settings(self) -> dict[str, Any]:
        """What was set beside the preset, for people; a member's options under its name."""
        of = self.member.changed.items() if self.member else ()
        return {**self.changed, **{f"{self.trainings[0].method}.{name}": value for name, value in of}}

    def _on(self) -> dict[str, Any]:
        return {"format": FORMAT, "data": self.data_digest, "split": [self.split, self.split_digest]}

    @property
    def training_digest(self) -> str:
        """Digest of the training, folds and seeds aside; of a wrapper, that of its members."""
        if self.member:
            return self.trainings[0].training_digest
        fit = {"family": self.family, "version": self.definition, "options": dict(self.training)}
        fit["code"] = self.training_code
        return digest_json(self._on() | fit | self.conditions.as_json())

    @property
    def digest(self) -> str:
        """Digest of the predictions, folds and seeds aside; scores are recomputed at will and are no part of it."""
        draws: dict[str, Any] = {"gives": self.gives, "options": dict(self.prediction), "samples": self.samples}
        draws["code"] = self.prediction_code
        if self.member:
            of = {"of": self.member.method, "options": dict(self.member.prediction)}
            draws |= {"wrapper": self.definition, "member": of | {"code": self.member.prediction_code}}
        if self.test_on:
            draws |= {"tested": [self.test_on.data_digest, self.test_on.split, self.test_on.split_digest]}
        return digest_json({"training": self.training_digest, "method": self.method, "limit": self.limit} | draws)

    @property
    def definition(self) -> str:
        """Version of the method's definition as its card says; the code has digests of its own."""
        card, plus, _ = self.method_version.rpartition("+")
        return card if plus and file_of(self.method) else self.method_version

    @property
    def place(self) -> str:
        """Name of the fold and seed in folders and messages."""
        return f"fold{self.fold}-seed{self.seed}"

    @property
    def title(self) -> str:
        """The cell in words."""
        return f"{self.method} on {self.domain} {self.place}"

    def folder(self, results: Path) -> Path:
        """Where the finished cell lies."""
        return results / "cells" / _safe(self.domain) / _safe(self.method) / self.digest[:SHORT] / self.place

    def training_folder(self, results: Path) -> Path:
        """Where the finished training lies, shared by the rows of the family and all sample counts."""
        return (
            results / "trainings" / _safe(self.dataset) / _safe(self.family) / self.training_digest[:SHORT] / self.place
        )

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON types; the conditions where they are not as usual."""
        values = asdict(self)
        del values["conditions"]
        for name in ("member", "test_on", "objective"):
            if not values[name]:
                del values[name]
        return values | self.conditions.as_json()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "CellSpec":
        """The inverse of :meth:`as_json`; types are checked, and names can lead to no other folder.

        Raises:
            DataError: the values are no specification of a cell.
        """
        try:
            return _form().back(_form().adapter.validate_python(values))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise DataError(f"no specification of a cell: {where}: {first['msg']}") from None


@cache
def _form() -> FlatForm[CellSpec]:
    return FlatForm(CellSpec)


def _safe(name: str) -> str:
    return name.replace(":", "--")
