"""Small synthetic predictions as a cell stores them and metrics read them back: every mixture of draws and raters."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mrbench.cards import Need
from mrbench.data.case import Case
from mrbench.data.description import Description, Raters
from mrbench.interfaces.draw import Draw, DrawKind

if TYPE_CHECKING:
    from mrbench.interfaces.case_tables import CaseTables

RATERS = 4
SIZE = (24, 28)
VOLUME = (4, 24, 28)

Masks = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A kind of table that a metric must cope with.

    Attributes:
        name, what: one word or words joined by hyphens, and a few words.
        samples: S.
        predicted: are there predictions for each rater?
        consensus: is there a consensus?
        classes: K.
        present: who looked.
        marked: which raters mark anything.
        empty: do the predictions mark nothing?
        core: is there anything of the last of three classes?
        spatial: of the image.
    """

    name: str
    what: str
    samples: int = 6
    predicted: bool = True
    consensus: bool = False
    classes: int = 3
    present: tuple[int, ...] = (0, 1, 2, 3)
    marked: tuple[int, ...] = (0, 1, 2, 3)
    empty: bool = False
    core: bool = True
    spatial: tuple[int, ...] = SIZE

    @property
    def gives(self) -> frozenset[Need]:
        """What a metric can be computed from here; a consensus stands for one sample and for every rater."""
        if self.consensus:
            return frozenset(Need)
        given = {Need.SAMPLES: self.samples > 0, Need.RATERS: self.predicted}
        return frozenset(need for need, there in given.items() if there)

    @property
    def masks(self) -> Masks:
        """``(R, *spatial)`` uint8: nested balls, the raters' centres and radii a little apart."""
        masks = np.stack([self._ball(0.16 + 0.04 * r, (0.05 * r, -0.03 * r)) for r in range(RATERS)])
        masks[[r for r in range(RATERS) if r not in self.marked or r not in self.present]] = 0
        return masks

    def _ball(self, radius: float, shift: tuple[float, float]) -> Masks:
        axes = list(np.meshgrid(*((np.arange(n) + 0.5) / n - 0.5 for n in self.spatial), indexing="ij"))
        axes[-1], axes[-2] = axes[-1] - shift[0], axes[-2] - shift[1]
        distance = np.sqrt(sum(axis**2 for axis in axes))
        inner = (distance < radius / 2) if self.classes > 2 and self.core else np.zeros(self.spatial, bool)
        return (distance < radius).astype(np.uint8) + inner

    def labels(self) -> list[Masks]:
        """Of as many predictions as a case has at most: balls beside the raters' own, in an order of their own."""
        noise = np.random.default_rng(5)
        made = [self._ball(noise.uniform(0.1, 0.35), tuple(noise.uniform(-0.1, 0.1, 2))) for _ in range(16)]
        return [ball * (not self.empty) for ball in made]

    def draws(self) -> list[Draw]:
        """Samples, predictions for each rater, maybe a consensus."""
        labels = iter(self.labels())
        made = [self.draw(DrawKind.SAMPLE, next(labels)) for _ in range(self.samples)]
        made += [self.draw(DrawKind.RATER, next(labels), r) for r in range(RATERS if self.predicted else 0)]
        return made + [self.draw(DrawKind.CONSENSUS, next(labels)) for _ in range(self.consensus)]

    def draw(self, kind: DrawKind, labels: Masks, rater: int | None = None) -> Draw:
        """A draw that is rather sure of its labels, ``(*spatial)``."""
        sure = np.stack([labels == k for k in range(self.classes)]).astype(np.float32)
        return Draw(kind, 0.9 * sure + 0.1 / self.classes, rater)

    @property
    def description(self) -> Description:
        """Of the data set that the case would be from."""
        return Description(
            name=self.name,
            version="1",
            classes=("background", "lesion", "core")[: self.classes],
            channels=("grey",),
            raters=Raters.IDENTIFIED,
            rater_names=tuple(f"rater-{r}" for r in range(RATERS)),
        )


FULL = Shape(name="full", what="samples, predictions for every rater, three classes")

SHAPES = (
    FULL,
    Shape(name="two-classes", what="two classes", classes=2),
    Shape(name="samples", what="samples only", predicted=False),
    Shape(name="raters", what="predictions for the raters only", samples=0),
    Shape(name="consensus", what="a consensus only", samples=0, predicted=False, consensus=True),
    Shape(name="one-sample", what="one sample", samples=1, predicted=False, classes=2),
    Shape(name="missing", what="raters who did not look", present=(0, 3)),
    Shape(name="one-rater", what="one rater who looked", present=(2,), classes=2),
    Shape(name="unmarked", what="raters who mark nothing", marked=(), classes=2),
    Shape(name="one-unmarked", what="one rater who marks nothing", marked=(0, 2, 3)),
    Shape(name="empty", what="predictions that mark nothing", empty=True, classes=2),
    Shape(name="nothing", what="masks and predictions that mark nothing", marked=(), empty=True),
    Shape(name="no-class", what="a class that no mask contains", core=False),
    Shape(name="volume", what="a volume", spatial=VOLUME),
)
"""In the order in which they are checked."""


class Arrangement(NamedTuple):
    """What a table is made of."""

    masks: Masks
    """``(R, *spatial)`` uint8."""
    draws: Sequence[Draw]


def as_drawn(shape: Shape) -> Arrangement:
    """The shape's own masks and draws."""
    return Arrangement(shape.masks, shape.draws())


def perfect(shape: Shape) -> Arrangement:
    """The raters' own masks as samples, each twice, and as predictions; one of them as the consensus."""
    return Arrangement(shape.masks, _of_labels(shape, list(shape.masks)))


def bad(shape: Shape) -> Arrangement:
    """Small marks in a corner, in the raters' reverse order of size."""
    labels = []
    for r in range(RATERS):
        mark = np.zeros(shape.spatial, np.uint8)
        mark[..., : 2 + RATERS - r, : 3 + RATERS - r] = 1
        mark[..., :1, :1] = shape.classes - 1
        labels.append(mark)
    return Arrangement(shape.masks, _of_labels(shape, labels))


def _of_labels(shape: Shape, labels: Sequence[Masks]) -> list[Draw]:
    samples = [shape.draw(DrawKind.SAMPLE, labels[s % RATERS]) for s in range(2 * RATERS)]
    raters = [shape.draw(DrawKind.RATER, labels[r], r) for r in range(RATERS)]
    return [*samples, *raters, *(shape.draw(DrawKind.CONSENSUS, labels[0]) for _ in range(shape.consensus))]


def samples_turned(shape: Shape) -> Arrangement:
    """The shape's draws with the samples in another order."""
    draws = shape.draws()
    samples = [draw for draw in draws if draw.kind is DrawKind.SAMPLE]
    others = [draw for draw in draws if draw.kind is not DrawKind.SAMPLE]
    return Arrangement(shape.masks, [*samples[2:], *samples[:2][::-1], *others])


ORDER = (2, 0, 3, 1)
"""The column that each rater had before."""


def raters_turned(shape: Shape) -> Arrangement:
    """The shape's raters in the order of :data:`ORDER`, their predictions with them."""
    draws = [replace(d, rater=None if d.rater is None else ORDER.index(d.rater)) for d in shape.draws()]
    return Arrangement(shape.masks[list(ORDER)], draws)


def tables_of(shape: Shape, arrange: Callable[[Shape], Arrangement] = as_drawn) -> "CaseTables":
    """The tables of a shape's case, with arrays of their own, which a plugin may spoil."""
    tables = _stored(shape, arrange)
    return replace(tables, **contents(tables))


@cache
def _stored(shape: Shape, arrange: Callable[[Shape], Arrangement]) -> "CaseTables":
    # Written to a predictions file and read back the way a cell's are.
    from mrbench.cards import MethodCard
    from mrbench.engine.predict import Predictor
    from mrbench.engine.predictions import PredictionWriter, read_tables

    masks, draws = arrange(shape)
    looked = np.isin(np.arange(RATERS), shape.present)
    spacing = (2.0, 1.0, 1.5)[-len(shape.spatial) :]
    case = Case("case", "subject", np.zeros((1, *shape.spatial), np.float32), masks, looked, spacing=spacing)
    record = MethodCard(name="synthetic", kind="fusion", code="none:none", summary="", config="none:none")
    predictor = Predictor(record, shape.description, shape.samples, lambda case: [(case.present, draws)])
    path = Path(_folder().name) / f"predictions-{next(_numbers)}.h5"
    with PredictionWriter(path) as writer:
        writer.add(case.id, case.subject, predictor.predict(case))
    ((_, _, trials),) = read_tables(path)
    return trials[0]


_numbers = count()


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    # Lives as long as the process: tables read the masks from their file when a metric asks for them.
    return tempfile.TemporaryDirectory(prefix="mrbench-check-")


def contents(tables: "CaseTables") -> Mapping[str, Any]:
    """Copies of the arrays that tables hold, by name."""
    values = {field.name: getattr(tables, field.name) for field in fields(tables)}
    return {name: value.copy() for name, value in values.items() if isinstance(value, np.ndarray)}
