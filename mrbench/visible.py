"""Text from strangers on a terminal: what would steer the terminal, or turn the direction of writing, is spelt out."""

import re

UNSEEN = (
    "\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff"
)
"""Characters above ASCII that take no place, turn the direction of writing or end a line, as part of a class."""

HIDDEN = re.compile(f"[\x00-\x08\x0b-\x1f{UNSEEN}\ud800-\udfff]")
"""Control characters but tab and newline, what takes no place or turns the direction, and halves of surrogate pairs."""


def visible(text: str) -> str:
    r"""The text with each hidden character as its escape, ``\x1b`` for one."""
    return HIDDEN.sub(lambda match: repr(match[0])[1:-1], text)
