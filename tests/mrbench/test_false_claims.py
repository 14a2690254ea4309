"""Attempts to make a table or a leaderboard say something false: each is caught, or marked where it is shown."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from stored_runs import StoredCell, cases, store_run
from synthetic_board import Made, definitions, entry_of, put, registry

from mrbench.comparison.differences import compare
from mrbench.comparison.pairs import Pair
from mrbench.engine.cases import read_cases
from mrbench.engine.cell import FOLDS
from mrbench.engine.record import read_record, write_record
from mrbench.engine.run import Run
from mrbench.leaderboard.assemble import assemble
from mrbench.leaderboard.board import Board
from mrbench.leaderboard.reported import REPORTED
from mrbench.leaderboard.scores import scores_of
from mrbench.leaderboard.store import Why
from mrbench.leaderboard.tables import as_csv
from mrbench.metrics.protocol import STRICT
from mrbench.metrics.scores import Scores
from mrbench.results.method_run import MethodRun, runs_of
from mrbench.results.plausible import CONSTANT, IDENTICAL, OF_MASKS
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Row, RowKind
from mrbench.results.tabulate import tabulate

GED = ("ged",)


def rows_of(run: Run, *more: Run) -> dict[str, Row]:
    runs = [own for one in (run, *more) for own in runs_of(one)]
    (table,) = tabulate(runs, registry(), STRICT)
    return {row.label: row for row in table.rows}


def board_of(folder: Path, *made: Made) -> Board:
    for one in made:
        put(folder, *entry_of(one))
    return assemble(folder, registry())


def row_of(board: Board, method: str) -> Row:
    return next(row for row in board.datasets[0].tables[0].rows if row.method == method)


def noisy(level: float, seed: int) -> dict:
    values = np.random.default_rng(seed).normal(level, 0.02, size=(6, 1)).clip(0, 1)
    return cases("ged", *values.tolist())


def test_the_lucky_seed_of_five_is_named_has_no_interval_and_beats_nobody(tmp_path: Path):
    lucky = StoredCell("proseg", noisy(0.1, 1), seed=3)
    honest = [StoredCell("proseg-prior", noisy(0.3, 2 + seed), seed=seed) for seed in range(5)]
    run = store_run(tmp_path, "r", lucky, *honest)
    rows = rows_of(run)
    assert "not the first seeds: 3" in rows["proseg"].caveats
    assert not any("seeds" in caveat for caveat in rows["proseg-prior"].caveats)
    a, b = runs_of(run)
    (found,) = compare(Pair(b, a), ScoreReader(registry(), STRICT, GED)).differences
    assert found.verdict is None
    assert found.estimate.reason.startswith("one seed")
    assert found.estimate.interval() is None


def test_the_lucky_seed_on_a_board_answers_no_question_and_has_no_interval(tmp_path: Path):
    board = board_of(tmp_path, Made(method="lucky", level=0.1), Made(method="honest", level=0.3, seeds=5))
    assert row_of(board, "lucky").values["ged"].interval is None
    assert "one seed" in row_of(board, "lucky").values["ged"].no_interval
    assert row_of(board, "honest").values["ged"].interval is not None


def test_more_samples_are_no_better_method(tmp_path: Path):
    few = [StoredCell("proseg-prior", noisy(0.3, seed), seed=seed, spec={"samples": 4}) for seed in range(2)]
    many = [StoredCell("proseg", noisy(0.2, 9 + seed), seed=seed, spec={"samples": 50}) for seed in range(2)]
    run = store_run(tmp_path, "r", *few, *many)
    a, b = runs_of(run)
    (found,) = compare(Pair(a, b), ScoreReader(registry(), STRICT, GED)).differences
    assert found.flags == ("S differs: 4 and 50; --samples 4",)
    assert (found.verdict, found.better, found.estimate.p) == (None, None, None)
    assert not any(row.values["ged"].best for row in rows_of(run).values()), "nobody is ranked alone at an S"


def of_folds(run: Run, total: int) -> None:
    for spec, _ in run.cells:
        folder = spec.folder(run.results)
        record = read_record(folder)
        assert record is not None
        write_record(folder, {**record, FOLDS: total})


def test_two_of_four_folds_are_said_in_a_table(tmp_path: Path):
    run = store_run(tmp_path, "r", *(StoredCell("proseg", noisy(0.1, fold), fold=fold) for fold in (0, 1)))
    of_folds(run, 4)
    (row,) = rows_of(run).values()
    assert row.cells == (2, 2)
    assert "2 of the split's 4 folds: intervals are of their subjects alone" in row.caveats
    of_folds(run, 2)
    (row,) = rows_of(run).values()
    assert not any("folds" in caveat for caveat in row.caveats)


def test_two_of_four_folds_are_marked_on_a_board_and_are_never_the_best(tmp_path: Path):
    board = board_of(
        tmp_path,
        Made(method="whole", level=0.7, folds=4),
        Made(method="other", level=0.6, folds=4),
        Made(method="half", level=0.2, folds=2),
    )
    value = row_of(board, "half").values["ged"]
    assert (value.count, value.best, value.complete) == ("folds 2/4", False, False)
    assert row_of(board, "other").values["ged"].best


MASKS = np.zeros((2, 8, 8), np.float32)
MASKS[0, 1:5, 1:5] = MASKS[1, 3:7, 2:6] = 1
OTHER = np.zeros((2, 8, 8), np.float32)
OTHER[0, 1:4, 1:4] = OTHER[1, 2:7, 2:7] = 1


def external(folder: Path, name: str, samples, raters=lambda masks: {}) -> MethodRun:
    """Predictions made elsewhere: what ``samples`` and ``raters`` make of the raters' masks of each case."""
    drawn = {f"s{n}, 0": (own, samples(own), raters(own)) for n, own in enumerate((MASKS, OTHER))}
    given = ("diverse",) if samples(MASKS) else ("personal",)
    spec = {"kind": "external", "capabilities": given, "samples": max(len(samples(MASKS)), 1), "method": name}
    run = store_run(folder, name, StoredCell("proseg", drawn=drawn, spec=spec))
    (found,) = runs_of(run)
    return found


def doubts(found: MethodRun) -> set[str]:
    return {OF_MASKS, IDENTICAL, CONSTANT} & {*found.caveats}


@pytest.mark.parametrize(
    ("samples", "raters"),
    [
        (lambda masks: [masks[0], masks[1]], lambda masks: {}),
        (lambda masks: [masks[1], masks[0], masks[1]], lambda masks: {}),
        (lambda masks: [masks.max(0)], lambda masks: {}),
        (lambda masks: [masks.min(0)], lambda masks: {}),
        (lambda masks: [], lambda masks: {0: masks[0], 1: masks[1]}),
        (lambda masks: [], lambda masks: {0: masks.max(0), 1: masks.max(0)}),
    ],
    ids=[
        "the masks",
        "in another order",
        "their union",
        "their intersection",
        "each rater's own",
        "one fusion for all",
    ],
)
def test_the_raters_masks_or_a_fusion_of_them_as_predictions_are_told(tmp_path: Path, samples, raters):
    assert doubts(external(tmp_path, "mine", samples, raters)) == {OF_MASKS}


def test_one_sample_again_and_again_is_told(tmp_path: Path):
    moved = external(tmp_path, "mine", lambda masks: [np.roll(masks[0], 1, 1)] * 5)
    assert doubts(moved) == {IDENTICAL}


@pytest.mark.parametrize("constant", [np.zeros((8, 8), np.float32), np.ones((8, 8), np.float32), MASKS[0]])
def test_a_constant_is_told(tmp_path: Path, constant):
    assert doubts(external(tmp_path, "mine", lambda masks: [constant, constant])) == {CONSTANT}


def test_predictions_that_are_neither_are_not_accused(tmp_path: Path):
    honest = external(tmp_path, "mine", lambda masks: [np.roll(masks[0], 1, 1), np.roll(masks[1], 1, 0)])
    assert doubts(honest) == set()


def test_external_predictions_are_a_class_of_their_own_and_never_the_best(tmp_path: Path):
    outside = external(tmp_path, "mine", lambda masks: [masks[0], masks[1]])
    inside = store_run(tmp_path, "r", *(StoredCell(name, noisy(0.3, 1)) for name in ("proseg", "proseg-prior")))
    (table,) = tabulate([outside, *runs_of(inside)], registry(), STRICT)
    rows = {row.method: row for row in table.rows}
    assert rows["mine"].kind is RowKind.EXTERNAL
    assert not any(value.best for value in rows["mine"].values.values())
    assert not outside.ranked


def scores_in(content: bytes, folder: Path) -> Scores:
    (folder / "own.csv.gz").write_bytes(content)
    return read_cases(folder / "own.csv.gz")


def test_a_fusion_sent_in_as_predictions_does_not_verify_whichever_was_first(tmp_path: Path):
    people, files = entry_of(Made(method="fusion", people=True, days=9))
    put(tmp_path, people, files)
    copied, own = entry_of(Made(method="fusion", people=True))
    scored = [(cell.fold, scores_in(own[f"strict.{cell.place}.csv.gz"], tmp_path)) for cell in copied.finished]
    scores = {"strict": scores_of(scored, definitions(), trained=True)}
    disguise = {"method": "mine", "family": "mine", "kind": "method", "capabilities": people.capabilities[:1]}
    disguised = replace(copied, scores=scores, **disguise)
    put(tmp_path, disguised, own, known=False)
    board = assemble(tmp_path, registry())
    (apart,) = board.listed_apart
    assert "made of the raters' masks" in apart.fault
    assert apart.why is Why.INVALID


def test_reported_figures_of_other_data_stand_under_no_row_of_ours(tmp_path: Path):
    board_folder = Path(__file__).parents[2] / "leaderboard"
    (tmp_path / REPORTED).write_text((board_folder / REPORTED).read_text())
    board = board_of(tmp_path, Made(method="proseg", dataset="lidc"), Made(method="soft", dataset="lidc"))
    pages = {page.name: page for page in board.datasets}
    assert not [row for table in pages["lidc"].tables for row in table.rows if row.reported]
    apart = [row for table in pages["lidc-1609"].tables for row in table.rows]
    assert all(row.kind is RowKind.REPORTED for row in apart)
    lines = list(csv.DictReader(io.StringIO(as_csv(board))))
    told = [line for line in lines if line["kind"] == "reported"]
    assert told
    assert not any(line["data_digest"] or line["split_digest"] or line["best"] == "True" for line in told)


def test_reported_figures_of_the_same_data_set_are_never_the_best(tmp_path: Path):
    board_folder = Path(__file__).parents[2] / "leaderboard"
    (tmp_path / REPORTED).write_text((board_folder / REPORTED).read_text().replace("lidc-1609", "phantom"))
    made = [
        entry_of(Made(method=name, level=level), ("strict", "published")) for name, level in (("a", 0.9), ("b", 0.8))
    ]
    for entry, files in made:
        put(tmp_path, entry, files)
    board = assemble(tmp_path, registry())
    rows = [row for page in board.datasets for table in page.tables for row in table.rows]
    told = [row for row in rows if row.reported]
    assert told
    assert not any(value.best for row in told for value in row.values.values())
    assert any(value.best for row in rows if row.run for value in row.values.values()), "whatever papers report"


def test_a_method_beside_itself_is_said_to_be_one_configuration(tmp_path: Path):
    one = store_run(tmp_path, "a", *(StoredCell("proseg", noisy(0.3, seed), seed=seed) for seed in (0, 1)))
    other = store_run(tmp_path, "b", *(StoredCell("proseg", noisy(0.3, 5 + seed), seed=seed) for seed in (2, 3)))
    (a,), (b,) = runs_of(one), runs_of(other)
    found = compare(Pair(a, b), ScoreReader(registry(), STRICT, GED))
    assert "A and B are one configuration: what differs between them is their trainings alone" in found.notes


def test_a_run_of_one_fold_says_how_many_there_are(mrbench: Callable[..., Result]):
    small = ("--set", "phantom.subjects=9", "--set", "phantom.size=32")
    ran = mrbench("run", "--method", "majority-vote", "--dataset", "phantom", *small, "--fold", "0")
    assert ran.exit_code == 0, ran.output
    assert "1 of the split's 3 folds" in " ".join(ran.stdout.split())
    whole = mrbench("run", "--method", "majority-vote", "--dataset", "phantom", *small)
    assert "folds: intervals" not in " ".join(whole.stdout.split())
