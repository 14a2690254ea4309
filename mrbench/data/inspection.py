"""One look at a data set: how many, who marked how much, how far raters agree, what is missing or there twice."""

from dataclasses import dataclass, field

import numpy as np

from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.checks import Copies, Twins


@dataclass(frozen=True)
class RaterFacts:
    """What one rater did; means over cases, NaN where there is none.

    Attributes:
        name: of the rater.
        present: cases that the rater looked at.
        empty: of them, those with no foreground.
        area: foreground pixels or voxels of a case, where the rater marked any.
        rank: by area among the raters present, from 1 for the smallest; ties share the mean of their ranks. Over the
            cases that at least two raters looked at.
        dice: with the other raters, over pairs of whom at least one marked something.
    """

    name: str
    present: int
    empty: int
    area: float
    rank: float
    dice: float


@dataclass(frozen=True)
class Inspection:
    """What :func:`inspect_cases` found. Foreground is any label above 0.

    Attributes:
        cases, subjects: how many.
        sizes: the smallest and the largest ``spatial`` by number of pixels.
        raters: in the order of the columns.
        complete: cases with every rater.
        blank: cases where nobody marked anything.
        dice: mean over the cases of the mean over pairs of raters present, of whom at least one marked something; NaN
            where there is none.
        agreeing_cases: the cases that ``dice`` is over.
        warnings: copies of images and of raters.
        void: share of the pixels that count nowhere, because somebody did not judge them.
    """

    cases: int
    subjects: int
    sizes: tuple[tuple[int, ...], tuple[int, ...]]
    raters: tuple[RaterFacts, ...]
    complete: int
    blank: int
    dice: float
    agreeing_cases: int
    warnings: tuple[str, ...]
    void: float = 0.0


def inspect_cases(cases: CaseSet) -> Inspection:
    """Reads every case once, one at a time.

    Raises:
        DataError: a case that cannot be read.
    """
    tally = _Tally(cases)
    doubles = Copies(), Twins(cases.description)
    for index in range(len(cases)):
        case = cases[index]
        tally.add(case.masks, case.present)
        tally.add_void(case)
        for part in doubles:
            part.add(case)
    return tally.inspection(cases, tuple(line for part in doubles for line in part.warnings()))


@dataclass
class _Tally:
    cases: CaseSet
    smallest: tuple[int, ...] = ()
    largest: tuple[int, ...] = ()
    blank: int = 0
    case_dice: float = 0.0
    case_dice_n: int = 0
    void: int = 0
    pixels: int = 0
    sums: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = ("present", "marked", "area", "ranked", "rank", "paired", "dice")
        self.sums = {name: np.zeros(self.cases.description.n_raters) for name in names}

    def add(self, masks: np.ndarray, present: np.ndarray) -> None:
        self._add_size(masks.shape[1:])
        rows = np.flatnonzero(present)
        flat = (masks[rows] > 0).reshape(len(rows), -1).astype(np.float32)  # exact below 2**24 pixels
        areas = flat.sum(axis=1, dtype=np.float64)
        self.blank += not areas.any()
        self._count(rows, present=1, marked=areas > 0, area=areas)
        if len(rows) > 1:
            self._count(rows, ranked=1, rank=_ranks(areas))
            self._add_pairs(rows, flat @ flat.T, areas)

    def add_void(self, case: Case) -> None:
        self.pixels += case.masks[0].size
        self.void += 0 if case.valid is None else int(np.count_nonzero(~case.valid))

    def _add_size(self, size: tuple[int, ...]) -> None:
        self.smallest = min(self.smallest or size, size, key=np.prod)
        self.largest = max(self.largest or size, size, key=np.prod)

    def _add_pairs(self, rows: np.ndarray, shared: np.ndarray, areas: np.ndarray) -> None:
        total = areas[:, None] + areas[None]
        counts = (total > 0) & ~np.eye(len(rows), dtype=bool)
        dice = np.where(counts, 2 * shared / np.where(counts, total, 1), 0)
        self._count(rows, paired=counts.sum(axis=1), dice=dice.sum(axis=1))
        if counts.any():
            self.case_dice += float(dice.sum() / counts.sum())
            self.case_dice_n += 1

    def _count(self, rows: np.ndarray, **values: np.ndarray | int) -> None:
        for name, value in values.items():
            self.sums[name][rows] += value

    def inspection(self, cases: CaseSet, warnings: tuple[str, ...]) -> Inspection:
        return Inspection(
            cases=len(cases),
            subjects=len(set(cases.subjects)),
            sizes=(self.smallest, self.largest),
            raters=tuple(self._rater(r, name) for r, name in enumerate(cases.description.rater_names)),
            complete=int(cases.present.all(axis=1).sum()),
            blank=self.blank,
            dice=_share(self.case_dice, self.case_dice_n),
            agreeing_cases=self.case_dice_n,
            warnings=warnings,
            void=_share(self.void, self.pixels),
        )

    def _rater(self, r: int, name: str) -> RaterFacts:
        own = {key: float(values[r]) for key, values in self.sums.items()}
        return RaterFacts(
            name=name,
            present=int(own["present"]),
            empty=int(own["present"] - own["marked"]),
            area=_share(own["area"], own["marked"]),
            rank=_share(own["rank"], own["ranked"]),
            dice=_share(own["dice"], own["paired"]),
        )


def _ranks(areas: np.ndarray) -> np.ndarray:
    # From 1, ties share the mean of their ranks.
    below = (areas[None] < areas[:, None]).sum(axis=1)
    equal = (areas[None] == areas[:, None]).sum(axis=1)
    return np.asarray(below + (equal + 1) / 2)


def _share(total: float, count: float) -> float:
    return total / count if count else float("nan")
