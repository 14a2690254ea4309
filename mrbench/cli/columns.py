"""Tables in a terminal: as many columns side by side as fit, so that a narrow one cuts nothing off."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP = 2
"""Blanks between columns."""


@dataclass(frozen=True)
class Column:
    """A column of a table, one cell per row."""

    header: str
    cells: Sequence[Text]

    @property
    def width(self) -> int:
        """Characters that it takes, with the gap beside it."""
        return max(len(self.header), *(len(cell) for cell in self.cells)) + GAP


def grids(
    names: Column, columns: Sequence[Column], width: int, *, key: Column | None = None, gaps: Collection[int] = ()
) -> Iterator[Table]:
    """Columns beside the names of the rows, in as many tables as the width asks for.

    Args:
        names: at the left of each table; a long name is broken where it would push a number below.
        columns: at least one.
        width: of the terminal in characters.
        key: stands beside the names in each table.
        gaps: a blank row stands above these, where they are not the first.
    """
    keys = [] if key is None else [key]
    room = width - sum(column.width for column in keys)
    left = room - sum(column.width for column in columns)
    own = min(names.width - GAP, max(12, width // 3, left))
    for block in _blocks(columns, room - own - GAP):
        grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
        grid.add_column(names.header, width=own, overflow="fold")
        for column in (*keys, *block):
            grid.add_column(column.header, justify="right", no_wrap=True)
        for number, name in enumerate(names.cells):
            if number and number in gaps:
                grid.add_row()
            grid.add_row(name, *(column.cells[number] for column in (*keys, *block)))
        yield grid


def _blocks(columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    block: list[Column] = []
    for column in columns:
        if block and sum(one.width for one in block) + column.width - GAP > width:
            yield block
            block = []
        block.append(column)
    yield block


def print_columns(console: Console, names: Column, columns: Sequence[Column]) -> None:
    """Prints columns beside the names of the rows, in as many tables as the width asks for."""
    for number, grid in enumerate(grids(names, columns, console.width)):
        if number:
            console.print()
        console.print(grid)


def print_notes(console: Console, notes: Iterable[str]) -> None:
    """Prints lines below a table."""
    for note in notes:
        console.print(note, style="dim", markup=False, highlight=False)
