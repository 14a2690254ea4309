"""Networks that a method keeps where torch does not see them, and that would be neither trained, moved nor saved."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from mrbench.errors import PluginError


def refuse_hidden(method: nn.Module) -> None:
    """Refuses a method with modules or parameters in plain containers: lists, tuples, sets, dictionaries.

    Those that are submodules or parameters as well may stand in a list too.

    Raises:
        PluginError: names the attribute.
    """
    seen = {id(one) for one in (*method.modules(), *method.parameters())}
    for name, value in vars(method).items():
        for one in _networks_in(value):
            if id(one) not in seen:
                raise PluginError(
                    f"{type(method).__name__}.{name} hides a {type(one).__name__} in a {type(value).__name__}",
                    expected="networks where torch sees them, to be trained, moved, saved and loaded",
                    found=f"self.{name} = {type(value).__name__} with a {type(one).__name__}",
                    hint="torch.nn.ModuleList, ModuleDict or ParameterList in place of it, or one attribute each",
                )


def _networks_in(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from [one] if isinstance(one, nn.Module | nn.Parameter) else _networks_in(one)
