"""What commands rely on in a record, whoever wrote it: the names and types of what they read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictBool, StrictInt, TypeAdapter, ValidationError

from mrbench.engine.cell import Status

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


@dataclass
class _Phase:
    seconds: Number
    peak_memory_mib: Number


def _with_predictions(phases: dict[str, _Phase]) -> dict[str, _Phase]:
    if "predict" not in phases:
        raise ValueError("no phase 'predict'")
    return phases


@dataclass
class _Profile:
    phases: Annotated[dict[str, _Phase], AfterValidator(_with_predictions)]
    trained_on_shared_device: StrictBool = False
    milliseconds_per_image: Number | None = None
    parameters: StrictInt | None = None


@dataclass
class _Environment:
    shared_device: StrictBool


@dataclass
class _Metric:
    value: Number
    by_class: dict[int, Number] = field(default_factory=dict)
    by_rater: dict[int, Number] = field(default_factory=dict)
    cases: StrictInt = 0
    of: StrictInt = 0


@dataclass(kw_only=True)
class _Ended:
    """Of every cell that came to an end."""

    status: Status
    reason: str
    versions: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Failed(_Ended):
    """Of one that is not ok, besides."""

    environment: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Finished(_Ended):
    """Of one that is ok, besides."""

    environment: _Environment
    profile: _Profile
    metrics: dict[str, _Metric]
    scoring: dict[str, str] = field(default_factory=dict)
    metric_faults: dict[str, str] = field(default_factory=dict)


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
