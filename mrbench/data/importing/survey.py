"""One look at every file before anything is written: headers of the images, values of the masks."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np

from mrbench.data.frame import Frame, Shape, frame_of
from mrbench.data.image_file import ImageFile
from mrbench.data.importing.codes import Codes
from mrbench.data.importing.files import CaseFiles, Layout
from mrbench.data.importing.labels import values_in
from mrbench.data.importing.listing import split_ending
from mrbench.data.importing.marks import Marks
from mrbench.data.importing.palettes import Palettes
from mrbench.data.importing.shifts import Shifts
from mrbench.data.importing.stacks import open_mask
from mrbench.data.importing.void import read_judged
from mrbench.data.importing.votes import Votes
from mrbench.data.mask_rules import AS_STORED, MaskRules, spelt
from mrbench.data.mask_values import Colour
from mrbench.errors import DataError


@dataclass(frozen=True)
class Facts:
    """What is known of a case before its image is read.

    Attributes:
        frame: the grid that it is kept on.
        stored: shape of its image's file.
        dtype: of its image.
    """

    frame: Frame
    stored: Shape
    dtype: np.dtype

    @property
    def spatial(self) -> Shape:
        """Plain shape of its masks."""
        return self.frame.spatial

    @property
    def channels(self) -> int:
        """C."""
        return self.frame.n_channels(self.stored)


@dataclass(frozen=True)
class Survey:
    """What all files together say.

    Attributes:
        facts: of the cases, in their order.
        values: by rater, the sets of values that masks hold.
        empty: masks that mark nothing, by rater.
        marks: what the masks hold, in numbers.
        lying: NIfTI masks whose headers do not say how they lie on their image.
        shifts: steps between raters.
        codes: values that meet.
        votes: do masks look like something else than the masks of raters?
        palettes: what labels that are indices of palettes look like.
        void: pixels of each case that somebody did not judge.
    """

    facts: tuple[Facts, ...]
    values: Mapping[str, Set[tuple[int, ...]]]
    empty: Mapping[str, int]
    marks: Marks
    lying: Sequence[str] = ()
    shifts: Shifts = field(default_factory=Shifts)
    codes: Codes = field(default_factory=Codes)
    votes: Votes = field(default_factory=Votes)
    palettes: Palettes = field(default_factory=Palettes)
    void: Sequence[int] = ()

    @cached_property
    def axes(self) -> int:
        """2 where all cases are slices, 3 where they are volumes."""
        return max(len(facts.spatial) for facts in self.facts)

    @property
    def n_channels(self) -> int:
        """C."""
        return self.facts[0].channels

    def shape(self, index: int) -> Shape:
        """``(H, W)``, or ``(D, H, W)`` in a collection of volumes."""
        spatial = self.facts[index].spatial
        return (1,) * (self.axes - len(spatial)) + spatial

    def spacing(self, index: int) -> tuple[float, ...] | None:
        """mm per axis of :meth:`shape`, or None where the files do not know all of them."""
        found = (self.facts[index].frame.spacing or ())[-self.axes :]
        return found if len(found) == self.axes and all(0 < mm < float("inf") for mm in found) else None


def survey(layout: Layout, rules: MaskRules = AS_STORED, void: int | None = None) -> Survey:
    """Reads every mask, by what is said of their values, and the header of every image.

    Args:
        layout: the cases with their files.
        rules: what is said of the values.
        void: value of pixels that are not judged.

    Raises:
        DataError: naming the file: it cannot be read, is no mask, or lies on another grid than its image; images of
            different kinds; a case without a judged pixel.
    """
    look = _Look(layout, rules, void)
    for case in layout.cases:
        look.at(case)
    return Survey(
        tuple(look.facts),
        look.values,
        look.empty,
        look.marks,
        look.lying,
        look.shifts,
        look.codes,
        look.votes,
        look.palettes,
        look.voids,
    )


class _Look:
    """What has been seen of the cases so far."""

    def __init__(self, layout: Layout, rules: MaskRules, void: int | None) -> None:
        self.void, self.voids, self.valid = void, list[int](), np.array(True)
        self.layout, self.folder, self.rules = layout, layout.listing.folder, rules
        self.facts: list[Facts] = []
        self.values: defaultdict[str, set[tuple[int, ...]]] = defaultdict(set)
        self.empty: Counter[str] = Counter()
        self.marks = Marks()
        self.lying: list[str] = []
        self.shifts, self.codes, self.votes, self.palettes = Shifts(), Codes(), Votes(), Palettes()
        self.colours: dict[Colour, Path] = {}

    def at(self, case: CaseFiles) -> None:
        """Reads the header of its image and its masks."""
        where = str(self.folder / case.image)
        with self.layout.listing.open(case.image) as image:
            first = self.folder / next(iter(case.masks.values()))
            frame = frame_of(image, self._headers(case, image), where, str(first))
            self.facts.append(Facts(frame, image.shape, image.dtype))
        _check_channels(self.layout, self.facts)
        self.valid = np.array(True)
        read = {rater: self._labels(case, rater, frame) for rater in case.masks}
        labels = {rater: one for rater, (one, _) in read.items()}
        marked = {rater: one > 0 for rater, one in labels.items()}
        self.marks.add(marked)
        self.shifts.add(marked)
        self.codes.add(labels, {rater: values for rater, (_, values) in read.items()})
        self.votes.add(labels, stacked=case.stack_axis is not None)
        if not self.valid.any():
            raise DataError(f"case {case.id!r} of {self.folder} is void all over", expected="a pixel that all judged")
        self.voids.append(int(np.count_nonzero(~self.valid)))

    def _headers(self, case: CaseFiles, image: ImageFile) -> Iterator[ImageFile]:
        for place, (rater, name) in enumerate(case.masks.items()):
            # Of the others none is asked for but directions that the image does not state.
            if place == 0 or (image.geometry is None and is_nifti(name)):
                with open_mask(self.layout.listing, case, rater, prod(image.shape)) as mask:
                    yield mask

    def _labels(self, case: CaseFiles, rater: str, frame: Frame) -> tuple[np.ndarray, tuple[int, ...]]:
        """Of a mask, ``(*spatial)``, and the different ones."""
        path = self.folder / (name := case.masks[rater])
        with open_mask(self.layout.listing, case, rater, prod(frame.lies)) as mask:
            _check_lossless(mask, where := str(path))
            read, labels, valid = read_judged(mask, frame, self.rules, self.void, where)
        self.valid = self.valid & valid
        counts = np.bincount(labels.reshape(-1))
        counts[0] -= np.count_nonzero(~valid)
        found = values_in(counts, where)
        self._check_colour(read.colour, path)
        self.palettes.add(read, counts, name)
        self.values[rater].add(found)
        self.marks.values.update({value: int(counts[value]) for value in found})
        self.empty[rater] += found == (0,)
        self.lying += [name] if is_nifti(name) and frame.order_of(mask, where) is None else []
        return labels, found

    def _check_colour(self, colour: Colour | None, path: Path) -> None:
        """Two colours are background and foreground while the foreground is the same everywhere."""
        if colour is None:
            return
        self.colours.setdefault(colour, path)
        if len(self.colours) > 1:
            ours, theirs = self.colours
            raise DataError(
                f"{path} marks in another colour than {self.colours[ours]}",
                expected=spelt(ours),
                found=spelt(theirs),
                hint=f"say which is which class: --labels '{spelt(ours)}=NAME,{spelt(theirs)}=NAME'",
            )


def is_nifti(name: str) -> bool:
    """By its ending."""
    return split_ending(name)[1].startswith(".nii")


def _check_lossless(mask: ImageFile, where: str) -> None:
    if mask.lossy:  # whatever its ending says
        raise DataError(f"{where} is a mask in JPEG, which keeps no labels", expected="PNG, TIFF, NIfTI, npy or npz")


def _check_channels(layout: Layout, facts: Sequence[Facts]) -> None:
    expected, found = facts[0].channels, facts[-1].channels
    if found != expected:
        raise DataError(
            f"{layout.listing.folder / layout.cases[len(facts) - 1].image} has {found} channels",
            expected=f"{expected}, as {layout.cases[0].image} has",
            hint="save all images alike, grey or in colours",
        )
