"""A method's answers as draws of whole images: in evaluation mode, without gradients, in chunks that bound memory."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from mrbench.cards import Capability, MethodCard
from mrbench.data.case import Image
from mrbench.engine.answers import check_answer
from mrbench.errors import PluginError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.method import Answer, Method, Probabilities
from mrbench.interfaces.noise import Noise, Rows
from mrbench.nn.losses import logits_to_probability
from mrbench.places import of_function
from mrbench.seeds import derive_seed

PIXELS_AT_ONCE = 2**17
"""Pixels of draws that go through a network together, 8 of 128 x 128: their maps then stay in a processor's cache."""

VALUES_AT_ONCE = 2**24
"""Probabilities of samples that are held together: 64 MiB."""

MakeNoise = Callable[[Rows, torch.device], Noise]
"""The noise of an answer."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where draws come from.

    Attributes:
        method: trained, on its device.
        card: says which answers this row gives.
        seed: of the prediction.
        device: where the method is.
    """

    method: Method[Any]
    card: MethodCard
    seed: int
    device: torch.device

    def answers(self, image: Image) -> "ImageAnswers":
        """The answers for one image."""
        return ImageAnswers(self, image)

    def reseeded(self, seed: int) -> "Source":
        """The same with other noise."""
        return replace(self, seed=derive_seed(self.seed, seed))

    def place(self, kind: DrawKind | None) -> str:
        """File and line of what answers for draws of a kind; errors name it."""
        return of_function(answering(self, kind))


def answering(source: Source, kind: DrawKind | None) -> Callable[..., Answer]:
    """What of the method answers for draws of a kind; None: for the first kind that its card gives."""
    method, gives = source.method, source.card.capabilities
    own_samples = type(method).sample is not Method.sample
    if kind is None:
        kind = DrawKind.SAMPLE if Capability.DIVERSE in gives else DrawKind.RATER
        kind = kind if gives & {Capability.DIVERSE, Capability.PERSONAL} else DrawKind.CONSENSUS
    if kind is DrawKind.CONSENSUS:
        return method.consensus
    return method.sample if kind is DrawKind.SAMPLE and own_samples else method.as_rater


class Answering(Protocol):
    """Whatever answers for images: a method, or a wrapper of trainings."""

    @property
    def card(self) -> MethodCard: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def seed(self) -> int: ...

    def answers(self, image: Image) -> "Answers":
        """The answers for one image."""

    def reseeded(self, seed: int) -> "Answering":
        """The same with other noise."""

    def place(self, kind: DrawKind | None) -> str:
        """File and line of what answers for draws of a kind."""


class Answers(Protocol):
    """The answers for one image."""

    def samples(self, numbers: Sequence[int]) -> Iterator[Draw]:
        """The samples of these numbers."""

    def raters(self) -> Iterator[Draw]:
        """Each rater's draws."""

    def consensus(self) -> Iterator[Draw]:
        """The one answer."""


def draws_of(source: Answering, image: Image, n: int) -> Iterator[Draw]:
    """The draws for an image: raters, then n samples, then the consensus, as the card gives them.

    Raises:
        PluginError: an answer of a wrong type or shape; names the method and the line of what gave it.
    """
    answers, gives = source.answers(image), source.card.capabilities
    return chain(
        answers.raters() if Capability.PERSONAL in gives else (),
        answers.samples(range(n)) if Capability.DIVERSE in gives else (),
        answers.consensus() if Capability.CONSENSUS in gives else (),
    )


class ImageAnswers:
    """The answers for one image; what they share is computed once.

    Args:
        image: of D slices; D = 1 where it is no volume.

    Attributes:
        sites: the names of the noise that was drawn so far, by kind of answer.
    """

    def __init__(self, source: Source, image: Image) -> None:
        self.source, self.image = source, image
        self.classes, self.raters_number = source.method.description.n_classes, source.method.description.n_raters
        slices = _slices(image.array)  # (D, C, H, W)
        self.depth, self.pixels = len(slices), slices.shape[-2] * slices.shape[-1]
        self._chunks = torch.split(slices, max(1, PIXELS_AT_ONCE // self.pixels))
        source.method.eval()
        self._features = [self._run(source.method.features, chunk.to(source.device)) for chunk in self._chunks]
        self._noise: MakeNoise = Noise
        self.sites: dict[DrawKind, set[str]] = {kind: set() for kind in DrawKind}

    def from_noise(self, noise: MakeNoise) -> "ImageAnswers":
        """The same answers from other noise; to see what a site of it does."""
        other = copy(self)
        other._noise = noise
        return other

    def encoded(self, encode: Callable[..., Any], masks: Tensor, present: Tensor) -> Iterator[tuple[Any, Tensor]]:
        """What the method's ``encode`` says of each chunk of slices, and who is present in them.

        Args:
            masks: ``(D, R, H, W)`` int64 below K.
            present: ``(D, R)`` bool.
        """
        parts = (torch.split(whole.to(self.source.device), len(self._chunks[0])) for whole in (masks, present))
        for features, own, seen in zip(self._features, *parts, strict=True):
            yield self._run(encode, features, own, seen), seen

    def samples(self, numbers: Sequence[int]) -> Iterator[Draw]:
        """The draws of these numbers, tied to no rater."""
        method = self.source.method
        if type(method).sample is Method.sample:
            yield from self._samples_of_raters(numbers)
            return
        for together in _split(numbers, self._at_once):
            for probability in self._answer(method.sample, together, DrawKind.SAMPLE):
                yield Draw(DrawKind.SAMPLE, probability)

    def _samples_of_raters(self, numbers: Sequence[int]) -> Iterator[Draw]:
        # A rater drawn uniformly for each sample; those of one rater are computed together.
        held = max(1, VALUES_AT_ONCE // (self.classes * self.pixels * self.depth))
        chosen = {number: self._chosen(number) for number in numbers}
        for window in _split(numbers, held):
            found: dict[int, np.ndarray] = {}
            for rater in sorted({chosen[number] for number in window}):
                own = [number for number in window if chosen[number] == rater]
                for together in _split(own, self._at_once):
                    found |= self._random(together, self.of_rater(rater, together, DrawKind.SAMPLE))
            yield from (Draw(DrawKind.SAMPLE, found[number]) for number in window)

    def _random(self, numbers: Sequence[int], rows: np.ndarray) -> dict[int, np.ndarray]:
        if len(rows) < len(numbers):
            raise PluginError(
                f"{self._where(DrawKind.SAMPLE)} is not random, and there is no sample()",
                expected="answers drawn from noise, for samples of random raters",
                found=f"one answer for {len(numbers)} draws",
                place=of_function(self.source.method.as_rater),
            )
        return dict(zip(numbers, rows, strict=True))

    def _chosen(self, number: int) -> int:
        return derive_seed(self.source.seed, self.image.id, "rater of sample", number) % self.raters_number

    def raters(self) -> Iterator[Draw]:
        """Each rater's draws, draw 0 first; one where nothing is random."""
        for rater in range(self.raters_number):
            for numbers in _split(range(self.source.method.rater_draws), self._at_once):
                for probability in self.of_rater(rater, numbers, DrawKind.RATER):
                    yield Draw(DrawKind.RATER, probability, rater)

    def of_rater(self, rater: int, numbers: Sequence[int], kind: DrawKind = DrawKind.RATER) -> np.ndarray:
        """``(S, K, *spatial)`` probabilities of a rater's draws of these numbers; S = 1 where nothing is random."""

        def answer(features: Any, noise: Noise) -> Answer:
            return self.source.method.as_rater(features, rater, noise)

        return self._answer(answer, numbers, kind, rater)

    def consensus(self) -> Iterator[Draw]:
        """The one answer."""
        for probability in self._answer(self.source.method.consensus, [0], DrawKind.CONSENSUS):
            yield Draw(DrawKind.CONSENSUS, probability)

    @property
    def _at_once(self) -> int:
        return max(1, PIXELS_AT_ONCE // (self.pixels * len(self._chunks[0])))

    def _answer(
        self, function: Callable[[Any, Noise], Answer], numbers: Sequence[int], kind: DrawKind, rater: int | None = None
    ) -> np.ndarray:
        # (S, K, *spatial) for the draws of these numbers
        parts, first = [], 0
        for chunk, features in zip(self._chunks, self._features, strict=True):
            slices = range(first, first := first + len(chunk))
            rows = Rows(self.source.seed, self.image.id, kind, rater, numbers, slices)
            noise = self._noise(rows, self.source.device)
            answer = self._run(function, features, noise)
            self.sites[kind] |= noise.sites
            try:
                check_answer(answer, noise, self._expected(chunk), self._where(kind))
            except PluginError as error:
                raise error.at(self.source.place(kind)) from None
            parts.append(self._probability(answer).cpu())  # (S, N, K, H, W)
        volume = torch.cat(parts, dim=1).movedim(1, 2).contiguous()  # (S, K, D, H, W)
        return volume.numpy() if self.image.array.ndim == 4 else volume[:, :, 0].numpy()

    def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        # Whoever takes draws in turn may have a mode and gradients of their own.
        if self.source.method.training:
            self.source.method.eval()
        with torch.no_grad():
            return function(*arguments)

    def _probability(self, answer: Answer) -> Tensor:
        if isinstance(answer, Probabilities):
            return answer.values
        return logits_to_probability(answer, self.classes)

    def _expected(self, chunk: Tensor) -> tuple[int, int, int, int]:
        return len(chunk), self.classes, chunk.shape[2], chunk.shape[3]

    def _where(self, kind: DrawKind) -> str:
        name = answering(self.source, kind).__name__
        return f"method {self.source.card.name!r}, case {self.image.id!r}: {name}()"


def _slices(array: np.ndarray) -> Tensor:
    # (D, C, H, W) from an image (C, H, W) or (C, D, H, W)
    volume = array if array.ndim == 4 else array[:, None]
    return torch.from_numpy(np.ascontiguousarray(volume.swapaxes(0, 1)))


def _split(numbers: Sequence[int], length: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), length):
        yield numbers[start : start + length]
