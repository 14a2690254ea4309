from pathlib import Path

import pytest

from mrbench.errors import DataError
from mrbench.leaderboard.reported import COLUMNS, read_reported

ROOT = Path(__file__).parents[3]


def test_the_figures_carried_over_can_be_read_and_have_sources():
    lines = read_reported(ROOT / "leaderboard")
    assert len(lines) > 400
    assert all(line.source and line.table for line in lines)
    assert {line.dataset for line in lines} == {"lidc", "npc"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("P,T,d,m,ged,mean,4,published,s,nan,,,", "not finite"),
        ("P,T,d,m,ged,mean,4,published,s,1e999,,,", "not finite"),
        ("P,T,d,m,ged,mean,4,published,s,high,,,", "could not convert"),
        (",T,d,m,ged,mean,4,published,s,0.5,,,", "blank"),
        ("P,T,d,m,ged,first,4,published,s,0.5,,,", "invalid literal"),
        ("P,T,d,m,ged", "5 fields, not 13"),
    ],
)
def test_a_line_that_is_no_figure_is_named(tmp_path: Path, line: str, words: str):
    (tmp_path / "reported.csv").write_text(",".join(COLUMNS) + f"\n{line}\n")
    with pytest.raises(DataError, match="line 2") as error:
        read_reported(tmp_path)
    assert words in error.value.found


def test_other_columns_are_refused(tmp_path: Path):
    (tmp_path / "reported.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="other columns"):
        read_reported(tmp_path)
