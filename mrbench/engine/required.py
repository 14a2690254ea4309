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


@dataclass(frozen=True)
class OtherCode:
    """What of a method is other code here than where it was trained."""

    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.found}, in place of {self.expected}"


def other_code_of(spec: CellSpec, registry: Registry, files: Mapping[str, str]) -> list[OtherCode]:
    """What is other code here than a cell's method, and that which it wraps, were trained with; none: all is the same.

    Args:
        files: of the method's code with their digests, as its record has them; its differences are named by file.

    Raises:
        UsageError: a method that is not installed.
    """
    specs = {one.method: one for one in (*spec.trainings[:1], spec)}
    found = (_difference(specs[name], registry.get("method", name), files) for name in methods_of(spec))
    return list(filter(None, found))


def _difference(spec: CellSpec, plugin: Plugin[Any], files: Mapping[str, str]) -> OtherCode | None:
    here = known_code(plugin)
    if plugin.card.version != spec.definition:
        return OtherCode(f"version {spec.definition} of {plugin.key}", f"version {plugin.card.version}")
    if (oldest(spec.training_code), oldest(spec.prediction_code)) == (here.training, here.prediction):
        return None
    tops = {name.partition("/")[0].removesuffix(".py") for name in files}
    named = in_words(differing(files, here.files.drawn)) if plugin.modules & tops else ""
    expected = f"code {spec.prediction_code[:SHORT] or 'that is named'} of {plugin.key}"
    return OtherCode(expected, f"code {here.prediction[:SHORT]}" + (f", which differs in {named}" if named else ""))


def check_installed(spec: CellSpec, registry: Registry, plugins: Mapping[str, str], where: str) -> None:
    """Refuses a method whose plugin is not there.

    Args:
        plugins: distribution and version that each method came from, by its key.
        where: whose method it is, for messages.

    Raises:
        UsageError: says what is expected.
    """
    for name in methods_of(spec):
        try:
            registry.get("method", name)
        except UnknownNameError as error:
            file = file_of(name)
            otherwise = "install the distribution that has it; mrbench list methods says what is there"
            raise UsageError(
                f"{where} needs the method {name!r}, which is not here",
                expected=file or plugins.get(name) or name,
                found=error.fault,
                hint=f"--plugin-file {file}" if file else otherwise,
            ) from None


def check_same_code(other: Sequence[OtherCode], where: str, *, again: str, accepted: bool) -> None:
    """Refuses a method that computes something else here than where it was trained.

    Args:
        other: what :func:`other_code_of` says.
        again: the command that computes it with the code that is here; empty where there is none.
        accepted: predict all the same.

    Raises:
        PluginError: says what is expected and found.
    """
    if not other or accepted:
        return
    own = f"{again} computes it with this code; or " if again else "install what it was trained with; or "
    raise PluginError(
        f"{where} was trained with other code than is installed here",
        expected="; ".join(one.expected for one in other),
        found="; ".join(one.found for one in other),
        hint=f"{own}--other-code predicts with this code and marks the outputs (in Python other_code=True)",
    )


def as_installed(spec: CellSpec, registry: Registry) -> CellSpec:
    """The specification with the versions of definitions that are here, for a method whose other code is accepted."""
    member = spec.member
    if member:
        member = replace(member, method_version=registry.get("method", member.method).version)
    return replace(spec, method_version=registry.get("method", spec.method).version, member=member)


def methods_of(spec: CellSpec) -> Iterator[str]:
    """Keys of the method of a cell and of that which it wraps, each once."""
    yield from dict.fromkeys([spec.method, *(one.method for one in spec.trainings)])
