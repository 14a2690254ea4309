"""Draws of a method that no run has trained, as the harness makes them."""

from typing import Any

import torch

from mrbench.cards import MethodCard
from mrbench.data.case import Image
from mrbench.engine.draws import Source, draws_of
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.method import Method
from mrbench.interfaces.noise import Noise, Rows

CPU = torch.device("cpu")


def draws(method: Method[Any], image: Image, n: int = 0, gives: str = "raters", seed: int = 0) -> list[Draw]:
    """As a row whose card gives that."""
    return list(draws_of(Source(method, MethodCard(name="made", code="a:b", gives=gives), seed, CPU), image, n))


def noise(
    answer: DrawKind = DrawKind.SAMPLE, *, draws: int = 1, slices: int = 1, rater: int | None = None, seed: int = 0
) -> Noise:
    """Of the first draws for a case."""
    return Noise(Rows(seed, "case", answer, rater, range(draws), range(slices)), CPU)
