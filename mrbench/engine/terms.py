"""What a loss must give: named scalar terms that depend on what its stage trains."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mrbench.errors import PluginError
from mrbench.interfaces.method import Stage
from mrbench.places import of_function


def objective(terms: Mapping[str, Tensor]) -> Tensor:
    """The sum of the terms; those whose names begin with an underscore are logged only."""
    return torch.stack([value for name, value in terms.items() if not name.startswith("_")]).sum()


def check_terms(terms: Any, stage: Stage, method: str) -> None:
    """Refuses what is no mapping of names to scalar tensors.

    Raises:
        PluginError: names the stage, the file and line of its loss, and what that gave.
    """
    found = _fault(terms)
    if found:
        raise PluginError(
            f"the loss of stage {stage.name!r} of {method} is not a set of named terms",
            expected="a mapping of names to scalar tensors",
            found=found,
            place=of_function(stage.loss),
        )


def check_trainable(total: Tensor, stage: Stage, method: str) -> None:
    """Refuses a sum of terms from which no gradient reaches a parameter.

    Raises:
        PluginError: names the stage, and the file and line of its loss.
    """
    if not total.requires_grad:
        raise PluginError(
            f"the loss of stage {stage.name!r} of {method} depends on no parameter that the stage trains",
            expected="a term with a gradient",
            found="none: detached, computed with NumPy or under no_grad, or of frozen networks",
            place=of_function(stage.loss),
        )


def _fault(terms: Any) -> str:
    if not isinstance(terms, Mapping):
        return _kind(terms)
    if not terms:
        return "an empty mapping"
    if all(str(name).startswith("_") for name in terms):
        return f"only terms that are logged: {', '.join(map(str, terms))}"
    wrong = [name for name, value in terms.items() if not isinstance(value, Tensor) or value.dim()]
    return f"{wrong[0]!r} is {_kind(terms[wrong[0]])}" if wrong else ""


def _kind(value: Any) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"{value!r:.80}"
