"""Questions put to a board: every method beside the control, by the comparison that ``mrbench compare`` makes."""

from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_board import Made, entry_of, put, registry

from mrbench.comparison.differences import Verdict, compare
from mrbench.comparison.pairs import Pair
from mrbench.comparison.questions import QUESTIONS
from mrbench.leaderboard import asked
from mrbench.leaderboard.asked import Asked
from mrbench.leaderboard.assemble import assemble
from mrbench.leaderboard.board import Board
from mrbench.leaderboard.site.pages import Site, question_view
from mrbench.metrics.protocol import STRICT
from mrbench.results.reader import ScoreReader

SOFT, HEADS = (Made(method=name, level=0.5, seeds=2) for name in ("soft", "heads"))
GOOD, BAD = (Made(method=name, level=level, seeds=2) for name, level in (("good", 0.2), ("bad", 0.8)))


@pytest.fixture(autouse=True)
def made_up_controls(monkeypatch: pytest.MonkeyPatch):
    """Of methods that are installed an entry must say what they are; these are not."""
    asking = [replace(one, control=one.control.removeprefix("unet-")) for one in QUESTIONS]
    monkeypatch.setattr("mrbench.comparison.questions.QUESTIONS", asking)


def board_of(folder: Path, *made: Made) -> Board:
    for one in made:
        put(folder, *entry_of(one))
    return assemble(folder, registry())


def question(board: Board, name: str) -> Asked:
    return next(one for one in board.asked if one.question.name == name)


def method_of(board: Board, id: str) -> str:
    return board.stored[id].entry.method


def test_every_method_stands_beside_the_control_of_the_question(tmp_path: Path):
    board = board_of(tmp_path, SOFT, HEADS, GOOD, BAD, Made(method="people", people=True, level=0.0))
    found = question(board, "diversity")
    assert method_of(board, found.control) == "soft"
    answers = {method_of(board, one.entry): one for one in found.answers}
    assert set(answers) == {"heads", "good", "bad"}, "people are never ranked"
    assert (answers["good"].verdict, answers["good"].better) == (Verdict.DIFFERS, True)
    assert (answers["bad"].verdict, answers["bad"].better) == (Verdict.DIFFERS, False)
    assert answers["heads"].verdict is Verdict.UNDECIDED
    assert answers["good"].low < answers["good"].difference < answers["good"].high < 0


def test_an_answer_is_what_compare_gives(tmp_path: Path):
    board = board_of(tmp_path, SOFT, GOOD)
    found = question(board, "calibration")
    runs = {row.method: row.run for row in board.datasets[0].tables[0].rows}
    reader = ScoreReader(registry(), STRICT, ("brier",))
    (expected,) = compare(Pair(runs["soft"], runs["good"]), reader).differences
    (answer,) = found.answers
    assert (answer.difference, answer.p) == (expected.estimate.value, expected.estimate.p)
    assert found.margin == expected.margin == pytest.approx(0.05 * expected.a)


def test_one_seed_has_no_verdict_and_says_why(tmp_path: Path):
    board = board_of(tmp_path, SOFT, Made(method="once", level=0.2))
    (answer,) = question(board, "diversity").answers
    assert (answer.p, answer.verdict, answer.low) == (None, None, None)
    assert answer.reason.startswith("one seed (trainings of B)")


def test_other_samples_have_no_verdict_and_say_why(tmp_path: Path):
    board = board_of(tmp_path, SOFT, Made(method="few", level=0.2, seeds=2, samples=4))
    (answer,) = question(board, "diversity").answers
    assert (answer.verdict, answer.reason) == (None, "S differs: 50 and 4; --samples 4")


def test_without_the_control_there_is_no_answer_and_the_reason(tmp_path: Path):
    found = question(board_of(tmp_path, GOOD, BAD), "personalisation")
    assert (found.answers, found.reason) == ((), "no complete record of heads with dice_rater")


def test_what_was_answered_is_read_from_the_cache_and_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    board_of(tmp_path, SOFT, GOOD)
    first = assemble(tmp_path, registry(), tmp_path / "cache.json")
    monkeypatch.setattr(asked, "answered", None)
    again = assemble(tmp_path, registry(), tmp_path / "cache.json")
    assert first.asked == again.asked
    assert first.asked[0].answers


def test_data_sets_are_counted_by_what_is_proven_of_them(tmp_path: Path):
    places = ("phantom", "lidc", "npc")
    made = [replace(one, dataset=place) for place in places for one in (SOFT, GOOD, BAD)]
    board = board_of(tmp_path, *made, replace(SOFT, dataset="once"), Made(method="good", dataset="once", level=0.2))
    view = question_view(next(one.question for one in board.asked if one.question.name == "diversity"), Site(board))
    tallies = {row["label"]: row["tally"] for row in view["rows"]}
    assert tallies == {"good": "better on 3 of 3 tested", "bad": "worse on 3 of 3 tested"}
    assert "partial conjunction" in view["how"]
