"""Text from strangers on a terminal: what would steer the terminal, or turn the direction of writing, is spelt out."""

import re

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and newline, marks of direction, line separators, and halves of surrogate pairs."""


def visible(text: str) -> str:
    r"""The text with each hidden character as its escape, ``\x1b`` for one."""
    return HIDDEN.sub(lambda match: repr(match[0])[1:-1], text)
