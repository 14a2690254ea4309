"""Cases written one by one, as readers of collections do."""

from dataclasses import replace

import numpy as np
import pytest

from mrbench.data import pixel_writer
from mrbench.data.case import Case
from mrbench.data.container import open_container, verify_container, write_cases, write_container
from mrbench.data.splits import split_by_subject
from mrbench.errors import DataError


def one_by_one(cases):
    for index in range(len(cases)):
        yield replace(cases[index], image=cases.pixels.image(index))


def split_in_two(columns):
    return {"strict": split_by_subject(columns.subjects, folds=2, seed=0)}


def test_the_digest_is_that_of_the_case_set(tmp_path, rich_cases):
    path = tmp_path / "cases.h5"
    digest = write_cases(path, rich_cases.description, one_by_one(rich_cases), splits=split_in_two)
    assert digest == rich_cases.compute_digest() == verify_container(path)
    assert digest == write_container(tmp_path / "again.h5", rich_cases)
    assert open_container(path).splits["strict"].digest(rich_cases.ids) == rich_cases.splits["strict"].digest(
        rich_cases.ids
    )
    assert open_container(path).metadata == rich_cases.metadata


def test_sources_are_asked_for_one_case_at_a_time(tmp_path, make_cases):
    cases, asked = make_cases(), []

    def source():
        for case in one_by_one(cases):
            asked.append(case.id)
            yield case

    write_cases(tmp_path / "cases.h5", cases.description, source())
    assert asked == list(cases.ids)


@pytest.mark.parametrize("odd", [1, 5])
def test_a_later_case_may_be_of_another_size(tmp_path, make_cases, monkeypatch, odd):
    monkeypatch.setattr(pixel_writer, "GROWTH", 2)
    cases = make_cases([(12, 10)] * odd + [(9, 14)] + [(12, 10)] * 2)
    digest = write_cases(tmp_path / "cases.h5", cases.description, one_by_one(cases))
    assert digest == cases.compute_digest() == verify_container(tmp_path / "cases.h5")
    assert not open_container(tmp_path / "cases.h5", "stream").pixels.stacked


def test_a_stack_that_grows_is_cut_to_its_cases(tmp_path, make_cases, monkeypatch):
    monkeypatch.setattr(pixel_writer, "GROWTH", 2)
    cases = make_cases([(12, 10)] * 7)
    write_cases(tmp_path / "cases.h5", cases.description, one_by_one(cases))
    assert open_container(tmp_path / "cases.h5", "stream").pixels.stacked
    assert verify_container(tmp_path / "cases.h5") == cases.compute_digest()


def box(name="a", **fields):
    masks = np.zeros((2, 8, 8), np.uint8)
    masks[:, 2:5, 2:5] = 1
    return Case(**{"id": name, "subject": "p", "image": np.ones((1, 8, 8)), "masks": masks, "present": [1, 1]} | fields)


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([], "is empty"),
        ([box(), box()], "two cases named 'a'"),
        ([box("a"), box("b", present=[True])], "case 'b' .* has a wrong shape of present"),
        ([box("a"), box("b", attributes={"margin": [1, 2]})], "case 'b' .* has other attributes than the first"),
        ([box("a", attributes={"margin": [1]})], "case 'a' .* has a wrong shape of attribute 'margin'"),
        ([box("a"), box("b", slice=3)], "case 'b' .* a slice number|case 'b' .* differs from the first case"),
        ([box("a"), box("b", present=[False, False])], "case 'b' .* has no rater"),
        ([box("a"), box("b", image=np.ones((8, 8)))], "case 'b' .* has a wrong image shape"),
        ([box("a"), box("b", image=np.ones((0, 8, 8)))], "case 'b' .* has a wrong image shape"),
        ([box("a"), box("b", masks=np.full((2, 8, 8), 2))], "case 'b' .* has a label outside its classes"),
        ([box("a"), box("")], "cannot name a case"),
        ([box("a", subject="\0")], "cannot name a case or subject"),
        ([box("a"), box("b", metadata={"x": object()})], "case 'b' has metadata that are not JSON"),
    ],
)
def test_cases_that_a_container_cannot_hold_are_named(tmp_path, make_cases, cases, message):
    description = make_cases(raters=2).description
    with pytest.raises(DataError, match=message):
        write_cases(tmp_path / "cases.h5", description, cases)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_leaves_nothing(tmp_path, make_cases):
    def source():
        yield box()
        raise DataError("case b is damaged")

    with pytest.raises(DataError, match="case b is damaged"):
        write_cases(tmp_path / "cases.h5", make_cases(raters=2).description, source())
    assert list(tmp_path.iterdir()) == []


def test_cases_without_images_are_refused(tmp_path, make_cases):
    description = replace(make_cases(raters=2).description, channels=())
    with pytest.raises(DataError, match=r"case 'a' .* has no image"):
        write_cases(tmp_path / "cases.h5", description, [box(image=np.ones((0, 8, 8)))])
    assert list(tmp_path.iterdir()) == []
