"""What a stage trains must be the method's own: nothing else is moved, saved and loaded."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mrbench.errors import PluginError
from mrbench.places import of_function

if TYPE_CHECKING:
    from torch import Tensor

    from mrbench.interfaces.method import Method, Stage


def check_owned(method: "Method[Any]", stage: "Stage", parameters: Sequence["Tensor"]) -> None:
    """Refuses parameters of a stage that are not the method's: a training that is read back would lack them.

    Raises:
        PluginError: names the stage and the shape of the first.
    """
    own = {id(parameter) for parameter in method.parameters()}
    foreign = [parameter for parameter in parameters if id(parameter) not in own]
    if foreign:
        raise PluginError(
            f"stage {stage.name!r} of {type(method).__name__} trains what is not the method's",
            expected="parameters of its submodules, or its own",
            found=f"{len(foreign)} of {len(parameters)} are not, the first of shape {tuple(foreign[0].shape)}",
            hint="assign the network, or the parameter, to an attribute of the method",
            place=of_function(method.stages),
        )
