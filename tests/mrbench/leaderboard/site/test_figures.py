"""Figures: where marks stand, and what strange numbers and names do."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrbench.leaderboard.board import Board
from mrbench.leaderboard.entry import FileFacts
from mrbench.leaderboard.site.curves import curve_pictures
from mrbench.leaderboard.site.figures import curve_picture, parts_picture
from mrbench.leaderboard.site.plot import powers, ticks
from mrbench.leaderboard.store import Stored
from mrbench.results.curves import Curve


def boxes(svg: str) -> list[tuple[str, float, float]]:
    found = ElementTree.fromstring(svg).iter("rect")
    return [(one.get("class"), float(one.get("x")), float(one.get("width"))) for one in found]


def test_a_bar_is_made_of_raters_samples_and_ged(make_board: Callable[..., Board]):
    # Raters 1, samples 0.9, ged_unbiased 0.1: widths in these proportions, each where the last one ends.
    picture = parts_picture(make_board(2).datasets[0].tables[0], {})
    raters, samples, rest = boxes(picture.svg)[:3]
    assert [kind.split()[-1] for kind, _, _ in (raters, samples, rest)] == ["raters", "pale", "full"]
    assert samples[2] / raters[2] == pytest.approx(0.9, abs=0.01)
    assert rest[2] / raters[2] == pytest.approx(0.1, abs=0.01)
    assert samples[1] == pytest.approx(raters[1] + raters[2], abs=0.2)
    assert rest[1] == pytest.approx(samples[1] + samples[2], abs=0.2)


def test_a_distance_below_0_lies_on_the_part_of_the_samples(make_board: Callable[..., Board]):
    table = make_board(2).datasets[0].tables[0]
    values = {**table.rows[0].values, "ged_unbiased": replace(table.rows[0].values["ged_unbiased"], mean=-0.1)}
    picture = parts_picture(replace(table, rows=[replace(table.rows[0], values=values)]), {})
    _, samples, rest = boxes(picture.svg)
    assert rest[2] / samples[2] == pytest.approx(0.1 / 0.9, abs=0.01)
    assert rest[1] + rest[2] == pytest.approx(samples[1] + samples[2], abs=0.2)


def test_bars_of_one_method_are_told_apart(make_board: Callable[..., Board]):
    table = make_board(2).datasets[0].tables[0]
    rows = [replace(row, label=f"{row.method}, entry {n}") for n, row in enumerate(table.rows)]
    picture = parts_picture(replace(table, rows=rows), {})
    texts = [one.text for one in ElementTree.fromstring(picture.svg).iter("text")]
    assert {"method-0, entry 0", "method-1, entry 1"} < set(texts)
    assert "method-0, entry 0 ged_unbiased 0.100" in picture.svg


def test_no_parts_no_picture(make_board: Callable[..., Board]):
    table = make_board(2).datasets[0].tables[0]
    assert parts_picture(replace(table, rows=table.rows[-1:]), {}) is None


@pytest.mark.parametrize(
    "curve",
    [
        Curve((1,), (0.5,), ()),
        Curve((1, 2), (0.0, 0.0), (0.0, 0.0)),
        Curve((1, 2), (5e-324, 1e15), (1e15, -1e15)),
        Curve((-4, -3), (1.0, 2.0), (2.0, 1.0)),
        Curve(tuple(range(1, 10_001)), (1.0,) * 10_000, ()),
    ],
)
def test_any_curve_is_drawn_within_its_frame(curve: Curve):
    svg = curve_picture("m", "main", {"a": curve}, 0).svg
    assert "nan" not in svg
    assert "inf" not in svg
    assert len(svg) < 20_000


def test_curves_come_from_the_entry_and_bad_ones_are_left_out(stored: Callable[..., Stored]):
    one = stored(1)
    (picture,) = curve_pictures(one, 0)
    assert "over" not in picture.title
    assert "Losses of m main, 2 trainings" in picture.svg
    assert curve_pictures(replace(one, folder=one.folder / "elsewhere"), 0) == []


def test_every_term_of_a_loss_is_drawn_after_its_total(stored: Callable[..., Stored], tmp_path: Path):
    one = stored(1)
    text = "stage,epoch,train/total,train/dice,train/kl\n" + "".join(f"main,{n},3,2,1\n" for n in range(4))
    (tmp_path / "curves.fold0-seed0.csv").write_text(text)
    facts = FileFacts(len(text), hashlib.sha256(text.encode()).hexdigest())
    entry = replace(one.entry, files={"curves.fold0-seed0.csv": facts})
    found = curve_pictures(Stored(one.id, tmp_path, entry), 0)
    assert [picture.title for picture in found] == ["main", "main, dice", "main, kl"]


@given(st.floats(-1e15, 1e15), st.floats(1e-9, 1e15))
def test_ticks_lie_between(low: float, width: float):
    found = ticks(low, low + width)
    assert len(found) <= 12


@given(st.floats(1e-300, 1e14), st.floats(10, 1e6))
def test_powers_are_few_and_lie_between(low: float, factor: float):
    found = powers(low, low * factor)
    assert 1 <= len(found) <= 6
    assert all(low <= value <= low * factor for value in found)
