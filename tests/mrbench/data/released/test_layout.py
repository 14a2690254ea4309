from pathlib import Path

import pytest

from mrbench.data.released.layout import Layout, RaterFiles
from mrbench.errors import DataError

LAYOUT = Layout(
    fields={"part": "a|b", "case": r"\d+"},
    key=("part", "case"),
    images=("{part}/{case}.png", "{part}/{case}-t2.png"),
    raters=(
        RaterFiles("one", "{part}/one/{case}.png"),
        RaterFiles("two", "{part}/two/{case}.png", complete=("b",)),
        RaterFiles("three", "{part}/three/{case}.png", complete=()),
    ),
    counts={"b": 1, "a": 2},
    id="{part}-{case}",
    subject=lambda fields: fields["case"],
    holds="a and b",
)

FILES = ["a/2.png", "a/2-t2.png", "a/10.png", "a/10-t2.png", "a/one/2.png", "a/one/10.png",
         "b/1.png", "b/1-t2.png", "b/one/1.png", "b/two/1.png"]  # fmt: skip


def write(source: Path, files=FILES) -> Path:
    for name in files:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    return source


def listed(source: Path, partial=False):
    return LAYOUT.list_cases(source, partial=partial, hint="next")


def test_cases_come_part_by_part_in_the_order_of_their_numbers(tmp_path):
    found = listed(write(tmp_path))
    assert [case.id for case in found.cases] == ["b-1", "a-2", "a-10"]
    assert [case.subject for case in found.cases] == ["1", "2", "10"]
    assert found.cases[0].images == (tmp_path / "b/1.png", tmp_path / "b/1-t2.png")
    assert found.cases[0].masks == (tmp_path / "b/one/1.png", tmp_path / "b/two/1.png", None)
    assert found.cases[1].masks == (tmp_path / "a/one/2.png", None, None)
    assert found.told == ()


def test_another_case_of_letters_is_the_same_part(tmp_path):
    found = listed(write(tmp_path, [name.replace("b/", "B/") for name in FILES]))
    assert [case.id for case in found.cases] == ["b-1", "a-2", "a-10"]


@pytest.mark.parametrize(
    ("lacks", "message", "expected"),
    [
        ("a/one/2.png", "a/2.png lacks the mask of one", "a/one/2.png"),
        ("b/two/1.png", "b/1.png lacks the mask of two", "b/two/1.png"),
        ("b/1.png", "not complete: part 'b'", "1 images"),
        ("a/10-t2.png", "a/10.png lacks another channel", "a/10-t2.png"),
    ],
)
def test_what_is_promised_and_not_there_is_refused(tmp_path, lacks, message, expected):
    with pytest.raises(DataError, match=message) as caught:
        listed(write(tmp_path, [name for name in FILES if name != lacks]))
    assert caught.value.expected == expected


def test_what_has_no_mask_and_what_has_no_image_is_left_out_and_told(tmp_path):
    found = listed(write(tmp_path, [*FILES, "a/3.png", "a/3-t2.png", "a/one/4.png"]), partial=True)
    assert [case.id for case in found.cases] == ["b-1", "a-2", "a-10"]
    assert found.told == (
        "left out: 1 images that nobody has a mask of",
        "left out: 1 masks without an image, a/one/4.png first",
    )


def test_no_mask_at_all(tmp_path):
    with pytest.raises(DataError, match="has no mask of any of its 1 images"):
        listed(write(tmp_path, ["a/2.png", "a/2-t2.png"]), partial=True)


def test_two_spellings_of_one_file(tmp_path):
    with pytest.raises(DataError, match="two files in one place") as caught:
        listed(write(tmp_path, [*FILES, "A/2.png"]))
    assert caught.value.found == "A/2.png and a/2.png"


@pytest.mark.parametrize("given", ["a", "b"])
def test_a_folder_of_the_release_is_given_in_place_of_it(tmp_path, given):
    write(tmp_path / "release")
    with pytest.raises(DataError, match="is only a part of the release") as caught:
        listed(tmp_path / "release" / given)
    assert caught.value.hint == f"--source {tmp_path / 'release'}"


def test_a_folder_is_no_file_whatever_its_name(tmp_path):
    (write(tmp_path) / "a/three/2.png").mkdir(parents=True)
    assert listed(tmp_path).cases[1].masks[2] is None
