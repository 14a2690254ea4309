"""The trained methods of a model file: built here from plugins that are installed, and given the file's weights."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.bounded import said
from mrbench.configuration import Config
from mrbench.data.loading import configured
from mrbench.engine.build import method_of
from mrbench.engine.cell import CellSpec
from mrbench.engine.initial import untrained
from mrbench.engine.model_file import ANEW, ModelFile, TensorForm, forms_of
from mrbench.errors import DataError, MrbenchError, UsageError
from mrbench.registry import Registry

if TYPE_CHECKING:
    import torch

    from mrbench.interfaces.method import Method


def filled_methods(file: ModelFile, spec: CellSpec, registry: Registry, device: "torch.device") -> list["Method[Any]"]:
    """The methods of a file's trainings, ready to predict on a device; torch's generator is seeded anew.

    Args:
        spec: the file's, with the versions that are installed here.

    Raises:
        DataError: weights that are damaged, or not those of the method; a method that cannot be built as the file says.
    """
    _check_no_files(spec, file, registry)
    methods = []
    for number, training in enumerate(spec.trainings):
        # First without memory: what a file makes a network as large as is compared with what the file holds.
        forms = _forms_without_memory(training, file, registry)
        if forms is not None:
            _check_forms(file.tensors[number], forms, file)
        method = _built(training, file, registry)
        _check_forms(file.tensors[number], forms_of(method.state_dict()), file)
        method.load_state_dict(file.weights(number))
        methods.append(method.to(device).requires_grad_(False))
    return methods


def file_options(config: Config, prefix: str = "") -> Iterator[str]:
    """Names of the options that name files, those of nested configurations with dots."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Config):
            yield from file_options(value, f"{prefix}{name}.")
        elif isinstance(value, Path):
            yield prefix + name


def _check_no_files(spec: CellSpec, file: ModelFile, registry: Registry) -> None:
    # Of the machine that it comes from there are none; of this one it has none to open.
    for one in (spec, *spec.trainings[:1]):
        try:
            named = [*file_options(configured(method_of(one, registry), one.options))]
        except UsageError as error:
            raise _not_built(one, file, error.fault) from error
        if named:
            raise _not_built(one, file, f"option {named[0]!r} names a file of a machine")


def _forms_without_memory(spec: CellSpec, file: ModelFile, registry: Registry) -> list[TensorForm] | None:
    import torch

    plugin = method_of(spec, registry)
    try:
        with torch.device("meta"):
            method = plugin.load()(configured(plugin, spec.options), file.description)
            return forms_of(method.state_dict())
    except Exception:  # it asked for a value, and weights without memory have none; or its fault is told of below
        return None


def _built(spec: CellSpec, file: ModelFile, registry: Registry) -> "Method[Any]":
    try:
        return untrained(spec, method_of(spec, registry), file.description)
    except Exception as error:
        found = error.fault if isinstance(error, MrbenchError) else f"{type(error).__name__}: {said(error)}"
        raise _not_built(spec, file, found) from error


def _not_built(spec: CellSpec, file: ModelFile, found: str) -> DataError:
    what = f"the method {spec.method!r} cannot be built as {file.path} says"
    return DataError(what, found=found, hint=ANEW)


def _check_forms(declared: Sequence[TensorForm], needed: Sequence[TensorForm], file: ModelFile) -> None:
    lacking, beyond = (sorted(map(str, set(a) - set(b))) for a, b in ((needed, declared), (declared, needed)))
    if lacking or beyond:
        raise DataError(
            f"the weights in {file.path} are none of method {file.spec.method!r}",
            expected=", ".join(lacking[:3]) or "no more than it has",
            found=", ".join(beyond[:3]) or "nothing of these",
            hint=ANEW,
        )
