"""A wrapper's answers as draws: samples of its views in turn, mean probabilities of raters and consensus."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from mrbench.cards import Capability, MethodCard
from mrbench.data.case import Image
from mrbench.engine.draws import Answering, Answers
from mrbench.errors import PluginError
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.noise import Noise, Rows
from mrbench.interfaces.wrapper import View, Wrapper
from mrbench.places import of_function


@dataclass(frozen=True, eq=False)
class WrappedSource:
    """Where draws of a wrapper come from.

    Attributes:
        wrapper: says through which views.
        card: says which answers this row gives.
        members: each trained, with the prediction seed that its own run has.
    """

    wrapper: Wrapper[Any]
    card: MethodCard
    members: Sequence[Answering]

    @property
    def device(self) -> Any:
        """Where the members are."""
        return self.members[0].device

    @property
    def seed(self) -> int:
        """Of the first member's prediction."""
        return self.members[0].seed

    def answers(self, image: Image) -> Answers:
        """The answers for one image.

        Raises:
            PluginError: no view, or one of a member that there is not.
        """
        views = self.wrapper.views(image.array.shape)
        if not views or any(view.member not in range(len(self.members)) for view in views):
            raise PluginError(
                f"wrapper {self.card.name!r}, case {image.id!r}: views() names trainings that there are not",
                expected=f"one view or more, each of a member 0..{len(self.members) - 1}",
                found=f"members {[view.member for view in views]}",
                place=of_function(self.wrapper.views),
            )
        viewed = ViewedAnswers(views, [self.members[view.member].answers(_seen(image, view)) for view in views])
        return MeanSamples(self, image, viewed) if self._makes_samples else viewed

    @property
    def _makes_samples(self) -> bool:
        return type(self.wrapper).sample is not Wrapper.sample

    def place(self, kind: DrawKind | None) -> str:  # noqa: ARG002
        """File and line of what makes samples, or says through which views; errors name it."""
        return of_function(self.wrapper.sample if self._makes_samples else self.wrapper.views)

    def reseeded(self, seed: int) -> "WrappedSource":
        """The same with other noise."""
        return replace(self, members=[member.reseeded(seed) for member in self.members])


class ViewedAnswers:
    """The answers for one image.

    Args:
        views: V of them.
        answers: of the member of each view, for what it sees.
    """

    def __init__(self, views: Sequence[View], answers: Sequence[Answers]) -> None:
        self.views, self.answers = views, answers

    def samples(self, numbers: Sequence[int]) -> Iterator[Draw]:
        """Sample i is sample i of view i mod V."""
        turns = range(len(self.views))
        own = [[number for number in numbers if number % len(turns) == turn] for turn in turns]
        streams = [answers.samples(mine) for answers, mine in zip(self.answers, own, strict=True)]
        for number in numbers:
            turn = number % len(turns)
            draw = next(streams[turn])
            yield replace(draw, probability=_back(self.views[turn], draw))

    def raters(self) -> Iterator[Draw]:
        """Each rater's draws: draw j is the mean of the views' draws j."""
        return self._means([answers.raters() for answers in self.answers])

    def consensus(self) -> Iterator[Draw]:
        """The mean of the views' answers."""
        return self._means([answers.consensus() for answers in self.answers])

    def _means(self, streams: Sequence[Iterator[Draw]]) -> Iterator[Draw]:
        for draws in zip(*streams, strict=True):
            probabilities = [_back(view, draw) for view, draw in zip(self.views, draws, strict=True)]
            yield replace(draws[0], probability=np.mean(probabilities, axis=0))


class MeanSamples:
    """Samples that a wrapper makes of its views' mean probability for one image.

    Args:
        source: whose wrapper.
        viewed: the answers of its views.
    """

    def __init__(self, source: WrappedSource, image: Image, viewed: ViewedAnswers) -> None:
        self.source, self.image, self.viewed = source, image, viewed

    def samples(self, numbers: Sequence[int]) -> Iterator[Draw]:
        """The samples of these numbers."""
        depth = self.image.array.shape[1] if self.image.array.ndim == 4 else 1
        for number in numbers:
            rows = Rows(self.source.seed, self.image.id, DrawKind.SAMPLE, None, [number], range(depth))
            (probability,) = self.source.wrapper.sample(self.mean, Noise(rows, torch.device("cpu")))
            yield Draw(DrawKind.SAMPLE, probability)

    @cached_property
    def mean(self) -> np.ndarray:
        """``(K, *spatial)`` of the samples, else of the raters' first draws, else the consensus."""
        gives = self.source.members[0].card.capabilities
        if Capability.DIVERSE in gives:
            draws = [*self.viewed.samples(range(self.source.wrapper.mean_of))]
        elif Capability.PERSONAL in gives:
            draws = [*{draw.rater: draw for draw in reversed([*self.viewed.raters()])}.values()]
        else:
            draws = [*self.viewed.consensus()]
        mean: np.ndarray = np.mean([draw.probability for draw in draws], axis=0)
        return mean

    def raters(self) -> Iterator[Draw]:
        """None."""
        return iter(())

    def consensus(self) -> Iterator[Draw]:
        """None."""
        return iter(())


def _seen(image: Image, view: View) -> Image:
    return replace(image, array=np.ascontiguousarray(view.forward(image.array)))


def _back(view: View, draw: Draw) -> np.ndarray:
    return np.ascontiguousarray(view.back(draw.probability))
