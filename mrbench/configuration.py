"""Typed configurations: frozen, with unknown keys and wrong types as errors that name the nearest right one."""

import hashlib
import json
from collections.abc import Mapping
from copy import copy
from os import PathLike
from pathlib import Path
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, create_model, field_validator
from pydantic.fields import FieldInfo

from mrbench.errors import UnknownNameError, UsageError


class Config(BaseModel):
    """Base of every plugin's configuration. Fields carry their type, their bounds and a one-line description."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, values: Mapping[str, Any], *, owner: str) -> Self:
        """A configuration from values or from the strings of a command line; dots reach into nested configurations.

        The inverse of :func:`as_text`: an option of several values takes ``a,b,c`` or a JSON list; ``none`` and
        ``null`` are None.

        Raises:
            UsageError: an unknown key (with the nearest right one) or a value of the wrong type or out of bounds.
        """
        try:
            return cls.model_validate(_nested(values))
        except ValidationError as error:
            raise _readable(error, cls, owner) from None

    @field_validator("*", mode="before")
    @classmethod
    def _several(cls, value: Any, info: ValidationInfo) -> Any:
        """The values of a text, where the option takes several."""
        takes = isinstance(value, str) and _takes_several(cls.model_fields[info.field_name or ""].annotation)
        return _split(value) if takes else value

    @classmethod
    def options(cls) -> dict[str, str]:
        """Every option's dotted name with its description, nested ones included."""
        found: dict[str, str] = {}
        for name, field in cls.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, Config):
                found |= {f"{name}.{inner}": text for inner, text in field.annotation.options().items()}
            else:
                found[name] = field.description or ""
        return found

    def resolved(self, description: Any) -> Self:  # noqa: ARG002
        """The configuration on a data set: options whose default follows the data have their value. Default: as it is.

        Args:
            description: the data set's :class:`~mrbench.data.description.Description`.
        """
        return self

    def check(self, description: Any) -> None:
        """Refuses a data set that these options do not fit, before anything is computed. Default: fits all.

        Light: it imports neither torch nor what needs long. Asked once for each data set, of the resolved options.

        Args:
            description: the data set's :class:`~mrbench.data.description.Description`.

        Raises:
            UsageError: names the option, what was expected and what was found.
        """

    @classmethod
    def with_defaults(cls, **defaults: Any) -> type[Self]:
        """The same configuration with other defaults of some options."""
        fields: dict[str, Any] = {}
        for name, default in defaults.items():
            changed = copy(cls.model_fields[name])
            changed.default = default
            fields[name] = (changed.annotation, changed)
        return create_model(cls.__name__, __base__=cls, **fields)

    def values(self) -> dict[str, Any]:
        """Every option with its value, as JSON types."""
        return self.model_dump(mode="json")

    def step(self, step: str) -> dict[str, Any]:
        """The options that enter the digest of one step, ``"training"`` or ``"prediction"``, as JSON types.

        Files enter by their content; options of a nested configuration by their own step; an added option only where
        it is not at its default.
        """
        plain = self.values()
        found: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, Config):
                found |= {f"{name}.{inner}": content for inner, content in value.step(step).items()}
            elif _step(field) == step and not (_added(field) and value == field.default):
                found[name] = _by_content(value, plain[name])
        return found

    def objective(self) -> dict[str, Any]:
        """The options of the loss that are not at their defaults, which are the paper's, as JSON types."""
        plain = self.values()
        found: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, Config):
                found |= {f"{name}.{inner}": content for inner, content in value.objective().items()}
            elif _extra(field).get("loss") and value != field.default:
                found[name] = plain[name]
        return found


def option(default: Any, description: str, **bounds: Any) -> Any:
    """An option of the training (or of the data set); ``bounds`` are pydantic's (``ge``, ``lt``, ...)."""
    return Field(default, description=description, **bounds)


def prediction_option(default: Any, description: str, **bounds: Any) -> Any:
    """An option that changes predictions only: the training is shared by all its values."""
    return Field(default, description=description, json_schema_extra={"step": "prediction"}, **bounds)


def loss_option(default: Any, description: str, *, added: bool = False, **bounds: Any) -> Any:
    """An option of the objective: its form or a weight. A preset that sets it otherwise has a caveat in tables.

    Args:
        added: as :func:`added_option`.
    """
    return Field(default, description=description, json_schema_extra={"loss": True, "added": added}, **bounds)


def added_option(default: Any, description: str, **bounds: Any) -> Any:
    """An option of the training that a method got after trainings of it were kept.

    At its default, which does what the method did without it, it enters no digest, so that these trainings are reused.
    """
    return Field(default, description=description, json_schema_extra={"added": True}, **bounds)


def _step(field: FieldInfo) -> str:
    return str(_extra(field).get("step", "training"))


def _added(field: FieldInfo) -> bool:
    return bool(_extra(field).get("added", False))


def _extra(field: FieldInfo) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def as_text(value: Any) -> str:
    """A value as the command line takes it: ``true``, ``null``, ``0.5``, ``a,b,c``.

    Raises:
        UsageError: no text, number, boolean or None, nor a list of such.
    """
    if isinstance(value, str | PathLike):
        return str(value)
    if not isinstance(value, list | tuple):
        return json.dumps(value, default=_plain)
    joined = ",".join(map(as_text, value))
    plain = not value or (_split(joined) == [*map(as_text, value)] and not _is_none(joined))
    return joined if plain else json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    # NumPy's numbers.
    if hasattr(value, "item"):
        return value.item()
    raise UsageError("a setting has a wrong value", expected="text, a number, True, False or None", found=repr(value))


def _split(text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            return list(json.loads(text))
        except ValueError:
            pass  # told of by the type of the option
    return [part.strip() for part in text.split(",")] if text else []


def _takes_several(annotation: Any) -> bool:
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return str not in kinds and any((get_origin(kind) or kind) in (tuple, list, set, frozenset) for kind in kinds)


def _is_none(text: str) -> bool:
    return text.lower() in ("none", "null")


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted names with values, from mappings nested or dotted or both."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in flat(values).items():
        *path, leaf = name.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise UsageError(f"option {name!r} is set beside {part!r}, which holds a single value")
        if isinstance(node.get(leaf), dict):
            raise UsageError(f"option {name!r} is set beside options of the same beginning")
        node[leaf] = None if isinstance(value, str) and _is_none(value) else value
    return tree


def _by_content(value: Any, plain: Any) -> Any:
    if isinstance(value, Path):
        try:
            return {"sha256": hashlib.sha256(value.read_bytes()).hexdigest()}
        except OSError as error:
            raise UsageError(f"cannot read the file {value}", found=str(error)) from None
    if isinstance(value, list | tuple):
        return [_by_content(one, other) for one, other in zip(value, plain, strict=True)]
    return sorted(plain) if isinstance(value, set | frozenset) else plain


def _readable(error: ValidationError, cls: type[Config], owner: str) -> UsageError:
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return UnknownNameError("option", name, cls.options(), where=f"of {owner}", hint=f"mrbench info {owner}")
    expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ").partition(", unable")[0]
    return UsageError(
        f"option {name!r} of {owner} has a wrong value",
        expected=expected,
        found=repr(first["input"]),
        hint=f"mrbench info {owner}",
    )
