"""The check of the mode that predictions are made in: the harness's, which a plugin must not leave."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mrbench.testing.check import CheckFailedError, rule
from mrbench.testing.method_candidate import MethodCandidate
from mrbench.testing.scenes import SLICES

if TYPE_CHECKING:
    from mrbench.interfaces.method import Method

SAMPLES = 2


@rule("method")
def evaluation_mode(candidate: MethodCandidate) -> None:
    """Its networks predict in evaluation mode and without gradients, which is how the harness calls them."""
    draw = candidate.working_drawer(SLICES)
    method = candidate.trained(SLICES).method.train()
    with _modes_seen(method) as wrong:
        draw(SLICES.tested[0], SAMPLES, 3)
    wrong += [f"{name or 'the method'} left in training mode" for name, one in method.named_modules() if one.training]
    method.eval()
    if wrong:
        raise CheckFailedError(
            "it changes the mode that predictions are made in", expected="evaluation mode, no gradients", found=wrong[0]
        )


@contextmanager
def _modes_seen(method: "Method[Any]") -> Iterator[list[str]]:
    # What each submodule is called in that is not the harness's mode.
    import torch

    wrong: list[str] = []

    def note(module: torch.nn.Module, _: Any) -> None:
        wrong.extend([f"{names[module]} in training mode"] if module.training else [])
        wrong.extend([f"{names[module]} with gradients"] if torch.is_grad_enabled() else [])

    names = {module: name for name, module in method.named_modules()}
    hooks = [module.register_forward_pre_hook(note) for module in names]
    try:
        yield wrong
    finally:
        for hook in hooks:
            hook.remove()


CHECKS = (evaluation_mode,)
