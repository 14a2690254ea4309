"""Which layouts are understood without help, and what is said where none or several are."""

from pathlib import Path

import pytest

from mrbench.data.importing.assign import assign, read_named
from mrbench.data.importing.guess import MAX_PLACES, _split, guess_patterns
from mrbench.data.importing.listing import Listing, natural
from mrbench.errors import DataError, UsageError

CASES = ("c1", "c2", "c10", "x_3")
RATERS = ("ann", "bo", "cy")
SUBJECTS = ("P1", "P2")


def listing(names):
    return Listing(Path("F"), tuple(sorted(names, key=natural)), ())


def files(*templates):
    """Every file that the templates name, with the words of ``CASES``, ``RATERS`` and ``SUBJECTS``."""
    spelt = [t.format(case=c, rater=r, subject=s) for t in templates for c in CASES for r in RATERS for s in SUBJECTS]
    return listing(dict.fromkeys(spelt))


LAYOUTS = [
    ("images/{case}.png", "masks/{rater}/{case}.png"),
    ("images/{case}.png", "masks/{case}/{rater}.png"),
    ("images/{case}.png", "masks/{case}_{rater}.png"),
    ("images/{case}.png", "{rater}/{case}.png"),
    ("images/{case}.png", "masks_{rater}/{case}.png"),
    ("images/{case}.png", "{rater}/{case}_seg.png"),
    ("{case}.png", "{rater}/{case}.png"),
    ("{case}.png", "{case}_{rater}.png"),
    ("{case}.png", "{rater}-{case}.png"),
    ("{case}_image.png", "{case}_mask_{rater}.png"),
    ("images/{case}_img.png", "masks/{case}_{rater}_mask.png"),
    ("{case}/image.png", "{case}/{rater}.png"),
    ("{case}/image.png", "{case}/masks/{rater}.png"),
    ("{case}/{case}.png", "{case}/{rater}.png"),
    ("{case}/{case}.png", "{case}/{case}_{rater}.png"),
    ("data/{case}/ct.nii.gz", "data/{case}/seg_{rater}.nii.gz"),
    ("{subject}/{case}.png", "{subject}/{case}-{rater}.png"),
    ("{subject}/images/{case}.png", "{subject}/masks/{rater}/{case}.png"),
    ("images/{subject}/{case}.png", "masks/{rater}/{subject}/{case}.png"),
    ("images/{subject}/{case}.png", "masks/{subject}/{rater}/{case}.png"),
    ("{subject}/{case}/image.png", "{subject}/{case}/mask_{rater}.png"),
]


@pytest.mark.parametrize("templates", LAYOUTS, ids=" ".join)
def test_a_layout_is_understood_without_help(templates):
    found = files(*templates)
    named = guess_patterns(found)
    assert (named.images[0].text, named.masks[0].text) == templates
    assert len(named.images) == len(named.masks) == 1
    subjects = SUBJECTS if "{subject}" in templates[0] else ("",)
    layout = assign(found, named)
    assert {case.id for case in layout.cases} == {f"{s}/{c}".strip("/") for s in subjects for c in CASES}
    for case in layout.cases:
        subject, _, name = case.id.rpartition("/")
        assert case.subject == (subject or name)
        assert case.image == templates[0].format(case=name, subject=subject)
        assert case.masks == {r: templates[1].format(case=name, subject=subject, rater=r) for r in RATERS}
    assert layout.unused.unread == layout.unused.unmarked == ()


@pytest.mark.parametrize(
    ("suffixes", "raters"),
    [(("rater1", "rater2"), {"rater1", "rater2"}), (("seg01", "seg02"), {"seg01", "seg02"}), (("1", "2"), {"1", "2"})],
)
def test_numbered_raters_keep_their_names(suffixes, raters):
    found = listing([f"c{k}.png" for k in range(3)] + [f"c{k}_{s}.png" for k in range(3) for s in suffixes])
    assert {name for case in assign(found, guess_patterns(found)).cases for name in case.masks} == raters


def test_images_whose_names_hold_a_word_for_images_keep_their_names():
    found = listing([f"{d}/image_{k}.png" for k in range(3) for d in ("images", "masks/ann", "masks/bo")])
    assert [case.id for case in assign(found, guess_patterns(found)).cases] == ["image_0", "image_1", "image_2"]


def test_numbers_as_raters_are_told_from_numbers_as_cases_by_their_count():
    found = listing([f"images/{k}.png" for k in range(9)] + [f"masks/{r}/{k}.png" for r in (1, 2) for k in range(9)])
    assert guess_patterns(found).masks[0].text == "masks/{rater}/{case}.png"


def test_as_many_numbered_raters_as_cases_are_ambiguous():
    found = listing([f"images/{k}.png" for k in range(3)] + [f"masks/{r}/{k}.png" for r in range(3) for k in range(3)])
    with pytest.raises(DataError, match="the masks can be read in two ways") as caught:
        guess_patterns(found)
    assert "masks/{rater}/{case}" in caught.value.expected
    assert "masks/{case}/{rater}" in caught.value.expected
    assert "--mask" in caught.value.hint


def test_raters_may_be_named_in_two_ways():
    found = listing(
        [f"images/{c}.png" for c in CASES]
        + [f"masks/ann/{c}.png" for c in CASES]
        + [f"masks/{c}_bo.png" for c in CASES]
    )
    layout = assign(found, guess_patterns(found))
    assert all(set(case.masks) == {"ann", "bo"} for case in layout.cases)


def test_masks_of_one_nameless_rater():
    found = files("images/{case}.png", "masks/{case}.png")
    assert all(set(case.masks) == {"rater"} for case in assign(found, guess_patterns(found)).cases)


def test_endings_may_differ():
    found = listing([f"{c}.jpg" for c in CASES] + [f"{c}_{r}.PNG" for c in CASES for r in RATERS])
    assert len(assign(found, guess_patterns(found)).cases) == len(CASES)


@pytest.mark.parametrize("template", ["{part}/{what}/{subject}/c.png", "{part}/{subject}/{what}/c.png"])
def test_parts_of_a_collection_are_no_subjects(template):
    subjects = {"train": ("P1", "P2"), "test": ("P3",)}
    found = listing(
        template.format(part=part, subject=subject, what=what)
        for part in subjects
        for subject in subjects[part]
        for what in ("images", "masks/ann")
    )
    layout = assign(found, guess_patterns(found))
    assert {(case.subject, *case.masks) for case in layout.cases} == {(f"P{k}", "ann") for k in (1, 2, 3)}


def test_a_layout_that_nobody_can_see_is_an_error_with_three_examples_and_the_next_command():
    with pytest.raises(DataError, match="cannot see how the files in F are named") as caught:
        guess_patterns(listing([f"{d}/{c}.png" for d in "xy" for c in CASES]))
    assert caught.value.found == "x/c1.png, x/x_3.png, y/x_3.png (8 files)"
    assert "mrbench data import F --image 'images/{case}.png' --mask 'masks/{rater}/{case}.png'" in caught.value.hint
    with pytest.raises(DataError) as caught:
        guess_patterns(listing([]))
    assert caught.value.found == "no file that can be read as an image"


# --- patterns as given


def assigned(names, image="{case}.png", mask="{case}_{rater}.png"):
    return assign(listing(names), read_named([image], [mask]))


def test_cases_and_raters_may_hold_what_stands_between_them():
    layout = assigned(["a_b.png", "a_b_c_d.png"])
    assert [(case.id, dict(case.masks)) for case in layout.cases] == [("a_b", {"c_d": "a_b_c_d.png"})]


def test_slices_and_subjects_are_read_from_patterns():
    layout = assigned(
        ["P1_s2.png", "ann/P1/2.png"], image="{subject}_s{slice}.png", mask="{rater}/{subject}/{slice}.png"
    )
    assert [(case.id, case.subject, case.slice) for case in layout.cases] == [("P1/2", "P1", 2)]


def test_names_of_many_parts_are_cut_near_their_ends():
    cases = ["a_" * 100 + str(number) for number in range(4)]
    found = listing([f"images/{c}.png" for c in cases] + [f"masks/{c}_{r}.png" for c in cases for r in RATERS])
    named = guess_patterns(found)
    assert [pattern.text for pattern in named.images] == ["images/{case}.png"]
    assert [pattern.text for pattern in named.masks] == ["masks/{case}_{rater}.png"]
    assert len(list(_split(cases[0]))) == 2 * 2 * MAX_PLACES


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (["a.png", "a_b.png", "a_b_c.png"], "it can be case"),
        (["a.png", "a_b.png", "a_b.PNG"], "has 2 images|both are the mask of rater 'b'"),
        (["a.png", "a.PNG", "a_b.png"], "case 'a' has 2 images"),
    ],
)
def test_a_file_that_can_be_two_things_is_an_error(names, word):
    with pytest.raises(DataError, match=word) as caught:
        assigned(names, "{case}", "{case}_{rater}")
    assert "--csv FILE" in caught.value.hint


def test_files_that_stay_over_are_told():
    layout = assigned(["a.png", "a_b.png", "lonely.png", "x/y.png"])
    assert layout.unused.unmarked == ("lonely.png",)
    assert layout.unused.unread == ("x/y.png",)


def test_a_mask_in_jpeg_is_refused():
    with pytest.raises(DataError, match=r"a_b\.jpg is a mask in JPEG, which keeps no labels"):
        assigned(["a.png", "a_b.jpg"], "{case}.png", "{case}_{rater}.jpg")


def test_no_mask_at_all_is_an_error():
    with pytest.raises(DataError, match="no image in F has a mask") as caught:
        assigned(["a.png", "b.png"])
    assert caught.value.found == "2 files that fit --image and 0 that fit --mask, of a.png, b.png"


def test_a_table_in_the_folder_is_named_in_the_next_command():
    found = Listing(Path("my data"), ("x/a.png", "y/a.png"), ("readme.txt", "files.csv"))
    with pytest.raises(DataError) as caught:
        guess_patterns(found)
    assert "mrbench data import 'my data' --image" in caught.value.hint
    assert caught.value.hint.endswith("--csv 'my data/files.csv'")


@pytest.mark.parametrize(
    ("image", "mask", "word"),
    [
        ("{case}-{rater}.png", "{case}.png", "names a rater"),
        ("{case}.png", "{rater}.png", "does not say which image"),
        ("{patient}.png", "{case}.png", "cannot use the pattern"),
        ("x.png", "{case}.png", "cannot use the pattern"),
        ("{case}{slice}.png", "{case}.png", "cannot use the pattern"),
        ("../{case}.png", "{case}.png", "cannot use the pattern"),
        ("/a/{case}.png", "{case}.png", "cannot use the pattern"),
    ],
)
def test_patterns_that_cannot_be_used(image, mask, word):
    with pytest.raises(UsageError, match=word):
        read_named([image], [mask])
