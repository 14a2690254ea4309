"""What a trained method needs here before it can predict: the plugins that it was trained with, and their code."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mrbench.engine.cell import SHORT, CellSpec
from mrbench.engine.code import differing, in_words
from mrbench.engine.equivalence import known_code, oldest
from mrbench.errors import PluginError, UnknownNameError, UsageError
from mrbench.plugin_file import file_of
from mrbench.registry import Plugin, Registry


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained method, and what is known of where it was trained.

    Attributes:
        spec: of its cell.
        where: what it is called in messages.
        plugins: distribution and version that each of its methods came from, by its key.
        files: of the method's code with their digests, by which differences are named.
        again: the command that computes it with the code that is here; empty where there is none.
    """

    spec: CellSpec
    where: str
    plugins: Mapping[str, str]
    files: Mapping[str, str]
    again: str = ""


@dataclass(frozen=True)
class _OtherCode:
    """What of a method is other code here than where it was trained."""

    expected: str
    found: str


def admitted(trained: Trained, registry: Registry, *, other_code: bool) -> tuple[CellSpec, str]:
    """The specification as it is computed here, and what of it is other code than it was trained with, in words.

    The words are empty where all computes the same; else the specification has the versions that are here.

    Args:
        other_code: is that accepted?

    Raises:
        UsageError: a plugin that is not here.
        PluginError: other code that is not accepted; says what is expected and found.
    """
    spec = trained.spec
    for name in methods_of(spec):
        _check_installed(name, trained, registry)
    specs = {one.method: one for one in (*spec.trainings[:1], spec)}
    differences = (_difference(specs[name], registry.get("method", name), trained.files) for name in methods_of(spec))
    other = list(filter(None, differences))
    if other and not other_code:
        raise _refusal(trained, other)
    words = "; ".join(f"{one.found}, in place of {one.expected}" for one in other)
    return _as_installed(spec, registry) if other else spec, words


def methods_of(spec: CellSpec) -> Iterator[str]:
    """Keys of the method of a cell and of that which it wraps, each once."""
    yield from dict.fromkeys([spec.method, *(one.method for one in spec.trainings)])


def _check_installed(name: str, trained: Trained, registry: Registry) -> None:
    try:
        registry.get("method", name)
    except UnknownNameError as error:
        file = file_of(name)
        otherwise = "install the distribution that has it; mrbench list methods says what is there"
        raise UsageError(
            f"{trained.where} needs the method {name!r}, which is not here",
            expected=file or trained.plugins.get(name) or name,
            found=error.fault,
            hint=f"--plugin-file {file}" if file else otherwise,
        ) from None


def _difference(spec: CellSpec, plugin: Plugin[Any], files: Mapping[str, str]) -> _OtherCode | None:
    here = known_code(plugin)
    if plugin.card.version != spec.definition:
        return _OtherCode(f"version {spec.definition} of {plugin.key}", f"version {plugin.card.version}")
    if (oldest(spec.training_code), oldest(spec.prediction_code)) == (here.training, here.prediction):
        return None
    tops = {name.partition("/")[0].removesuffix(".py") for name in files}
    named = in_words(differing(files, here.files.drawn)) if plugin.modules & tops else ""
    expected = f"code {spec.prediction_code[:SHORT] or 'that is named'} of {plugin.key}"
    return _OtherCode(expected, f"code {here.prediction[:SHORT]}" + (f", which differs in {named}" if named else ""))


def _refusal(trained: Trained, other: Sequence[_OtherCode]) -> PluginError:
    again = trained.again
    own = f"{again} computes it with this code; or " if again else "install what it was trained with; or "
    return PluginError(
        f"{trained.where} was trained with other code than is installed here",
        expected="; ".join(one.expected for one in other),
        found="; ".join(one.found for one in other),
        hint=f"{own}--other-code predicts with this code and marks the outputs (in Python other_code=True)",
    )


def _as_installed(spec: CellSpec, registry: Registry) -> CellSpec:
    member = spec.member
    if member:
        member = replace(member, method_version=registry.get("method", member.method).version)
    return replace(spec, method_version=registry.get("method", spec.method).version, member=member)
