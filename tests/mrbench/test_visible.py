"""Text from strangers: nothing of it steers a terminal."""

import pytest

from mrbench.errors import DataError
from mrbench.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ä and 脳\tand\nnew lines", "plain, ä and 脳\tand\nnew lines"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("over\rwritten\x08\x00", r"over\rwritten\x08\x00"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egnp.exe\u2066\u2028", r"\u202egnp.exe\u2066\u2028"),
        ("half \ud800 and \udcff", r"half \ud800 and \udcff"),
    ],
)
def test_hidden_characters_are_spelt_out(text: str, shown: str):
    assert visible(text) == shown
    assert visible(shown) == shown


def test_an_error_shows_them_and_indents_what_could_pass_for_another_message():
    error = DataError("a\x1b[2J.png is none", found="x\nmrbench: all is well", hint="\x07")
    assert error.message.splitlines() == [
        r"a\x1b[2J.png is none",
        "  found:    x",
        "    mrbench: all is well",
        r"  next:     \x07",
    ]
