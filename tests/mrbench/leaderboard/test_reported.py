from pathlib import Path

import pytest

from mrbench.errors import DataError
from mrbench.leaderboard.reported import COLUMNS, read_reported, reported_rows

ROOT = Path(__file__).parents[3]


def test_the_figures_carried_over_can_be_read_and_have_sources():
    lines = read_reported(ROOT / "leaderboard")
    assert len(lines) > 400
    assert all(line.source and line.table for line in lines)
    assert {line.dataset for line in lines} == {"lidc-1609", "npc"}


def test_every_figure_of_slice_folds_says_how_much_leaks():
    lines = [line for line in read_reported(ROOT / "leaderboard") if line.split.startswith("published-slice")]
    assert len(lines) == 98
    assert all("have their study in training" in line.note for line in lines)


def test_raters_whom_a_paper_ranks_by_area_have_dice_rank_and_persons_dice_rater():
    lines = [line for line in read_reported(ROOT / "leaderboard") if line.metric in ("dice_mean", "dice_a1")]
    columns = {"dice_rater": None, "dice_rank": None}
    names = {
        dataset: {name for row in reported_rows([line for line in lines if line.dataset == dataset], columns)
                  for name in row.values}
        for dataset in ("lidc-1609", "npc")
    }  # fmt: skip
    assert names == {"lidc-1609": {"dice_rank"}, "npc": {"dice_rater"}}


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
