"""Names of files that nobody's name can steer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrbench.errors import DataError
from mrbench.leaderboard.site.addresses import record_page, rows_file, slug


def test_a_plain_name_is_its_own():
    assert slug("prob-unet") == "prob-unet"
    assert rows_file("lidc", "strict-0a-1b") == "rows/lidc--strict-0a-1b.js"


@given(st.text())
def test_any_name_is_a_plain_file_name(name: str):
    assert set(slug(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert 0 < len(slug(name)) <= 58


@given(st.text(), st.text())
def test_different_names_have_different_files(one: str, other: str):
    assert (slug(one) == slug(other)) == (one == other)


def test_no_name_takes_the_place_of_another():
    assert slug(slug("../../etc")) != slug("../../etc")
    assert slug("a.b") != slug("a-b") == "a-b"
    assert slug("A") != slug("a")


@pytest.mark.parametrize("id", ["", "../x", "0" * 15, "0" * 17, "g" * 16, "0" * 16 + "\n"])
def test_an_id_that_is_none_has_no_page(id: str):
    with pytest.raises(DataError, match="16 hex digits"):
        record_page(id)
