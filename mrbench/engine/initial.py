"""A method with its initial weights."""

from typing import TYPE_CHECKING, Any

from mrbench.data.description import Description
from mrbench.data.loading import configured
from mrbench.engine.cell import CellSpec
from mrbench.registry import Plugin
from mrbench.seeds import derive_seed

if TYPE_CHECKING:
    from mrbench.interfaces.method import Method


def untrained(spec: CellSpec, plugin: Plugin[Any], description: Description) -> "Method[Any]":
    """The method of a cell with its initial weights, which derive from the seed; torch's generator is seeded anew.

    Raises:
        PluginError: it keeps networks where torch does not see them.
    """
    import torch

    from mrbench.engine.hidden import refuse_hidden

    torch.manual_seed(derive_seed(spec.seed, spec.dataset, spec.fold, "weights"))
    method: Method[Any] = plugin.load()(configured(plugin, spec.options), description)
    refuse_hidden(method)
    return method
