"""Small synthetic data for methods and fusions: bright discs that raters outline with different radii."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mrbench.cards import Capability
from mrbench.data.case import Case
from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters, Unit
from mrbench.testing.check import CheckedKind

SIDE = 32
"""Pixels of a slice that is nothing special."""

LARGE = 64
"""Of a slice that is a batch on its own: networks that halve it five times still have pixels to normalise over."""

RADII = 0.18, 0.24, 0.3
"""Of the raters' discs, in shares of the sides."""

BOTH: tuple[CheckedKind, ...] = ("method", "fusion")


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A kind of data that a plugin must cope with.

    Attributes:
        name: one word, or words joined by hyphens.
        what: the data in a few words.
        kinds: of plugins that meet it.
        sizes: (H, W) of the cases in turn.
        depth: slices of a volume; 0: cases are slices.
        classes, channels: K and C.
        raters: who the three columns are.
        count: number of cases; the last two are kept for prediction where there are three or more.
        absent: which raters, by case in turn, did not look.
        silent: raters who mark nothing anywhere.
        batch_size: of training, at most.
        training_size: as in a description.
        needs: capabilities without which a plugin does not meet it.
    """

    name: str
    what: str
    kinds: tuple[CheckedKind, ...] = BOTH
    sizes: tuple[tuple[int, int], ...] = ((SIDE, SIDE),)
    depth: int = 0
    classes: int = 2
    channels: int = 1
    raters: Raters = Raters.IDENTIFIED
    count: int = 6
    absent: tuple[tuple[int, ...], ...] = ((),)
    silent: tuple[int, ...] = ()
    batch_size: int = 2
    training_size: tuple[int, int] | None = None
    needs: frozenset[Capability] = frozenset()

    @cached_property
    def description(self) -> Description:
        """What its data set declares."""
        return Description(
            name=f"synthetic-{self.name}",
            version="1",
            classes=("background", "lesion", "core")[: self.classes],
            channels=tuple(f"channel-{c}" for c in range(self.channels)),
            raters=self.raters,
            rater_names=("narrow", "middle", "wide"),
            unit=Unit.VOLUME if self.depth else Unit.SLICE,
            training_size=self.training_size,
        )

    @cached_property
    def cases(self) -> CaseSet:
        """Its cases; the same arrays everywhere."""
        pictures = [self._picture(number) for number in range(self.count)]
        names = tuple(f"{self.name}-{number}" for number in range(self.count))
        spatial = 3 if self.depth else 2
        return CaseSet(
            description=self.description,
            pixels=ArrayPixels([image for image, _ in pictures], [masks for _, masks in pictures]),
            ids=names,
            subjects=names,
            present=self._present(),
            spacings=((1.0,) * spatial,) * self.count,
            redraw=self._redraw,
        )

    @property
    def training(self) -> np.ndarray:
        """Indices of the cases that a method learns from."""
        return np.arange(self.count - 2 if self.count > 2 else self.count)

    @property
    def tested(self) -> list[Case]:
        """The cases that are predicted: the last two, or the only one."""
        return [self.case(index) for index in range(max(0, self.count - 2), self.count)]

    def case(self, index: int) -> Case:
        """One case with arrays of its own, which a plugin may spoil."""
        case = self.cases[index]
        return replace(case, masks=case.masks.copy(), present=case.present.copy())

    def _present(self) -> np.ndarray:
        present = np.ones((self.count, 3), bool)
        for number in range(self.count):
            present[number, list(self.absent[number % len(self.absent)])] = False
        return present

    def _picture(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        # (C, *spatial) float32 and (R, *spatial) uint8
        distance, noise = self._distance(number)
        bright = np.exp(-((distance / 0.25) ** 2)) + 0.1 * noise.standard_normal((self.channels, *distance.shape))
        masks = np.stack([self._labels(distance, radius) for radius in RADII])
        masks[list(self.silent)] = 0
        masks[~self._present()[number]] = 0
        return bright.astype(np.float32), masks

    def _redraw(self, number: int, rater: int, noise: np.random.Generator) -> np.ndarray:
        # Asked again, a rater outlines a little narrower or wider.
        labels = self._labels(self._distance(number)[0], RADII[rater] * noise.uniform(0.9, 1.1))
        return 0 * labels if rater in self.silent else labels

    def _labels(self, distance: np.ndarray, radius: float) -> np.ndarray:
        labels = (distance < radius).astype(np.uint8)
        return labels if self.classes == 2 else labels + (distance < radius / 2)

    def _distance(self, number: int) -> tuple[np.ndarray, np.random.Generator]:
        # (*spatial) from a centre near the middle, in shares of the sides; and what further noise is drawn from
        noise = np.random.default_rng([number, len(self.name)])
        size = self.sizes[number % len(self.sizes)]
        shape = (self.depth, *size) if self.depth else size
        centre = noise.uniform(0.4, 0.6, len(shape))
        axes = [(np.arange(length) + 0.5) / length - at for length, at in zip(shape, centre, strict=True)]
        squares = [axis.reshape([-1 if a == b else 1 for b in range(len(shape))]) ** 2 for a, axis in enumerate(axes)]
        return np.asarray(np.sqrt(sum(squares))), noise


SLICES = Scene(name="slices", what="slices that everybody looked at")
MISSING = Scene(name="missing", what="cases that some raters did not look at", absent=((0,), (), (1, 2), ()))
CLASSES = Scene(name="classes", what="data of three classes", classes=3, needs=frozenset({Capability.MULTI_CLASS}))

SCENES = (
    SLICES,
    Scene(name="volumes", what="volumes", depth=3, count=4, needs=frozenset({Capability.VOLUMES})),
    MISSING,
    Scene(
        name="absent",
        what="batches in which a rater looked at nothing",
        kinds=("method",),
        sizes=((LARGE, LARGE),),
        absent=((0,), (1,), (2,)),
        batch_size=1,
    ),
    Scene(name="silent", what="cases in which one rater marks nothing", silent=(1,)),
    Scene(name="empty", what="cases in which nobody marks anything", silent=(0, 1, 2)),
    CLASSES,
    Scene(name="channels", what="images of three channels", kinds=("method",), channels=3),
    Scene(name="odd", what="images of odd and different sizes", sizes=((37, 53), (41, 35)), training_size=(35, 45)),
    Scene(name="one-case", what="a single case", count=1, sizes=((LARGE, LARGE),)),
    Scene(
        name="single",
        what="batches of one slice",
        kinds=("method",),
        sizes=((LARGE, LARGE),),
        count=4,
        batch_size=1,
    ),
    Scene(name="one-rater", what="cases that one rater looked at", kinds=("fusion",), absent=((0, 1), (1, 2))),
    Scene(name="ranked", what="cases of raters ranked by area", kinds=("fusion",), raters=Raters.RANKED),
    Scene(name="exchangeable", what="cases of anonymous raters", kinds=("fusion",), raters=Raters.EXCHANGEABLE),
)
"""In the order in which they are checked."""

SCENE: Mapping[str, Scene] = {scene.name: scene for scene in SCENES}
"""By name."""
