"""What is understood of a folder, in words: a title and a line each."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import prod

import numpy as np

from mrbench.data.description import Raters
from mrbench.data.importing.assign import OWN_SUBJECT
from mrbench.data.importing.files import CaseFiles, Unused
from mrbench.data.importing.suspicions import suspicions
from mrbench.data.importing.understand import Understood

NAMED = 5
"""Names that a line tells; of the others, how many there are."""

NUMBERED = re.compile(r"(.+?)[_\-. ]*\d+")


def tell(found: Understood) -> list[tuple[str, str]]:
    """The lines."""
    layout, columns = found.layout, found.columns
    lines = [
        ("images", f"{len(layout.cases)} used: {layout.images}"),
        ("masks", f"{sum(len(case.masks) for case in layout.cases)} used: {layout.masks}"),
        ("cases", _cases(found)),
        ("raters", f"{len(columns.names)} {columns.kind.value} ({columns.why}): {_by_rater(found)}"),
        *_absent(found),
        *_empty(found),
        *_said(found),
        ("labels", found.labels.told()),
        *found.survey.palettes.told(),
        *_void(found),
        *_marked(found),
        ("image", _image(found)),
        ("spacing", _spacing(found)),
        *_directions(found),
        ("folds", f"{found.folds}, none of which splits a subject"),
    ]
    return [*lines, *_training_size(found), *_not_used(layout.unused)]


def _cases(found: Understood) -> str:
    cases, unit = found.layout.cases, found.description.unit.value
    subjects = {case.subject for case in cases}
    if found.layout.subjects != OWN_SUBJECT:
        return f"{_count(len(cases), unit)} of {_count(len(subjects), 'subject')}, {found.layout.subjects}"
    example = _alike(cases)
    asked = f". Are {example} of one patient? Then --subject-from PATTERN, or folds split the patient"
    return f"{_count(len(cases), unit)}; {OWN_SUBJECT}" + (asked if example else "")


def _alike(cases: Sequence[CaseFiles]) -> str:
    """Two cases that differ in a number behind the same name, where there are several such names."""
    groups: dict[str, list[str]] = {}
    for case in cases:
        match = NUMBERED.fullmatch(case.id)
        groups.setdefault(match[1] if match else case.id, []).append(case.id)
    several = [names for names in groups.values() if len(names) > 1]
    return f"{several[0][0]} and {several[0][1]}" if several and len(groups) > 1 else ""


def _by_rater(found: Understood) -> str:
    if found.columns.kind is Raters.EXCHANGEABLE:
        counts = Counter(len(case.masks) for case in found.layout.cases)
        return ", ".join(f"{n} masks in {_count(times, 'case')}" for n, times in sorted(counts.items()))
    masks = Counter(name for case in found.layout.cases for name in case.masks)
    return _listed(f"{name} {masks[name]}" for name in found.columns.names)


def _absent(found: Understood) -> Iterator[tuple[str, str]]:
    if found.columns.kind is Raters.EXCHANGEABLE:
        return
    for name in found.columns.names:
        cases = [case.id for case in found.layout.cases if name not in case.masks]
        if cases:
            yield "absent", f"{name} in {_count(len(cases), 'case')}, which have no file: {_listed(cases)}"


def _empty(found: Understood) -> Iterator[tuple[str, str]]:
    counts = {name: n for name, n in found.survey.empty.items() if n}
    if counts:
        said = _listed(f"{name} {n}" for name, n in sorted(counts.items()))
        yield "empty", f"{_count(sum(counts.values()), 'mask')} in which nothing is marked: {said}"


def _said(found: Understood) -> Iterator[tuple[str, str]]:
    """What was said of the values, where the line of the labels does not say it."""
    if found.rules and found.rules.labels is None:
        yield "values", found.rules.told()


def _void(found: Understood) -> Iterator[tuple[str, str]]:
    counts = found.survey.void
    if found.void is not None:
        share = sum(counts) / sum(prod(found.survey.shape(index)) for index in range(len(counts)))
        cases = f"{np.count_nonzero(counts)} of {_count(len(counts), 'case')}"
        yield (
            "void",
            f"{found.void} is not judged: {share:.2%} of the pixels, in {cases}, count neither to train nor to score",
        )


def _marked(found: Understood) -> Iterator[tuple[str, str]]:
    """How much of the masks is marked, how far raters agree, and what looks like a mistake."""
    marks, columns, labels = found.survey.marks, found.columns, found.labels
    classes = Counter[str]()
    for value, count in marks.values.items():
        classes[labels.classes[int(labels.classes_of(np.array(value)))]] += count
    total = sum(classes.values())
    yield "shares", ", ".join(f"{name} {classes[name] / total:.2%}" for name in labels.classes)
    dice = marks.dice()
    if dice is None:
        return
    if columns.kind is Raters.EXCHANGEABLE:
        yield "overlap", f"Dice {dice:.2f} of the masks of a case"
        return
    areas = (f"{name} {marks.marked[name] / marks.pixels[name]:.2%}" for name in columns.names)
    yield "marked", f"on average {', '.join(areas)}"
    each = ((name, marks.dice(name)) for name in columns.names)
    yield "overlap", f"Dice with the others: {', '.join(f'{name} {one:.2f}' for name, one in each if one is not None)}"
    found_odd = list(suspicions(found.survey, labels))
    yield from (("look at", text) for text in found_odd[:NAMED])
    if len(found_odd) > NAMED:
        yield "look at", f"{len(found_odd) - NAMED} more like these"


def _image(found: Understood) -> str:
    description, facts = found.description, found.survey.facts
    sizes = Counter(found.survey.shape(index) for index in range(len(facts)))
    kinds = sorted({facts.dtype.newbyteorder("=").name for facts in facts})
    said = [" x ".join(map(str, size)) + (f" ({n})" if len(sizes) > 1 else "") for size, n in sizes.most_common()]
    axes = "D x H x W" if found.survey.axes == 3 else "H x W"
    channels = f"{_count(len(description.channels), 'channel')} ({', '.join(description.channels)})"
    return f"{channels}, {' or '.join(kinds)}, {axes} = {_listed(said)}; normalisation {description.normalisation}"


def _spacing(found: Understood) -> str:
    n = len(found.survey.facts)
    known = Counter(spacing for index in range(n) if (spacing := found.survey.spacing(index)) is not None)
    if not known:
        return "unknown: distances will be in pixels"
    said = [" x ".join(f"{mm:.4g}" for mm in spacing) + f" mm ({times})" for spacing, times in known.most_common()]
    left = n - sum(known.values())
    return _listed(said) + (f"; unknown in {_count(left, 'case')}" if left else "")


def _directions(found: Understood) -> Iterator[tuple[str, str]]:
    grids = [facts.frame.reference for facts in found.survey.facts]
    codes = Counter(grid.codes for grid in grids if grid is not None)
    if codes:
        said = _listed(f"{code} ({times})" for code, times in codes.most_common())
        left = len(grids) - sum(codes.values())
        lying = f"; not stated in {_count(left, 'case')}, which are kept as they lie" if left else ""
        yield "axes", f"x, y, z run to {said}, kept as what is closest to RAS{lying}"
    if found.survey.lying:
        names = found.survey.lying
        yield (
            "axes",
            f"{_count(len(names), 'mask')} taken to lie as the image does, headers do not say: {_listed(names)}",
        )


def _training_size(found: Understood) -> Iterator[tuple[str, str]]:
    if (size := found.description.training_size) is not None:
        height, width = size
        yield "training", f"slices are cropped or padded to {height} x {width} for training; scores are of all pixels"


def _not_used(unused: Unused) -> Iterator[tuple[str, str]]:
    whys = {
        "without a mask": unused.unmarked,
        "neither a case's image nor a mask of one": unused.unread,
        "no image file": unused.others,
    }
    for why, names in whys.items():
        if names:
            yield "not used", f"{_count(len(names), 'file')} ({why}): {_listed(names)}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:NAMED]) + (f" and {len(every) - NAMED} more" if len(every) > NAMED else "")
