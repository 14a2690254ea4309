"""ImageNet weights of an encoder from a local file, for any number of image channels."""

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from mrbench.errors import UsageError


def load_resnet34_weights(encoder: nn.Module, path: Path) -> None:
    """Fills the encoder from a state dictionary under ResNet's usual names; no pickled code is run.

    The classification layer (``fc``) is dropped and the first convolution adapted to the image's channels, see
    :func:`adapt_first_convolution`.

    Raises:
        UsageError: no such file, not a file of tensors, or names or shapes that are not ResNet-34's.
    """
    _load(encoder, path, "ResNet-34", first="conv1.weight", head="fc.")


def load_mit_b2_weights(encoder: nn.Module, path: Path) -> None:
    """The same for MiT-B2 under the names of its release; its classification layer is ``head``.

    Raises:
        UsageError: no such file, not a file of tensors, or names or shapes that are not MiT-B2's.
    """
    _load(encoder, path, "MiT-B2", first="patch_embed1.proj.weight", head="head.")


def _load(encoder: nn.Module, path: Path, network: str, *, first: str, head: str) -> None:
    # first: the weight that sees the image; head: what the names of the classification layer begin with
    given = {name: value for name, value in _read(path, network).items() if not name.startswith(head)}
    own = encoder.state_dict()
    if first in given and given[first].shape[0:1] == own[first].shape[0:1]:
        given[first] = adapt_first_convolution(given[first], own[first].shape[1])
    counters = {name for name in own if name.endswith("num_batches_tracked")}
    _check(given, own, counters, path, network, first)
    encoder.load_state_dict(own | given)


def adapt_first_convolution(weight: Tensor, channels: int) -> Tensor:
    """``(out, C, 7, 7)`` from the RGB kernel ``(out, 3, 7, 7)``.

    One channel: the sum over RGB. More than one: RGB repeated in order and scaled by 3 / C, so that the response to a
    grey image keeps its size; three channels stay as they are.
    """
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    order = [channel % weight.shape[1] for channel in range(channels)]
    return weight[:, order] * (weight.shape[1] / channels)


def _read(path: Path, network: str) -> dict[str, Tensor]:
    if not path.is_file():
        raise UsageError(f"no weights file at {path}", expected=f"a file of {network} weights", found="nothing")
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError) as error:
        raise UsageError(
            f"weights file {path} cannot be read", expected="a dictionary of tensors", found=str(error).splitlines()[0]
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UsageError(
            f"weights file {path} holds no weights", expected="a dictionary of tensors", found=type(state).__name__
        )
    return state


def _check(
    given: dict[str, Tensor], own: dict[str, Tensor], optional: set[str], path: Path, network: str, stem: str
) -> None:
    missing = sorted(set(own) - set(given) - optional)
    unknown = sorted(set(given) - set(own))
    misshapen = sorted(name for name in set(given) & set(own) if given[name].shape != own[name].shape)
    if not (missing or unknown or misshapen):
        return
    found = [f"missing {missing[0]} and {len(missing) - 1} more"] if missing else []
    found += [f"unknown {unknown[0]} and {len(unknown) - 1} more"] if unknown else []
    found += [f"{name} of shape {tuple(given[name].shape)}" for name in misshapen[:1]]
    first = misshapen[0] if misshapen else stem
    raise UsageError(
        f"weights file {path} does not fit {network}",
        expected=f"{network}'s {len(own) - len(optional)} tensors, {first} of shape {tuple(own[first].shape)}",
        found="; ".join(found),
    )
