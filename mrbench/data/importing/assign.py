"""From patterns of names to cases: every file is read in exactly one way, or the import stops and says which it is."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mrbench.data.importing.files import CaseFiles, Layout, Unused
from mrbench.data.importing.listing import LOSSY, Listing, natural, split_ending
from mrbench.data.importing.pattern import NamePattern
from mrbench.errors import DataError, UsageError

ONLY_RATER = "rater"
"""The name of a rater whom no name names."""

OWN_SUBJECT = "every case counts as a subject of its own"
FOLDER_SUBJECT = "as names of folders and files say"

PARTS_OF_COLLECTIONS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing")
"""Folders that hold parts of a collection, and are no subjects."""

Key = tuple[str, str, str]
"""Subject, case and slice as they stand in a name; empty where a pattern has no such field."""


@dataclass(frozen=True)
class Named:
    """Patterns of the images and of the masks."""

    images: tuple[NamePattern, ...]
    masks: tuple[NamePattern, ...]

    def options(self) -> tuple[str, ...]:
        """As words of a command line."""
        images = [word for pattern in self.images for word in ("--image", pattern.text)]
        return (*images, *(word for pattern in self.masks for word in ("--mask", pattern.text)))


def read_named(images: Sequence[str], masks: Sequence[str]) -> Named:
    """Patterns as given.

    Raises:
        UsageError: one that cannot be used, a rater in an image's, or a mask's that does not say which case it is of.
    """
    named = Named(tuple(map(NamePattern, images)), tuple(map(NamePattern, masks)))
    identities = {pattern.fields for pattern in named.images}
    for pattern in named.images:
        if "rater" in pattern.fields:
            raise UsageError(f"the image pattern {pattern.text!r} names a rater", expected="{rater} in --mask alone")
    for pattern in named.masks:
        if pattern.fields - {"rater"} not in identities:
            raise UsageError(
                f"the mask pattern {pattern.text!r} does not say which image a mask is of",
                expected=f"the fields of {named.images[0].text!r}: {_spelt(named.images[0].fields)}",
                found=_spelt(pattern.fields - {"rater"}) or "none of them",
            )
    return named


def assign(listing: Listing, named: Named) -> Layout:
    """The cases that the patterns find.

    A file that is a mask of an image is no image itself, so that ``{case}.png`` and ``{case}_{rater}.png`` go together.

    Raises:
        DataError: no case, a file that can be read in two ways, two images of a case or two masks of a rater in one,
            or a mask in a format that keeps no labels.
    """
    candidates = _candidates(listing, named)
    masks = dict(_masks(listing, named, candidates))
    images = _images(listing, candidates, masks)
    by_case: dict[Key, dict[str, str]] = {}
    for name, (key, rater) in masks.items():
        _put_mask(listing, by_case.setdefault(key, {}), rater, name)
    cases = [_case(key, image, by_case[key]) for key, image in images.items() if key in by_case]
    if not cases:
        raise _nothing(listing, named)
    cases.sort(key=lambda case: natural(case.id))
    used = {name for case in cases for name in (case.image, *case.masks.values())}
    unmarked = tuple(image for key, image in images.items() if key not in by_case)
    unread = tuple(name for name in listing.images if name not in used and name not in unmarked)
    return Layout(
        listing,
        tuple(cases),
        " and ".join(pattern.text for pattern in named.images),
        " and ".join(pattern.text for pattern in named.masks),
        named.options(),
        OWN_SUBJECT if all(case.subject == case.id for case in cases) else FOLDER_SUBJECT,
        Unused(unmarked, unread, listing.others),
    )


def _candidates(listing: Listing, named: Named) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = {}
    for name in listing.images:
        for key in dict.fromkeys(_keys(named.images, name)):
            found.setdefault(key, []).append(name)
    return found


def _keys(patterns: Sequence[NamePattern], name: str) -> Iterator[Key]:
    return (_key(values) for pattern in patterns for values in pattern.readings(name))


def _key(values: Mapping[str, str]) -> Key:
    return values.get("subject", ""), values.get("case", ""), values.get("slice", "")


def _masks(
    listing: Listing, named: Named, candidates: Mapping[Key, Sequence[str]]
) -> Iterator[tuple[str, tuple[Key, str]]]:
    for name in listing.images:
        found = {
            (key, values.get("rater", ONLY_RATER)): pattern.text
            for pattern in named.masks
            for values in pattern.readings(name)
            if (key := _key(values)) in candidates and candidates[key] != [name]
        }
        if len(found) > 1:
            said = [f"case {_name(key)!r} with rater {rater!r}" for key, rater in found]
            raise _ambiguous(listing, [name], f"it can be {' or '.join(said)}")
        if found:
            yield name, next(iter(found))


def _images(
    listing: Listing, candidates: Mapping[Key, Sequence[str]], masks: Mapping[str, tuple[Key, str]]
) -> dict[Key, str]:
    images: dict[Key, str] = {}
    for key, names in candidates.items():
        left = [name for name in names if name not in masks]
        if len(left) > 1:
            raise _ambiguous(listing, left, f"case {_name(key)!r} has {len(left)} images")
        if left:
            images[key] = left[0]
    for name, (key, rater) in masks.items():
        if key not in images:
            between = candidates[key][0]
            raise _ambiguous(listing, [name, between], f"{between} is a mask, and has a mask of {rater!r} itself")
    of_image: dict[str, Key] = {}
    for key, name in images.items():
        if of_image.setdefault(name, key) != key:
            raise _ambiguous(listing, [name], f"it can be case {_name(of_image[name])!r} or {_name(key)!r}")
    _check_ids(listing, images)
    return images


def _check_ids(listing: Listing, images: Mapping[Key, str]) -> None:
    seen: dict[str, str] = {}
    for key, name in images.items():
        if seen.setdefault(_name(key), name) != name:
            raise _ambiguous(listing, [seen[_name(key)], name], f"both are case {_name(key)!r}")


def _put_mask(listing: Listing, masks: dict[str, str], rater: str, name: str) -> None:
    if masks.setdefault(rater, name) != name:
        raise _ambiguous(listing, [masks[rater], name], f"both are the mask of rater {rater!r}")
    check_lossless(listing, name)


def check_lossless(listing: Listing, name: str) -> None:
    """Refuses a mask whose format keeps no labels."""
    if split_ending(name)[1] in LOSSY:
        raise DataError(
            f"{listing.folder / name} is a mask in JPEG, which keeps no labels",
            expected="masks as PNG, TIFF, NIfTI, npy or npz",
            hint="export the masks again in one of these: JPEG blurs their borders",
        )


def _case(key: Key, image: str, masks: Mapping[str, str]) -> CaseFiles:
    subject, _, number = key
    patient = "/".join(part for part in subject.split("/") if part.lower() not in PARTS_OF_COLLECTIONS)
    return CaseFiles(_name(key), patient or _name(key), image, masks, int(number) if number else None)


def _name(key: Key) -> str:
    return "/".join(dict.fromkeys(part for part in key if part))


def _nothing(listing: Listing, named: Named) -> DataError:
    fitting = [
        sum(any(True for pattern in patterns for _ in pattern.readings(name)) for name in listing.images)
        for patterns in (named.images, named.masks)
    ]
    return DataError(
        f"no image in {listing.folder} has a mask",
        expected=" ".join(named.options()),
        found=f"{fitting[0]} files that fit --image and {fitting[1]} that fit --mask, of {examples(listing.images)}",
        hint=f"patterns are of paths from {listing.folder} on; {how_to_say(listing)}",
    )


def _ambiguous(listing: Listing, names: Sequence[str], why: str) -> DataError:
    return DataError(
        f"cannot tell what {' and '.join(names[:3])} in {listing.folder} {'is' if len(names) == 1 else 'are'}: {why}",
        expected="one image per case, and one mask per case and rater",
        found=examples(listing.images),
        hint=how_to_say(listing),
    )


def how_to_say(listing: Listing) -> str:
    """The command with patterns that a user makes fit, and a table where one lies in the folder."""
    table = next((str(listing.folder / name) for name in listing.others if name.lower().endswith(".csv")), "FILE")
    ending = next((split_ending(name)[1] for name in listing.images), ".png")
    return (
        f"say how files are named: mrbench data import {shlex.quote(str(listing.folder))} "
        f"--image 'images/{{case}}{ending}' --mask 'masks/{{rater}}/{{case}}{ending}', or name them with "
        f"--csv {shlex.quote(table)}"
    )


def examples(names: Sequence[str]) -> str:
    """Three of the names, evenly chosen, and how many there are."""
    if not names:
        return "no file that can be read as an image"
    chosen = dict.fromkeys(names[place * (len(names) - 1) // 2] for place in range(3))
    return f"{', '.join(chosen)}" + (f" ({len(names)} files)" if len(names) > len(chosen) else "")


def _spelt(fields: frozenset[str]) -> str:
    return ", ".join(f"{{{field}}}" for field in sorted(fields))
