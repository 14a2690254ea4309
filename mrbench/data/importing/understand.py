"""All that is understood of a folder, before anything is written."""

import re
import shlex
from dataclasses import dataclass, replace

import numpy as np

from mrbench.data.description import Description, Unit
from mrbench.data.importing.assign import OWN_SUBJECT, assign, examples, read_named
from mrbench.data.importing.columns import Columns, understand_columns
from mrbench.data.importing.files import CaseFiles, Layout
from mrbench.data.importing.guess import guess_patterns
from mrbench.data.importing.labels import Labels, understand_labels
from mrbench.data.importing.listing import list_files
from mrbench.data.importing.members import ENDINGS, list_members
from mrbench.data.importing.pattern import NamePattern
from mrbench.data.importing.request import Request
from mrbench.data.importing.stacks import unstacked
from mrbench.data.importing.survey import Survey, survey
from mrbench.data.importing.table import read_table
from mrbench.data.importing.votes import check_are_raters
from mrbench.data.mask_rules import MaskRules
from mrbench.errors import DataError, UsageError

FOLDS = 5

UNREAD = 0.05
"""Share of the files that may stay over where the names were understood without patterns; no rater is that rare."""

MIN_SUBJECTS = 3
"""One each to train, to validate and to test on."""

SLICE = re.compile(r"(.+?)[_\-. ]+(?:slice|slc|sl|frame|z)[_\-. ]*(\d{1,9})", re.IGNORECASE)
"""A name that says which slice of whom it is."""


@dataclass(frozen=True)
class Understood:
    """A folder as it will be imported.

    Attributes:
        layout: the cases with their files, and what stays over.
        columns: the raters.
        labels: the classes.
        survey: sizes, channels, spacings and empty masks.
        rules: by which the masks are read.
        folds: how many.
        description: the declarations.
        void: value of pixels that are not judged, or None.
    """

    layout: Layout
    columns: Columns
    labels: Labels
    survey: Survey
    rules: MaskRules
    folds: int
    description: Description
    void: int | None = None


def understand(asked: Request) -> Understood:
    """Looks at every file of a folder; writes nothing.

    Raises:
        UsageError: options that do not fit each other or the folder.
        DataError: files that can be read in several ways or not at all, or whose content is no image or mask; names
            them and says what to do.
    """
    layout = unstacked(_with_subjects(_layout(asked), asked.subject_from), asked.rater_axis, asked.rater_names)
    columns = understand_columns(layout.cases, asked.raters)
    folds = _folds(layout, asked.folds)
    found = survey(layout, asked.rules, asked.void)
    if asked.void is not None and not any(found.void):
        raise UsageError(
            f"--void {asked.void} is in no mask in {asked.folder}",
            expected="the value of pixels that were not judged",
            found=f"values {', '.join(map(str, sorted(found.marks.values)[:12]))}",
        )
    check_are_raters(found, layout, asked)
    labels = _labels(asked, found)
    description = _description(asked, columns, labels, found)
    return Understood(layout, columns, labels, found, asked.rules, folds, description, asked.void)


def _labels(asked: Request, found: Survey) -> Labels:
    said = asked.rules.labels
    if said is None:
        return understand_labels(found.values, asked.classes, asked.folder)
    if asked.classes:
        raise UsageError("--labels names the classes itself", expected="either --labels or --classes")
    if not any(value for sets in found.values.values() for one in sets for value in one):
        raise DataError(f"no mask in {asked.folder} marks anything", expected=said.told(), found="background alone")
    return Labels(tuple(range(len(said.classes))), said.classes, said=said.told())


def _layout(asked: Request) -> Layout:
    is_file = asked.folder.suffix.lower() in ENDINGS and asked.folder.is_file()
    listing = list_members(asked.folder) if is_file else list_files(asked.folder)
    if asked.table is not None:
        return read_table(asked.table, listing)
    if bool(asked.images) != bool(asked.masks):
        raise UsageError("--image and --mask go together", expected="a pattern of each, or none of both")
    if asked.images:
        return assign(listing, read_named(asked.images, asked.masks))
    layout = assign(listing, guess_patterns(listing))
    _check_little_unread(layout)
    return layout


def _check_little_unread(layout: Layout) -> None:
    """Refuses to leave out much of what nobody named patterns for."""
    unread, every = layout.unused.unread, layout.listing.images
    if len(unread) > UNREAD * len(every):
        raise DataError(
            f"cannot tell what {len(unread)} of the {len(every)} files in {layout.listing.folder} are",
            expected=f"{layout.images} for images, {layout.masks} for masks",
            found=examples(unread),
            hint="say how all of them are named with --image and --mask, each as often as needed, or leave these out: "
            + shlex.join(["mrbench", "data", "import", str(layout.listing.folder), *layout.options]),
        )


def _with_subjects(layout: Layout, text: str | None) -> Layout:
    if text is not None:
        return _by_pattern(layout, NamePattern(text, ("subject", "slice", "case")))
    found = [SLICE.fullmatch(case.id) for case in layout.cases]
    if layout.subjects != OWN_SUBJECT or any(case.slice is not None for case in layout.cases) or None in found:
        return layout
    pairs = [(match[1], int(match[2])) for match in found if match]
    if len(set(pairs)) < len(pairs):
        return layout
    cases = [
        replace(case, subject=subject, slice=number)
        for case, (subject, number) in zip(layout.cases, pairs, strict=True)
    ]
    return layout.with_cases(tuple(cases), "as names of cases say")


def _by_pattern(layout: Layout, pattern: NamePattern) -> Layout:
    if "subject" not in pattern.fields:
        raise UsageError(f"the pattern {pattern.text!r} has no {{subject}}", hint="--subject-from '{subject}_{slice}'")
    cases = tuple(_with_subject(case, pattern) for case in layout.cases)
    return layout.with_cases(cases, f"by {pattern.text} in the names of the cases")


def _with_subject(case: CaseFiles, pattern: NamePattern) -> CaseFiles:
    values = next(iter(pattern.readings(case.id)), None)
    if values is None:
        raise UsageError(f"the pattern {pattern.text!r} does not fit the case {case.id!r}", expected="every case")
    number = int(values["slice"]) if "slice" in values else case.slice
    return replace(case, subject=values["subject"], slice=number)


def _folds(layout: Layout, asked: int | None) -> int:
    n = len({case.subject for case in layout.cases})
    least = max(MIN_SUBJECTS, asked or 0)
    if n < least:
        example = layout.cases[0]
        raise DataError(
            f"{layout.listing.folder} holds too few subjects for {asked or 'any'} folds",
            expected=f"at least {least}, of cases with a mask",
            found=f"{n}, {layout.subjects}: case {example.id!r} is of subject {example.subject!r}",
            hint=f"--folds {n} at most" if n >= MIN_SUBJECTS else "--subject-from PATTERN, where names of cases say it",
        )
    return asked or min(FOLDS, n)


def _description(asked: Request, columns: Columns, labels: Labels, found: Survey) -> Description:
    byte = all(facts.dtype.itemsize == 1 and facts.dtype.kind in "bu" for facts in found.facts)
    return Description(
        name=asked.name,
        version="1",
        classes=labels.classes,
        channels=_channels(found.n_channels),
        raters=columns.kind,
        rater_names=columns.names,
        unit=Unit.VOLUME if found.axes == 3 else Unit.SLICE,
        normalisation="byte" if byte else "z-score",
        augmentation=asked.augmentation,
        training_size=asked.training_size or _training_size(found),
        licence=asked.licence,
        citation=asked.citation,
        origin="imported from a folder of files",
    )


def _channels(n: int) -> tuple[str, ...]:
    if n == 3:
        return ("red", "green", "blue")
    return ("image",) if n == 1 else tuple(f"channel-{number + 1}" for number in range(n))


def _training_size(found: Survey) -> tuple[int, int] | None:
    """The largest height and width, so that training loses nothing; None where all planes have one size."""
    sizes = {facts.spatial[-2:] for facts in found.facts}
    if len(sizes) == 1:
        return None
    height, width = np.max(list(sizes), axis=0).tolist()
    return height, width
