"""A cell's method: found, built, its trained weights loaded, and the noise of its predictions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.data.description import Description
from mrbench.data.loading import configured
from mrbench.engine.cell import REPAIR, CellSpec
from mrbench.engine.manifest import check_files, read_sealed
from mrbench.engine.wrapping import row_card
from mrbench.errors import DataError, PluginError
from mrbench.registry import Plugin, Registry
from mrbench.seeds import derive_seed

if TYPE_CHECKING:
    import torch

    from mrbench.engine.draws import Answering
    from mrbench.interfaces.method import Method

WEIGHTS = "weights"
"""In a training's folder: a file per submodule."""

TRAINED = "training.json"
"""In a training's folder, written last: where it is, the training is whole."""


def method_of(spec: CellSpec, registry: Registry) -> Plugin[Any]:
    """The plugin that a cell was planned with.

    Raises:
        UnknownNameError: it is not installed.
        PluginError: it is another version now.
    """
    plugin: Plugin[Any] = registry.get("method", spec.method)
    if plugin.card.version != spec.definition:
        raise PluginError(
            f"method {plugin.key!r} changed since the run was planned",
            expected=f"version {spec.definition}",
            found=f"version {plugin.card.version}",
            hint="run the command again",
        )
    return plugin


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


def read_training(folder: Path) -> dict[str, Any] | None:
    """What a finished training says of itself, or None where there is none.

    Raises:
        DataError: it is not readable, or not what was written.
    """
    path = folder / TRAINED
    try:
        training, broken = read_sealed(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the training {path}", found=str(error), hint=REPAIR) from error
    if broken:
        raise DataError(f"the training {path} is damaged", found=broken, hint=REPAIR)
    return dict(training)


def load_weights(method: "Method[Any]", training: Path, device: "torch.device") -> None:
    """Gives a method the weights of a finished training, ready to predict on a device.

    Raises:
        DataError: a file of them is not what was written.
    """
    check_files(training, read_training(training) or {}, WEIGHTS)
    method.load(training / WEIGHTS)
    # No gradients: the counter of operations stumbles over views of parameters that could have some.
    method.to(device).requires_grad_(False)


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
