"""What commands rely on in a record, whoever wrote it: the names and types of what they read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictBool, TypeAdapter, ValidationError

from mrbench.engine.cell import Status
from mrbench.metrics.scores import LARGEST_NUMBER

Number = Annotated[float, Field(strict=True, ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Amount = Annotated[Number, Field(ge=0)]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Class = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$")]
Rater = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,8})$")]


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass
class _File:
    bytes: Count
    sha256: Sha256


@dataclass
class _Phase:
    seconds: Amount
    peak_memory_mib: Amount


def _with_predictions(phases: dict[str, _Phase]) -> dict[str, _Phase]:
    if "predict" not in phases:
        raise ValueError("no phase 'predict'")
    return phases


@dataclass(kw_only=True)
class _Costs:
    phases: dict[str, _Phase] = field(default_factory=dict)
    trained_on_shared_device: StrictBool = False
    milliseconds_per_image: Amount | None = None
    parameters: Count | None = None
    epochs: Count | None = None


@dataclass(kw_only=True)
class _Profile(_Costs):
    phases: Annotated[dict[str, _Phase], AfterValidator(_with_predictions)]


@dataclass
class _Environment:
    shared_device: StrictBool


@dataclass
class _Metric:
    value: Number
    by_class: dict[Class, Number] = field(default_factory=dict)
    by_rater: dict[Rater, Number] = field(default_factory=dict)
    cases: Count = 0
    of: Count = 2**63  # where nothing is said of cases, the value covers what it should


def _within(metric: _Metric) -> _Metric:
    if metric.cases > metric.of:
        raise ValueError(f"{metric.cases} cases of {metric.of}")
    return metric


@dataclass(kw_only=True)
class _Ended:
    """The fields of every cell that came to an end."""

    status: Status
    reason: str
    files: dict[str, _File] = field(default_factory=dict)
    written: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    metric_faults: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class _FailedEnvironment:
    shared_device: StrictBool = False


@dataclass(kw_only=True)
class _Failed(_Ended):
    """The fields of one that is not ok; how far it came is not known."""

    environment: _FailedEnvironment = field(default_factory=_FailedEnvironment)
    profile: _Costs = field(default_factory=_Costs)


@dataclass
class _Code:
    modules: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Finished(_Ended):
    """The fields of one that is ok."""

    environment: _Environment
    profile: _Profile
    metrics: dict[str, Annotated[_Metric, AfterValidator(_within)]]
    code: _Code = field(default_factory=_Code)
    scoring: dict[str, str] = field(default_factory=dict)
    void: Amount = 0.0
    folds: Count = 0


def fault_of(record: Mapping[str, Any]) -> str:
    """The first thing that is wrong with a record, in a line; empty where nothing is."""
    try:
        _adapter(_Finished if record.get("status") == Status.OK else _Failed).validate_python(record)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return ""


@cache
def _adapter(form: type) -> TypeAdapter[Any]:
    return TypeAdapter(form)
