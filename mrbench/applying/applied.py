"""What a trained method gives for one new image: masks, and maps of its samples' mean and variance."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mrbench.applying.windows import Windows, resampled
from mrbench.data.case import Image
from mrbench.data.description import Description
from mrbench.data.normalisation import normalise
from mrbench.engine.model import Model, labels_of
from mrbench.engine.views import WrappedSource
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.wrapper import View, Wrapper

FIELDS = {DrawKind.SAMPLE: "samples", DrawKind.CONSENSUS: "consensus", DrawKind.RATER: "raters"}
"""Of masks in files, by kind of draw; maps are over the first one that a method gives."""


@dataclass(frozen=True, eq=False)
class Mask:
    """One segmentation.

    Attributes:
        labels: ``(*spatial)`` uint8 below K.
        rater: the column of the rater in whose style it is; None: nobody's.
    """

    labels: np.ndarray
    rater: int | None = None


@dataclass(frozen=True, eq=False)
class Applied:
    """The answer for one image.

    Attributes:
        masks: by field, ``samples``, ``consensus`` and ``raters``: S samples, one consensus, the first of each rater.
        over: the field whose probabilities the maps are over: ``samples``, else ``consensus``, else ``raters``.
        mean, variance: ``(K - 1, *spatial)`` float32 of the probability of each foreground class; divided by their
            number, not by one less.
    """

    masks: Mapping[str, Sequence[Mask]]
    over: str
    mean: np.ndarray
    variance: np.ndarray


class Training(Wrapper[Any]):
    """Each of several trainings in turn, as the wrappers of a run have it."""

    def __init__(self, description: Description, trainings: int) -> None:
        super().__init__(None, description)
        self.trainings = trainings

    def views(self, shape: tuple[int, ...]) -> Sequence[View]:  # noqa: ARG002
        """One for each training."""
        return [View(member) for member in range(self.trainings)]


def ensemble_of(models: Sequence[Model]) -> Model:
    """The mean over trainings: sample i is of training i mod their number, raters and consensus are means."""
    first = models[0]
    if len(models) == 1:
        return first
    wrapper = Training(first.description, len(models))
    source = WrappedSource(wrapper, first.card, [one.source for one in models])
    other = next(filter(None, (one.other_code for one in models)), "")
    return Model(first.spec, first.description, source, other_code=other)


def apply(model: Model, array: np.ndarray, windows: Windows, name: str, n: int) -> Applied:
    """The answer for an image.

    Args:
        array: ``(C, H, W)`` or ``(C, D, H, W)`` as a data set stores it.
        windows: how it is shown to the network.
        name: the case's, for its noise: the same in every window.
        n: samples.
    """
    answer = _Answer()
    for draw in _draws(model, array, windows, name, n):
        answer.add(draw)
    return answer.finished()


def _draws(model: Model, array: np.ndarray, windows: Windows, name: str, n: int) -> Iterator[Draw]:
    seen = normalise(resampled(array, windows.seen), model.description.normalisation)
    streams = [model.draws(Image(name, part), n) for part in windows.cut(seen)]
    for draws in zip(*streams, strict=True):
        probability = windows.joined([np.asarray(draw.probability, np.float32) for draw in draws])
        yield Draw(draws[0].kind, probability, draws[0].rater)


@dataclass(eq=False)
class _Moments:
    """Mean and variance of maps as they come (Welford 1962)."""

    n: int = 0
    mean: Any = 0.0
    squares: Any = 0.0

    def add(self, values: np.ndarray) -> None:
        self.n += 1
        apart = values - self.mean
        self.mean = self.mean + apart / self.n
        self.squares = self.squares + apart * (values - self.mean)


class _Answer:
    """The draws so far."""

    def __init__(self) -> None:
        self.masks: dict[str, list[Mask]] = {}
        self.moments: dict[str, _Moments] = {}

    def add(self, draw: Draw) -> None:
        field = FIELDS[draw.kind]
        masks = self.masks.setdefault(field, [])
        if draw.rater is not None and draw.rater in {mask.rater for mask in masks}:
            return  # its first is the one that is scored
        masks.append(Mask(labels_of(draw.probability), draw.rater))
        self.moments.setdefault(field, _Moments()).add(draw.probability[1:])

    def finished(self) -> Applied:
        over = next(field for field in FIELDS.values() if field in self.masks)
        found = self.moments[over]
        mean, variance = (np.asarray(map_, np.float32) for map_ in (found.mean, found.squares / found.n))
        return Applied(self.masks, over, mean, variance)
