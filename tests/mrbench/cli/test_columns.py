"""Tables in a terminal: nothing is cut off."""

import pytest
from rich.console import Console
from rich.text import Text

from mrbench.cli.columns import Column, grids


def lines(width: int, **more) -> list[str]:
    names = Column("method", [Text("proseg"), Text("a-method-with-a-long-name")])
    columns = [Column(f"metric {n}", [Text(f"{n}.5"), Text("")]) for n in range(4)]
    console = Console(width=width)
    with console.capture() as capture:
        for grid in grids(names, columns, width, **more):
            console.print(grid)
    return capture.get().splitlines()


def test_columns_stand_side_by_side_where_they_fit():
    assert [line.split() for line in lines(80)] == [
        ["method", *(word for n in range(4) for word in ("metric", str(n)))],
        ["proseg", "0.5", "1.5", "2.5", "3.5"],
        ["a-method-with-a-long-name"],
    ]


@pytest.mark.parametrize("width", [20, 33, 46, 50])
def test_what_does_not_fit_stands_below_and_no_number_is_cut(width: int):
    found = lines(width)
    assert max(map(len, found)) <= max(width, 22)
    words = " ".join(found).split()
    for n in range(4):
        assert f"{n}.5" in words
    assert found[0].startswith("method")
    assert sum(line.startswith("method") for line in found) > 1


def test_a_name_is_broken_only_where_it_would_push_a_number_below():
    assert [len(lines(width)) for width in (65, 64)] == [3, 4]
    assert [line.split() for line in lines(64)[2:]] == [["a-method-with-a-long-nam"], ["e"]]


def test_a_key_stands_in_each_table_and_a_gap_once():
    key = Column("S", [Text("50"), Text("1")])
    found = lines(46, key=key, gaps=(1,))
    heads = [line.split()[:2] for line in found if line.startswith("method")]
    assert heads == [["method", "S"]] * len(heads)
    assert sum(not line.strip() for line in found) == len(heads) > 1
