"""A method's answers, asked for directly: any draws of any slices, in any order, with noise of any seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mrbench.cards import MethodCard
from mrbench.engine.answers import check_answer
from mrbench.engine.given import defined
from mrbench.errors import PluginError
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.method import Method, Probabilities
from mrbench.interfaces.noise import Noise, Rows
from mrbench.nn.losses import logits_to_probability
from mrbench.places import of_function
from mrbench.testing.scenes import Scene

SLICES = DRAWS = (0, 1, 2)
"""Three slices, of different cases, and three draws."""

SEED = 3


class Question(NamedTuple):
    """What is asked for."""

    kind: DrawKind
    rater: int | None = None

    def __str__(self) -> str:
        return f"as_rater({self.rater})" if self.rater is not None else f"{self.kind}()"


@dataclass(frozen=True, eq=False)
class Asked:
    """An answer.

    Attributes:
        values: ``(S, N, L, H, W)`` logits; the same as the probabilities where the method gives these.
        probabilities: ``(S, N, K, H, W)``.
        sites: of the noise that was drawn.
    """

    values: Tensor
    probabilities: Tensor
    sites: frozenset[str]


@dataclass(frozen=True, eq=False)
class Operations:
    """The answers of a trained method that a card gives, to slices of a scene."""

    method: Method[Any]
    card: MethodCard
    scene: Scene

    @property
    def questions(self) -> list[Question]:
        """All that can be asked; where there is no ``sample()``, samples are asked of the raters."""
        of_raters = "sample" not in defined(type(self.method))
        asked = {
            "samples": self._of_raters(DrawKind.SAMPLE) if of_raters else [Question(DrawKind.SAMPLE)],
            "raters": self._of_raters(DrawKind.RATER),
            "consensus": [Question(DrawKind.CONSENSUS)],
        }
        return [question for word in self.card.gives.split() for question in asked[word]]

    def _of_raters(self, kind: DrawKind) -> list[Question]:
        return [Question(kind, rater) for rater in range(self.scene.description.n_raters)]

    def images(self, slices: Sequence[int]) -> Tensor:
        """``(N, C, H, W)`` of the first cases, one brighter than the other, so that what mixes them shows."""
        return torch.stack([torch.from_numpy((1 + number) * self.scene.case(number).image) for number in slices])

    def features(self, slices: Sequence[int] = SLICES) -> Any:
        """Of these slices together."""
        return self._run(self.method.features, self.images(slices))

    def ask(
        self,
        question: Question,
        *,
        draws: Sequence[int] = DRAWS,
        slices: Sequence[int] = SLICES,
        features: Any = None,
        noise_of: int | None = None,
        seeds: Mapping[str, int] | None = None,
        seed: int = SEED,
    ) -> Asked:
        """An answer, of the right shape.

        Args:
            draws, slices: their numbers. A consensus has one draw.
            features: of the slices. Default: new ones.
            noise_of: the rater whose noise is used. Default: the question's.
            seeds: of sites that have another one than ``seed``.

        Raises:
            PluginError: it is of another shape.
        """
        numbers = [0] if question.kind is DrawKind.CONSENSUS else draws
        of = question.rater if noise_of is None else noise_of
        noise = Noise(Rows(seed, "case", question.kind, of, numbers, slices), torch.device("cpu"), seeds or {})
        known = self.features(slices) if features is None else features
        operation, rater = self._operation(question)
        given = self._run(operation, known, *rater, noise)
        height, width = self.scene.case(0).image.shape[1:]
        shape = len(slices), self.scene.description.n_classes, height, width
        try:
            check_answer(given, noise, shape, f"{type(self.method).__name__}.{question}")
        except PluginError as error:
            raise error.at(of_function(operation)) from None
        return Asked(*self._both(given), frozenset(noise.sites))

    def _operation(self, question: Question) -> tuple[Any, list[int]]:
        if question.rater is not None:
            return self.method.as_rater, [question.rater]
        return (self.method.sample if question.kind is DrawKind.SAMPLE else self.method.consensus), []

    def _run(self, function: Any, *arguments: Any) -> Any:
        self.method.eval()
        with torch.no_grad():
            return function(*arguments)

    def _both(self, given: Any) -> tuple[Tensor, Tensor]:
        if isinstance(given, Probabilities):
            values = given.values.clone()
            return values, values
        return given.clone(), logits_to_probability(given, self.scene.description.n_classes)
