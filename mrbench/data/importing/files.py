"""Which file is whose: an image per case and a mask per rater, and what stays over."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mrbench.data.importing.listing import Listing


@dataclass(frozen=True)
class CaseFiles:
    """The files of one case, by names from the folder on.

    Attributes:
        id: of the case, unique.
        subject: the patient.
        image: its image.
        masks: by rater; who has none there is absent.
        slice: number of the slice in its volume, or None.
        stack_axis: axis of its only mask file, 0 or -1, along which the raters lie; None where each has a file.
    """

    id: str
    subject: str
    image: str
    masks: Mapping[str, str]
    slice: int | None = None
    stack_axis: int | None = None

    def plane(self, rater: str) -> int:
        """The place of a rater along the axis of a stack."""
        return list(self.masks).index(rater)


@dataclass(frozen=True)
class Unused:
    """Files that no case has.

    Attributes:
        unmarked: images that no mask belongs to.
        unread: files that could be read as images, and are neither a case's image nor a rater's mask.
        others: files that are no images.
    """

    unmarked: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """What the names of the files say.

    Attributes:
        listing: the folder.
        cases: those that at least one rater has a mask of, in natural order.
        images, masks: how the files are named, for people.
        options: the same as words of a command line.
        subjects: where the subjects come from, for people.
        unused: what stays over.
    """

    listing: Listing
    cases: tuple[CaseFiles, ...]
    images: str
    masks: str
    options: tuple[str, ...]
    subjects: str
    unused: Unused = field(default_factory=Unused)

    def with_cases(self, cases: tuple[CaseFiles, ...], subjects: str) -> "Layout":
        """The same files with other subjects."""
        return replace(self, cases=cases, subjects=subjects)
