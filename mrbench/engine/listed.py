"""What a stage trains must be among the networks that its method lists: nothing else is moved, saved and loaded."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mrbench.errors import PluginError
from mrbench.interfaces.method import Method, Stage
from mrbench.places import of_function

if TYPE_CHECKING:
    from torch import nn


def check_listed(method: Method[Any], stage: Stage, parameters: Sequence["nn.Parameter"]) -> None:
    """Refuses parameters of a stage that are in no network: a training that is read back would lack them.

    Raises:
        PluginError: names the stage and the shape of the first.
    """
    networks = method.networks()
    listed = {id(parameter) for network in networks.values() for parameter in network.parameters()}
    left_out = [parameter for parameter in parameters if id(parameter) not in listed]
    if left_out:
        raise PluginError(
            f"stage {stage.name!r} of {type(method).__name__} trains what networks() leaves out: "
            f"{len(left_out)} of {len(parameters)} parameters, the first of shape {tuple(left_out[0].shape)}",
            expected="networks() names every network that is trained; no other is saved",
            found=f"networks() names {', '.join(map(repr, networks)) or 'nothing'}",
            place=of_function(method.networks),
        )
