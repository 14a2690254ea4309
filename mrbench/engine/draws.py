"""A method's draws as the harness asks for them, whoever wants them: in evaluation mode and without gradients."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from mrbench.data.case import Image
from mrbench.interfaces.draw import Draw
from mrbench.interfaces.method import Context, Method


@dataclass(frozen=True, eq=False)
class Draws(Iterator[Draw]):
    """Draws that are made without gradients; whoever takes them keeps a mode of their own.

    Attributes:
        source: what the method gives them by; names the line of a wrong one.
    """

    source: Iterator[Draw]

    def __next__(self) -> Draw:
        with torch.no_grad():
            return next(self.source)


def draws_of(method: Method[Any], image: Image, n: int, context: Context) -> Draws:
    """The draws for an image, one at a time; none where ``predict`` gives nothing to go through.

    Args:
        n: samples asked for.
    """
    method.eval()
    with torch.no_grad():
        draws = method.predict(image, n, context)
    return Draws(iter(draws if isinstance(draws, Iterable) else ()))
