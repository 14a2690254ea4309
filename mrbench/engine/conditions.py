"""A training's conditions: what the harness changes in the training of any method; no method knows of it."""

from copy import copy
from dataclasses import dataclass, fields, make_dataclass, replace
from functools import cache
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from mrbench.engine.bfloat16 import bf16_warning
from mrbench.errors import UsageError

Sparsity = Literal["per_step", "fixed"]
"""When the raters who are present in a training are drawn."""

Precision = Literal["float32", "bf16"]
"""What convolutional networks compute in while they are trained."""

SPARSITIES: tuple[Sparsity, ...] = get_args(Sparsity)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How raters are made absent in a training, its precision and its threads.

    Attributes:
        raters_present: so many raters of each training image, the others absent; None: all who looked.
        sparsity: are the present raters drawn anew at every step, or fixed once for each case? Says nothing without
            ``raters_present``.
        precision: of the networks' convolutions in training; predictions are computed in float32.
        threads: of the cell's numerical work, its predictions included; sums depend on how many share them.
    """

    raters_present: Annotated[int, Field(ge=1, le=10_000)] | None = None
    sparsity: Sparsity = "per_step"
    precision: Precision = "float32"
    threads: Annotated[int, Field(ge=1, le=1024)] = 1

    @classmethod
    def chosen(
        cls, raters_present: int | None, sparsity: Sparsity | None, precision: Precision, threads: int = 1
    ) -> "Conditions":
        """Those that somebody asks for; no sparsity: ``per_step``.

        Raises:
            UsageError: a value that there is not, or a sparsity without a number of raters.
        """
        if sparsity and raters_present is None:
            raise UsageError(f"--sparsity {sparsity} without a number of raters", hint="--raters-present N")
        asked: dict[str, Any] = {"raters_present": raters_present, "sparsity": sparsity or cls.sparsity}
        asked |= {"precision": precision, "threads": threads}
        try:
            return _adapter().validate_python(asked)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            option, found = _option(str(first["loc"][0])), repr(first["input"])[:80]
            raise UsageError(f"{option} has a wrong value", expected=first["msg"], found=found) from None

    def among(self, n_raters: int, dataset: str) -> "Conditions":
        """Those on a data set with so many raters: as many present as there are is all.

        Raises:
            UsageError: more than there are.
        """
        if self.raters_present is not None and self.raters_present > n_raters:
            raise UsageError(
                f"{self.raters_present} raters of data set {dataset!r} cannot be present",
                expected=f"1..{n_raters}, for it has {n_raters} raters",
                hint=f"--raters-present {n_raters} or less",
            )
        every = self.raters_present == n_raters
        return replace(self, raters_present=None, sparsity=Conditions.sparsity) if every else self

    def as_json(self) -> dict[str, Any]:
        """What is not as usual, as JSON types: what enters digests."""
        absence = {} if self.raters_present is None else {n: getattr(self, n) for n in ("raters_present", "sparsity")}
        others = {n: getattr(self, n) for n in ("precision", "threads") if getattr(self, n) != getattr(Conditions, n)}
        return absence | others

    @property
    def command_line(self) -> list[str]:
        """The words of a command that ask for them."""
        return [word for name, value in self.as_json().items() for word in (_option(name), str(value))]

    @property
    def presence(self) -> str:
        """How many raters are present, as a phrase; empty where all are."""
        n = self.raters_present
        return "" if n is None else f"{n} rater{'s' * (n > 1)} present"

    @property
    def caveats(self) -> list[str]:
        """What a reader must know before comparing, a phrase each."""
        absence = f"{self.presence} per {self._drawn_per}" if self.presence else ""
        lowered = f"trained in {self.precision}" if self.precision != "float32" else ""
        threaded = f"{self.threads} threads" if self.threads > 1 else ""
        return [text for text in (absence, lowered, threaded) if text]

    @property
    def facts(self) -> dict[str, str]:
        """Terms with what there is to say about them; what is as usual is left out."""
        facts = {}
        if self.raters_present is not None:
            facts["Raters present in training"] = f"{self.raters_present}, drawn per {self._drawn_per}"
        if self.precision != "float32":
            facts["Precision of training"] = self.precision
        if self.threads > 1:
            facts["Threads"] = str(self.threads)
        return facts

    @property
    def _drawn_per(self) -> str:
        return "step" if self.sparsity == "per_step" else "case"

    def warnings(self, device: str) -> list[str]:
        """What speaks against them on ``auto``, ``cpu``, ``cuda`` or ``mps``."""
        found = bf16_warning(device) if self.precision == "bf16" else ""
        return [f"--precision bf16: {found}"] if found else []


AS_USUAL = Conditions()
"""All raters who looked, in float32, on one thread."""


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


@cache
def _adapter() -> TypeAdapter[Conditions]:
    return TypeAdapter(Conditions)


T = TypeVar("T")

_NAMES = tuple(field.name for field in fields(Conditions))


class FlatForm(Generic[T]):
    """A dataclass as it is written: the fields of its ``conditions`` stand among its own, in their place.

    Args:
        whole: a dataclass of keywords with a field ``conditions``; its form refuses fields that it does not have.
    """

    def __init__(self, whole: type[T]) -> None:
        own: Any = whole
        nested = [fields(Conditions) if field.name == "conditions" else (field,) for field in fields(own)]
        columns: list[Any] = [(field.name, field.type, copy(field)) for part in nested for field in part]
        self.whole = whole
        self.form: Any = make_dataclass(whole.__name__, columns, frozen=True, kw_only=True)
        self.adapter: TypeAdapter[Any] = TypeAdapter(with_config(ConfigDict(extra="forbid"))(self.form))

    def of(self, whole: T) -> Any:
        """The form of a dataclass."""
        values = {field.name: getattr(whole, field.name) for field in fields(whole)}  # type: ignore[arg-type]
        return self.form(**values | vars(values.pop("conditions")))

    def back(self, form: Any) -> T:
        """The inverse of :meth:`of`."""
        values = {**vars(form)}
        conditions = Conditions(**{name: values.pop(name) for name in _NAMES})
        make: Any = self.whole
        whole: T = make(**values, conditions=conditions)
        return whole
