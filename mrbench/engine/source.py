"""Where a cell's draws come from: its trained methods, and the noise of its predictions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mrbench.data.description import Description
from mrbench.data.loading import configured
from mrbench.engine.build import method_of
from mrbench.engine.cell import CellSpec
from mrbench.engine.wrapping import row_card
from mrbench.registry import Registry
from mrbench.seeds import derive_seed

if TYPE_CHECKING:
    from mrbench.engine.draws import Answering
    from mrbench.interfaces.method import Method


def source_of(
    spec: CellSpec, registry: Registry, description: Description, methods: Sequence["Method[Any]"], device: Any
) -> "Answering":
    """Where a cell's draws come from.

    Args:
        methods: of the cell's trainings, trained, on the device.

    Raises:
        UnknownNameError, PluginError: as of :func:`method_of`.
    """
    from mrbench.engine.draws import Source
    from mrbench.engine.views import WrappedSource

    plugin = method_of(spec, registry)
    cards = [method_of(one, registry).card for one in spec.trainings]
    sources = [
        Source(method, card, prediction_seed(one), device)
        for method, card, one in zip(methods, cards, spec.trainings, strict=True)
    ]
    if spec.member is None:
        return sources[0]
    wrapper = plugin.load()(configured(plugin, spec.options), description)
    return WrappedSource(wrapper, row_card(plugin.card, cards[0]), sources)


def prediction_seed(spec: CellSpec) -> int:
    """The seed that the draws of a cell derive from."""
    return derive_seed(spec.seed, spec.dataset, spec.fold, "prediction")
