"""A cell's method: found, and its trained weights read."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.engine.cell import REPAIR, CellSpec
from mrbench.engine.manifest import check_files, read_sealed
from mrbench.errors import DataError, PluginError
from mrbench.registry import Plugin, Registry

if TYPE_CHECKING:
    import torch

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
