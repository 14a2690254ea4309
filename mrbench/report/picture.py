"""A figure as pages take it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A figure with its title; ``svg`` is an element of a page, with all texts escaped."""

    title: str
    svg: str
    note: str = ""
