"""A method's draws as the harness asks for them, whoever wants them: in evaluation mode and without gradients."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch

from mrbench.data.case import Image
from mrbench.interfaces.draw import Draw
from mrbench.interfaces.method import Context, Method


@torch.no_grad()
def draws_of(method: Method[Any], image: Image, n: int, context: Context) -> Iterator[Draw]:
    """The draws for an image, one at a time; none where ``predict`` gives nothing to go through.

    Args:
        n: samples asked for.
    """
    method.eval()
    draws = method.predict(image, n, context)
    yield from draws if isinstance(draws, Iterable) else ()
