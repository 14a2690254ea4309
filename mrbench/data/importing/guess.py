"""From the names of files to patterns, without help: the one way to read them, or an error that says what was found.

Words tell images from masks (:mod:`mrbench.data.importing.words`); without any, a mask is named after its image. A
mask's name is its image's with a rater put in: as a folder, before or behind the name, or in place of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product, takewhile

from mrbench.data.importing.assign import PARTS_OF_COLLECTIONS, Named, examples, how_to_say, read_named
from mrbench.data.importing.listing import Listing, split_ending
from mrbench.data.importing.words import IMAGE, MASK, has_word, is_bare
from mrbench.errors import DataError

SAMPLE = 2000
"""Masks that patterns are looked for in; they are then applied to all."""

MAX_FOLDERS = 5
"""Folders between the one that is imported and a file, in which raters and cases are looked for."""

MAX_PLACES = 4
"""Places from each end of a name at which it is cut into case and rater."""

SEPARATORS = re.compile(r"[_\-. ]+")

Owner = tuple[str, str]
"""Subject and case of an image; the subject is empty where no folder names one."""


@dataclass(frozen=True)
class Reading:
    """One way to read a mask's name: the pattern, and what it says."""

    pattern: str
    owner: Owner
    rater: str


@dataclass
class _Evidence:
    """The masks that a pattern reads."""

    masks: dict[str, Reading] = field(default_factory=dict)

    def strength(self, pattern: str) -> tuple[int, int, int]:
        """Masks and images that it explains; then, how much of it stands in every name."""
        owners = {reading.owner for reading in self.masks.values()}
        return len(self.masks), len(owners), len(re.sub(r"\{\w+\}", "", pattern))


def guess_patterns(listing: Listing) -> Named:
    """The patterns by which images and masks are named.

    Raises:
        DataError: there are no files, or none or several ways to read their names.
    """
    stems = {name: split_ending(name)[0] for name in listing.images}
    images, masks = _roles(list(stems.values()))
    fixed = _common_folders(list(stems.values()))
    found = [_patterns(images, masks, fixed, variant) for variant in (_whole, _without_image_words)]
    best = max(found, key=lambda one: one.explained)
    if best.explained == 0:
        raise _not_seen(listing)
    endings = _endings(name for name, stem in stems.items() if stem in best.stems)
    others = _endings(name for name, stem in stems.items() if stem not in best.stems)
    return read_named([p + endings for p in best.images], [p + others for p in best.masks])


def _roles(stems: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Images and masks; all of them for both where no word tells."""
    masks = [stem for stem in stems if any(has_word(part, MASK) for part in stem.split("/"))]
    others = sorted(set(stems) - set(masks))
    if not others:
        return stems, stems
    for tells in (_in_image_folder, _is_image_name):
        images = [stem for stem in others if tells(stem)]
        if images and (masks or len(images) < len(others)):
            return images, masks or sorted(set(others) - set(images))
    return (others, masks) if masks else (stems, stems)


def _in_image_folder(stem: str) -> bool:
    return any(has_word(part, IMAGE) for part in stem.split("/")[:-1])


def _is_image_name(stem: str) -> bool:
    return has_word(stem.rpartition("/")[2], IMAGE)


def _common_folders(stems: Sequence[str]) -> int:
    """How many folders all files lie in."""
    folders = zip(*(stem.split("/")[:-1] for stem in stems), strict=False)
    return sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, folders))


@dataclass(frozen=True)
class _Found:
    """Patterns of images and masks without endings, how many masks they explain, and the images."""

    images: Sequence[str]
    masks: Sequence[str]
    explained: int
    stems: Set[str]


def _patterns(images: Sequence[str], masks: Sequence[str], fixed: int, variant: "_Variant") -> _Found:
    owners = {variant(stem, fixed)[1]: stem for stem in images}
    chosen = _mask_patterns(_sample(masks), owners, fixed)
    readings = [reading for one in chosen.values() for reading in one.masks.values()]
    # Where no word told images from masks, images are what has a mask.
    named = {owners[reading.owner] for reading in readings} if images == masks else set(images)
    found = [_without_mask_words(pattern, one) for pattern, one in chosen.items()]
    return _Found(sorted({variant(stem, fixed)[0] for stem in named}), found, len(readings), named)


def _sample(stems: Sequence[str]) -> Sequence[str]:
    step = max(1, len(stems) // SAMPLE)
    return stems[::step]


# --- images


class _Variant:
    """How much of an image's name is the case's: all of it, or what is left without words for images."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole

    def __call__(self, stem: str, fixed: int) -> tuple[str, Owner]:
        """The pattern and the owner."""
        *folders, last = stem.split("/")
        words = [place < fixed or is_bare(part, IMAGE) for place, part in enumerate(folders)]
        free = [place for place, literal in enumerate(words) if not literal]
        before, core, after = ("", last, "") if self.whole else _stripped(last, IMAGE)
        case_folder = free[-1] if free and (is_bare(last, IMAGE) or core == folders[free[-1]]) else None
        fields: list[str] = ["" if literal else "subject" for literal in words]
        case = core if case_folder is None else folders[case_folder]
        if case_folder is not None:
            fields[case_folder] = "case"
        if "/".join(_spelt(folders, fields)).count("{subject}") > 1:
            fields = [_unless_part(folder, name) for folder, name in zip(folders, fields, strict=True)]
        name = last if case_folder is not None and core != case else f"{before}{{case}}{after}"
        subject = "/".join(part for part, field in zip(folders, fields, strict=True) if field == "subject")
        return "/".join([*_spelt(folders, fields), name]), (subject, case)


def _unless_part(folder: str, name: str) -> str:
    return "" if name == "subject" and folder.lower() in PARTS_OF_COLLECTIONS else name


_whole, _without_image_words = _Variant(whole=True), _Variant(whole=False)


@lru_cache(4 * SAMPLE)  # of a name for every way to read its folders
def _stripped(text: str, words: frozenset[str]) -> tuple[str, str, str]:
    """What stands before, in and after the text without such words at its ends."""
    start, end = 0, len(text)
    separators = [(one.start(), one.end()) for one in SEPARATORS.finditer(text)]
    for left, right in separators:
        if is_bare(text[start:left], words):
            start = right
    for left, right in reversed(separators):
        if left > start and is_bare(text[right:end], words):
            end = left
    return text[:start], text[start:end], text[end:]


def _spelt(folders: Sequence[str], fields: Sequence[str]) -> Iterator[str]:
    before = ""
    for folder, name in zip(folders, fields, strict=True):
        if name and not (name == before == "subject"):  # folders of a subject that follow each other are one field
            yield f"{{{name}}}"
        elif not name:
            yield folder
        before = name


# --- masks


def _mask_patterns(masks: Sequence[str], owners: Mapping[Owner, str], fixed: int) -> dict[str, _Evidence]:
    evidence: dict[str, _Evidence] = defaultdict(_Evidence)
    for stem in masks:
        for reading in _mask_readings(stem, fixed):
            if owners.get(reading.owner, stem) != stem:  # an image, and not the mask itself
                evidence[reading.pattern].masks.setdefault(stem, reading)
    chosen: dict[str, _Evidence] = {}
    left = set(masks)
    while evidence:
        best = max(evidence, key=lambda pattern: (evidence[pattern].strength(pattern), pattern))
        _check_rivals(best, evidence)
        chosen[best] = evidence.pop(best)
        left -= set(chosen[best].masks)
        evidence = _about(left, evidence)
    return chosen


def _about(left: set[str], evidence: Mapping[str, _Evidence]) -> dict[str, _Evidence]:
    """What the patterns say of the masks that are left."""
    kept = {
        pattern: _Evidence({stem: reading for stem, reading in one.masks.items() if stem in left})
        for pattern, one in evidence.items()
    }
    return {pattern: one for pattern, one in kept.items() if one.masks}


def _check_rivals(best: str, evidence: Mapping[str, _Evidence]) -> None:
    """Refuses a pattern while another explains as much in another way."""
    mine = evidence[best]
    for pattern, one in evidence.items():
        shared = mine.masks.keys() & one.masks.keys()
        differ = [stem for stem in shared if mine.masks[stem].owner != one.masks[stem].owner]
        if differ and one.strength(pattern)[:2] == mine.strength(best)[:2]:
            raise DataError(
                "the masks can be read in two ways",
                expected=f"{best} or {pattern}",
                found=examples(sorted(differ)),
                hint=f"say which: --mask '{best}', and --image with the pattern of the images",
            )


def _mask_readings(stem: str, fixed: int) -> Iterator[Reading]:
    *folders, last = stem.split("/")
    if len(folders) - fixed > MAX_FOLDERS:
        return
    for fields in product(*(_choices(part, place < fixed) for place, part in enumerate(folders))):
        if fields.count("case") > 1 or fields.count("rater") > 1:
            continue
        before = "/".join([*_spelt(folders, fields), ""])
        if before.count("{subject}") > 1:
            continue
        of = {name: "/".join(p for p, f in zip(folders, fields, strict=True) if f == name) for name in fields}
        for name, case, rater in _name_readings(last, of.get("case", ""), of.get("rater", "")):
            yield Reading(before + name, (of.get("subject", ""), case), rater)


def _choices(folder: str, fixed: bool) -> Sequence[str]:
    if fixed:
        return ("",)
    literal = is_bare(folder, MASK) or is_bare(folder, IMAGE) or folder.lower() in PARTS_OF_COLLECTIONS
    return ("", "subject", "case", "rater") if literal else ("subject", "case", "rater")


def _name_readings(last: str, case: str, rater: str) -> Iterator[tuple[str, str, str]]:
    """Pattern, case and rater of a name whose folders may have said the case or the rater already."""
    for before, core, after in dict.fromkeys([("", last, ""), _stripped(last, MASK)]):
        if rater and (not case or core == case):
            yield f"{before}{{case}}{after}", core, rater
        elif not rater and case:
            yield f"{before}{{rater}}{after}", case, core
        elif not rater:
            yield f"{before}{{case}}{after}", core, ""
        if not rater:
            for pattern, mine, theirs in _split(core):
                if case in ("", mine):
                    yield f"{before}{pattern}{after}", mine, theirs
    if rater and case and is_bare(last, MASK):
        yield last, case, rater


def _split(core: str) -> Iterator[tuple[str, str, str]]:
    places = list(SEPARATORS.finditer(core))
    for place in dict.fromkeys(places[:MAX_PLACES] + places[-MAX_PLACES:]):
        first, second = core[: place.start()], core[place.end() :]
        if first and second:
            yield f"{{case}}{place[0]}{{rater}}", first, second
            yield f"{{rater}}{place[0]}{{case}}", second, first


def _without_mask_words(pattern: str, evidence: _Evidence) -> str:
    """``mask_{rater}`` in place of ``{rater}`` where that stands before every rater, and behind likewise."""
    raters = {reading.rater for reading in evidence.masks.values()}
    ends = {(before, after) for before, _, after in (_stripped(rater, MASK) for rater in raters)}
    if len(ends) > 1 or len(raters) < 2:
        return pattern
    before, after = ends.pop()
    cores = [rater[len(before) : len(rater) - len(after)] for rater in raters]
    if any(core.isdigit() for core in cores):
        return pattern
    return pattern.replace("{rater}", f"{before}{{rater}}{after}")


def _endings(names: Iterable[str]) -> str:
    """The ending that all names have; none where they differ, which stands for all."""
    endings = {split_ending(name)[1] for name in names}
    return endings.pop() if len(endings) == 1 else ""


def _not_seen(listing: Listing) -> DataError:
    return DataError(
        f"cannot see how the files in {listing.folder} are named",
        expected="images and masks that share names, such as images/NAME.png with masks/RATER/NAME.png, "
        "NAME/image.png with NAME/rater1.png, or NAME.png with NAME_rater1.png",
        found=examples(listing.images),
        hint=how_to_say(listing),
    )
