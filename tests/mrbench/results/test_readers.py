"""Marks beside another reader: the rule, who has none, and how often a method that is a reader is marked so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import comb
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from every_table import built_board
from random_runs import DIGESTS
from rows_by_hand import as_value, result_of, row_of, run_of
from stored_runs import DESCRIPTION, StoredCell, registry, store_run

import mrbench
from mrbench.cli import group
from mrbench.engine.cell import Status
from mrbench.metrics.protocol import STRICT
from mrbench.results.method_run import runs_of
from mrbench.results.readers import CONSTRUCTIONS, HOW, RANKED, Standing, may_be_marked, with_marks, with_readers
from mrbench.results.table import Row, Table
from mrbench.results.tabulate import tabulate
from mrbench.statistics.interval import Interval
from mrbench.statistics.nested import nested_value
from mrbench.statistics.subjects import SubjectTable

DISTANCE, BEST, ONE = "ged_unbiased", "dice_max_minus_readers", "dice_minus_reader"


def table_of(*rows: Row, **description: str) -> Table:
    return Table("phantom", {**DESCRIPTION, **description}, {}, "strict", {}, rows)


def marked(low: float, high: float, metric: str = DISTANCE, **value: object) -> Standing | None:
    """The standing of a row with one interval; two raters are .4 apart, so that the margin is .02."""
    own = as_value((low + high) / 2, interval=Interval(low, high), **value)
    table = table_of(row_of(**{metric: own, "ged_aa_unbiased": 0.4}))
    return with_marks(table, registry()).rows[0].reader_marks[metric].standing


@pytest.mark.parametrize(
    ("low", "high", "standing"),
    [
        (-0.05, -0.001, "better"),
        (-0.05, 0.0, "not worse"),
        (-0.05, 0.019, "not worse"),
        (0.001, 0.019, "not worse"),
        (-0.05, 0.021, "undecided"),
        (0.001, 0.021, "worse"),
    ],
)
def test_the_upper_bound_decides(low: float, high: float, standing: str):
    assert marked(low, high) == standing


def test_a_dice_is_better_where_it_is_higher():
    intervals = {(0.001, 0.05): "better", (-0.009, 0.05): "not worse", (-0.011, 0.05): "undecided"}
    intervals |= {(-0.05, -0.001): "worse", (-0.009, -0.001): "not worse"}
    assert {own: marked(*own, metric=ONE) for own in intervals} == intervals


def test_without_a_distance_of_raters_there_is_no_margin():
    own = as_value(0.0, interval=Interval(-0.1, 0.001))
    (row,) = with_marks(table_of(row_of(**{DISTANCE: own})), registry()).rows
    assert (row.reader_marks[DISTANCE].margin, row.reader_marks[DISTANCE].standing) == (None, Standing.UNDECIDED)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"cases": 3}, "n 3/4"),
        ({"of_folds": 2}, "folds 1/2"),
        ({"interval": None, "no_interval": "one seed (trainings)"}, "one seed (trainings)"),
        ({"interval": None}, "no case has every seed"),
    ],
)
def test_what_is_not_whole_or_has_no_interval_is_not_told(value: Mapping[str, object], reason: str):
    own = as_value(-0.05, **{"interval": Interval(-0.06, -0.04), **value})
    table = with_marks(table_of(row_of(**{DISTANCE: own})), registry())
    mark = table.rows[0].reader_marks[DISTANCE]
    assert (mark.standing, mark.reason) == (None, reason)
    assert mark.texts[0] == "not told"
    assert f"beside another reader nothing is told of proseg: {reason}" in table.notes


def test_people_history_and_external_predictions_are_not_marked():
    whole = as_value(0.0, interval=Interval(-0.01, 0.001))
    own = {DISTANCE: whole, "ged_aa_unbiased": 0.4}
    rows = [
        row_of(run_of(result_of("random-rater")), **own),
        row_of(run_of(result_of(kind="external")), **own),
        row_of(run_of(result_of(), result_of(fold=1, status=Status.FAILED)), **own),
        replace(row_of(**own), newest=False),
        replace(row_of(**own), run=None),
    ]
    table = with_marks(table_of(*rows), registry())
    assert not any(row.reader_marks for row in table.rows)
    assert not may_be_marked(table)
    assert HOW not in table.notes


def test_ranked_raters_are_no_persons():
    own = {DISTANCE: as_value(-0.1, interval=Interval(-0.2, -0.1)), "ged_aa_unbiased": 0.4}
    table = with_marks(table_of(row_of(**own), raters="ranked"), registry())
    assert not table.rows[0].reader_marks
    assert table.notes == (RANKED,)


def test_a_table_with_people_says_how_readers_of_lidc_came_to_their_masks():
    def notes(method: str, dataset: str) -> tuple[str, ...]:
        return with_marks(table_of(row_of(run_of(result_of(method, dataset=dataset)), ged=0.4)), registry()).notes

    (note,) = notes("leave-one-out", "lidc")
    assert note.startswith("raters of lidc: every mask is of the second reading")
    assert notes("proseg", "lidc") == notes("leave-one-out", "phantom") == ()


def test_marks_stand_in_the_frame():
    pytest.importorskip("pandas")
    own = {DISTANCE: as_value(-0.05, interval=Interval(-0.06, -0.04)), "ged_aa_unbiased": 0.4}
    frame = with_marks(table_of(row_of(**own)), registry()).to_pandas()["reader"]
    row = frame.iloc[0].to_dict()
    assert row[f"{DISTANCE}.standing"] == "better"
    assert [row[f"{DISTANCE}.{name}"] for name in ("difference", "low", "high")] == [-0.05, -0.06, -0.04]
    assert row[f"{DISTANCE}.margin"] == pytest.approx(0.02)


def squares(random: np.random.Generator, sides: Sequence[int]) -> np.ndarray:
    masks = np.zeros((len(sides), 8, 8))
    for mask, side in zip(masks, sides, strict=True):
        mask[:side, :side] = 1
    return masks


def drawn(seed: int) -> dict[str, tuple[np.ndarray, np.ndarray, dict[int, np.ndarray]]]:
    random = np.random.default_rng(seed)
    raters = np.random.default_rng(9).integers(1, 8, (8, 2))
    return {
        f"subject {n}, case 0": (squares(random, own), squares(random, random.integers(1, 8, 5)), {})
        for n, own in enumerate(raters.tolist())
    }


def test_marks_of_a_run_are_those_of_its_cases(tmp_path: Path):
    cells = [StoredCell("unet-soft", fold=f, seed=s, drawn=drawn(s)) for f in (0, 1) for s in range(3)]
    runs = runs_of(store_run(tmp_path, "r", *cells))
    (table,) = tabulate(runs, registry(), STRICT)
    (row,) = with_readers(table, registry(), STRICT).rows
    assert set(row.reader_marks) == {DISTANCE, BEST, "dice_soft_minus_readers"}
    mark = row.reader_marks[DISTANCE]
    assert mark.difference == table.rows[0].values[DISTANCE].mean
    assert mark.interval is not None
    assert mark.interval.low < mark.difference < mark.interval.high
    assert mark.standing is not None
    # What stood in the table stands there as it did.
    assert {n: replace(v, interval=None) for n, v in row.values.items() if n in table.rows[0].values} == dict(
        table.rows[0].values
    )


def test_one_seed_is_not_marked(tmp_path: Path):
    runs = runs_of(store_run(tmp_path, "r", StoredCell("unet-soft", drawn=drawn(0))))
    (table,) = tabulate(runs, registry(), STRICT)
    (row,) = with_readers(table, registry(), STRICT).rows
    assert {mark.standing for mark in row.reader_marks.values()} == {None}
    assert all("one seed" in mark.reason for mark in row.reader_marks.values())


def test_terminal_report_leaderboard_and_interface_give_the_same_marks(tmp_path: Path):
    def call(*words: object) -> str:
        result = CliRunner().invoke(group, list(map(str, words)), env={"COLUMNS": "200"})
        assert result.exit_code == 0, result.output
        return result.stdout

    results = tmp_path / "results"
    soft = [StoredCell("unet-soft", fold=f, seed=s, drawn=drawn(s), spec=DIGESTS) for f in (0, 1) for s in range(3)]
    store_run(results, "run", *soft)
    (row,) = mrbench.load_results(results).table(readers=True).rows
    marks = {name: mark.facts for name, mark in row.reader_marks.items()}
    assert len(marks) == 3
    assert all(mark["standing"] for mark in marks.values())

    show = ("show", "run", "--out", results, "--readers")
    (shown,) = json.loads(call(*show, "--json"))["tables"][0]["rows"]
    assert shown["readers"] == marks
    site = built_board(call, results, tmp_path)
    (table,) = (one for one in json.loads((site / "leaderboard.json").read_text())["datasets"][0]["tables"]
                if one["protocol"] == "strict")  # fmt: skip
    assert {name: json.dumps(mark) for name, mark in table["rows"][0]["readers"].items()} == {
        name: json.dumps(mark) for name, mark in marks.items()
    }
    call("report", "run", "--out", results, "--to", tmp_path / "page.html")
    pages = [call(*show), *(path.read_text() for path in (tmp_path / "page.html", site / "datasets" / "phantom.html"))]
    for text in (text for mark in row.reader_marks.values() for text in mark.texts):
        assert all(text in page for page in pages), text
    assert "--readers" in call(*show[:-1])


FOLDS, SEEDS, SUBJECTS, RATERS, SAMPLES = 3, 3, 150, 4, 12


def iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of nested squares by their areas, all pairs."""
    a, b = first[..., :, None], second[..., None, :]
    return np.minimum(a, b) / np.maximum(a, b)


def without_self(pairs: np.ndarray) -> np.ndarray:
    n = pairs.shape[-1]
    return (pairs.sum(axis=(-1, -2)) - np.trace(pairs, axis1=-1, axis2=-2)) / (n * (n - 1))


def differences(raters: np.ndarray, samples: np.ndarray) -> dict[str, np.ndarray]:
    """``(N,)`` what each construction gives for areas ``(N, R)`` and ``(N, S)``, apart from the metrics' code."""
    across, among, drawn = iou(samples, raters), iou(raters, raters), iou(samples, samples)
    aa = 1 - without_self(among)
    dice, people = (2 * own / (1 + own) for own in (across, among))  # Dice of nested masks is of their IoU
    r, s = raters.shape[-1], samples.shape[-1]
    best = np.sort(dice, axis=1) * np.array([comb(i, r - 2) / comb(s, r - 1) for i in range(s)])[:, None]
    others = np.where(np.eye(r, dtype=bool), 0, people)
    return {
        DISTANCE: 2 * (1 - across.mean(axis=(1, 2))) - (1 - without_self(drawn)) - aa,
        BEST: (best.sum(axis=1) - others.max(axis=1)).mean(axis=1),
        ONE: dice[:, 0].mean(axis=1) - others.sum(axis=(1, 2)) / (r * (r - 1)),
        "ged_aa_unbiased": aa,
    }


def simulated(random: np.random.Generator, larger: float) -> Row:
    """A data set of nodules, four readers of one population, and a method that is another reader, ``larger`` times so
    large."""
    found: dict[str, dict[int, list[np.ndarray]]] = {}
    for fold in range(FOLDS):
        size = random.uniform(50, 400, (SUBJECTS, 1))
        raters = size * np.exp(0.25 * random.standard_normal((SUBJECTS, RATERS)))
        for _ in range(SEEDS):
            samples = larger * size * np.exp(0.25 * random.standard_normal((SUBJECTS, SAMPLES)))
            for name, values in differences(raters, samples).items():
                found.setdefault(name, {}).setdefault(fold, []).append(values)
    return row_of(**{name: value_of(folds) for name, folds in found.items()})


def value_of(folds: Mapping[int, Sequence[np.ndarray]]):
    label, names = np.ones(1, np.int64), tuple(map(str, range(SUBJECTS)))
    tables = {
        f: [
            SubjectTable(tuple(f"{f}.{n}" for n in names), label, own[:, None, None], np.ones((SUBJECTS, 1)))
            for own in seeds
        ]
        for f, seeds in folds.items()
    }
    estimate = nested_value(tables)
    return as_value(estimate.value, interval=estimate.interval())


def standings(seed: int, larger: float, n: int) -> dict[str, list[str]]:
    random = np.random.default_rng(seed)
    rows = [simulated(random, larger) for _ in range(n)]
    table = with_marks(table_of(*rows), registry())
    return {name: [str(row.reader_marks[name].standing) for row in table.rows] for name in (DISTANCE, BEST, ONE)}


def test_a_method_that_is_another_reader_is_marked_not_worse():
    found = standings(0, 1.0, 200)
    for name, own in found.items():
        assert sum(one in ("not worse", "better") for one in own) >= 0.95 * len(own), name
        # 2.5 % where it is as good, and chance.
        assert own.count("better") <= 0.025 * len(own) + 4 * (0.025 * len(own)) ** 0.5, name
        assert own.count("worse") <= 0.025 * len(own), name


def test_a_reader_who_draws_too_large_is_never_marked_so():
    for name, own in standings(1, 1.3, 100).items():
        assert set(own) == {"worse"}, name


def test_a_difference_of_the_margin_is_marked_not_worse_in_one_of_forty():
    random, n = np.random.default_rng(2), 2000
    rows = []
    for _ in range(n):
        subjects = random.normal(-0.01, 0.05, (FOLDS, 1, SUBJECTS))
        folds = dict(enumerate(subjects + random.normal(0, 0.01, (FOLDS, SEEDS, 1))))
        rows.append(row_of(**{ONE: value_of(folds)}))
    marks = [row.reader_marks[ONE].standing for row in with_marks(table_of(*rows), registry()).rows]
    share = sum(mark in (Standing.NOT_WORSE, Standing.BETTER) for mark in marks) / n
    assert abs(share - 0.025) < 4 * (0.025 * 0.975 / n) ** 0.5


def test_every_construction_is_a_metric_with_a_margin():
    from mrbench.results.margins import MARGINS

    for one in CONSTRUCTIONS:
        card = registry().get("metric", one.metric).card
        assert (card.direction.value == "lower") is one.lower
        assert one.metric in MARGINS
