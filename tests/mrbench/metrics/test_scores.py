"""Scores as columns give what a plain list of rows gives, and leave a file that a plain reader reads."""

import csv
import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrbench.engine.cases import read_cases
from mrbench.interfaces.metric import Key
from mrbench.metrics.scores import COLUMNS, EVERYWHERE, ScoreCollector, Scores

LENGTHS = {"ged": 1, "ece": 3, "dice_rater": 1, "ncc": 1}
SEEDS = pytest.mark.parametrize("seed", range(8))

Line = dict[str, Any]


def random_lines(seed: int) -> list[Line]:
    """The oracle: a row each, without statistics where a value is lacking; ``label`` None where all are."""
    random = np.random.default_rng(seed)
    lines = []
    for number in random.permutation(12).tolist():
        case = {"case": f"case {number}", "subject": f"subject {number % 5}"}
        for metric, length in LENGTHS.items():
            keys = [(k, r) for k in (2, 1) for r in ((1, 0) if metric == "dice_rater" else (None,))]
            kept = [key for key in keys if random.random() > 0.4]
            lines += [case | {"metric": metric, "label": k, "rater": r, "statistics": random.random(length).tolist()}
                      for k, r in kept]  # fmt: skip
            gone = [key for key in keys if key not in kept and random.random() > 0.5] if kept else [(None, None)]
            lines += [case | {"metric": metric, "label": k, "rater": r, "statistics": []} for k, r in gone]
    return lines


def collected(lines: list[Line]) -> Scores:
    collector = ScoreCollector()
    for line in lines:
        at = line["metric"], Key(line["label"] or 0, line["rater"])
        own = {at: np.array(line["statistics"])} if line["statistics"] else {}
        collector.append(line["case"], line["subject"], own, [] if own else [at])
    return collector.scores()


def lines_of(scores: Scores) -> list[Line]:
    """Every row, as the columns hold it."""
    return [
        {"case": scores.cases[scores.case[n]], "subject": scores.subjects[scores.case[n]],
         "metric": scores.metrics[scores.metric[n]],
         "label": int(scores.label[n]) or None, "rater": None if scores.rater[n] < 0 else int(scores.rater[n]),
         "statistics": scores.numbers[scores.start[n] : scores.start[n + 1]].tolist()}
        for n in range(len(scores))
    ]  # fmt: skip


def of_metric(lines: list[Line], metric: str) -> list[tuple[Any, ...]]:
    fields = ("case", "subject", "label", "rater", "statistics")
    return [tuple(line[f] for f in fields) for line in lines if line["metric"] == metric and line["statistics"]]


@SEEDS
def test_rows_come_back_as_they_were_put_in(seed: int):
    lines = random_lines(seed)
    assert lines_of(collected(lines)) == lines


@SEEDS
def test_the_rows_of_a_metric_are_its_own(seed: int):
    lines = random_lines(seed)
    scores = collected(lines)
    for metric in LENGTHS:
        own = scores.of(metric)
        found = zip(own.case.tolist(), own.label.tolist(), own.rater.tolist(), own.statistics.tolist(), strict=True)
        assert of_metric(lines, metric) == [
            (own.cases[c], own.subjects[c], k, None if r < 0 else r, values) for c, k, r, values in found
        ]
        rows = [line for line in lines if line["metric"] == metric]
        given = {(line["label"], line["rater"]) for line in rows if line["statistics"]}
        lacking = {line["case"] for line in rows if not line["statistics"]
                   and (line["label"] is None or (line["label"], line["rater"]) in given)}  # fmt: skip
        assert {own.cases[c] for c in own.without} == lacking
        assert {own.cases[c] for c in own.covered} == {line["case"] for line in rows if line["statistics"]} - lacking


@SEEDS
def test_equal_columns_are_equal_classes_and_raters_and_ascend_by_class(seed: int):
    own = collected(random_lines(seed)).of("dice_rater")
    places = list(zip(own.label.tolist(), own.rater.tolist(), strict=True))
    order = sorted(set(places))
    numbers = np.unique(own.column).tolist()
    assert [numbers.index(number) for number in own.column.tolist()] == [order.index(place) for place in places]


@SEEDS
def test_subjects_are_numbered_as_they_come_among_all_cases(seed: int):
    lines = random_lines(seed)
    order = list(dict.fromkeys(line["subject"] for line in lines))
    own = collected(lines).of("ged")
    assert [order[n] for n in own.subject.tolist()] == [subject for _, subject, *_ in of_metric(lines, "ged")]


@SEEDS
def test_some_rows_of_a_metric_keep_their_order_and_their_cases(seed: int):
    own = collected(random_lines(seed)).of("dice_rater")
    kept = np.random.default_rng(seed).random(len(own)) > 0.5
    some = own.where(kept)
    for name in ("case", "label", "rater", "statistics"):
        assert getattr(some, name).tolist() == getattr(own, name)[kept].tolist()
    assert some.cases == own.cases


@SEEDS
@pytest.mark.parametrize("chosen", [set(LENGTHS), {"ece", "ncc"}, {"ged", "no such"}, set()])
def test_only_some_metrics_are_their_rows_and_all_cases(seed: int, chosen: set[str]):
    lines = random_lines(seed)
    scores = collected(lines)
    assert lines_of(scores.only(chosen)) == [line for line in lines if line["metric"] in chosen]
    assert scores.only(chosen).cases == scores.cases


@SEEDS
def test_metrics_that_no_case_has_do_not_apply(seed: int):
    lines = [line | {"label": None, "rater": None, "statistics": []} if line["metric"] == "ncc" else line
             for line in random_lines(seed)]  # fmt: skip
    found = collected(lines).that_apply()
    assert lines_of(found) == [line for line in lines if line["metric"] != "ncc"]
    assert "ncc" not in found.metrics


@SEEDS
def test_scored_cases_are_those_that_have_any_value(seed: int):
    lines = random_lines(seed)
    scored = {(line["case"], line["subject"]) for line in lines if line["statistics"]}
    assert set(collected(lines).scored_cases()) == scored
    assert collected([line for line in lines if not line["statistics"]]).scored_cases() == []


def test_every_metric_that_a_case_has_is_given_in_the_order_in_which_they_came():
    collector = ScoreCollector()
    collector.append("1", "a", {}, [("b", EVERYWHERE)])
    collector.append("2", "a", {(name, Key(1)): np.array([0.5]) for name in ("c", "a")})
    assert [name for name, _ in collector.scores().by_metric()] == ["c", "a"]


@SEEDS
def test_other_names_change_nothing_else(seed: int):
    lines = random_lines(seed)
    renamed = [line | {"case": line["case"].upper(), "subject": line["subject"].upper()} for line in lines]
    assert lines_of(collected(lines).renamed(str.upper)) == renamed


@SEEDS
def test_scores_of_several_blocks_are_those_of_all_their_cases(seed: int):
    lines = random_lines(seed)
    cases = list(dict.fromkeys(line["case"] for line in lines))
    collector = ScoreCollector()
    for block in (cases[:3], cases[3:4], cases[4:]):
        collector.extend_scores(collected([line for line in lines if line["case"] in block]))
    assert lines_of(collector.scores()) == lines
    assert collector.scores().cases == tuple(cases)


def test_a_case_of_two_subjects_is_an_error():
    collector = ScoreCollector()
    collector.append("1", "a", {})
    with pytest.raises(ValueError, match="case '1' has a second subject"):
        collector.append("1", "b", {})


def test_no_scores_have_no_rows():
    scores = ScoreCollector().scores()
    assert (len(scores), list(scores.by_metric()), len(scores.of("ged")), scores.scored_cases()) == (0, [], 0, [])
    assert len(scores.that_apply().only(())) == 0


def written(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@SEEDS
def test_a_file_holds_every_row_in_full_precision(tmp_path: Path, seed: int):
    lines = random_lines(seed)
    collected(lines).write_csv(tmp_path / "cases.csv.gz")
    head, *rows = written(tmp_path / "cases.csv.gz")
    assert tuple(head) == COLUMNS
    assert rows == [
        [line["case"], line["subject"], line["metric"],
         *("" if line[field] is None else str(line[field]) for field in ("label", "rater")),
         " ".join(map(repr, line["statistics"]))]
        for line in lines
    ]  # fmt: skip


def test_a_metric_that_applies_and_has_no_value_leaves_a_blank_row(tmp_path: Path):
    collector = ScoreCollector()
    collector.append("a, 0", "a", {("ece", Key(2)): np.array([1.0, 0.1])}, [("ncc", EVERYWHERE)])
    collector.append("b, 0", "b", {("dice_rater", Key(1, 0)): np.array([1 / 3])})
    collector.scores().write_csv(tmp_path / "cases.csv.gz")
    assert written(tmp_path / "cases.csv.gz")[1:] == [
        ["a, 0", "a", "ece", "2", "", "1.0 0.1"],
        ["a, 0", "a", "ncc", "", "", ""],
        ["b, 0", "b", "dice_rater", "1", "0", repr(1 / 3)],
    ]


def without_blank(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["label"]]


def only_blank(lines: list[Line]) -> list[Line]:
    return [line for line in lines if not line["label"]]


@SEEDS
@pytest.mark.parametrize("some", [list, without_blank, only_blank], ids=["all", "without blank", "only blank"])
def test_a_file_is_read_back_as_it_was_written(tmp_path: Path, seed: int, some: Callable[[list[Line]], list[Line]]):
    lines = some(random_lines(seed))
    scores = collected(lines)
    scores.write_csv(tmp_path / "cases.csv.gz")
    found = read_cases(tmp_path / "cases.csv.gz")
    assert lines_of(found) == lines
    assert (found.cases, found.subjects, found.metrics) == (scores.cases, scores.subjects, scores.metrics)
    found.write_csv(tmp_path / "again.csv.gz")
    assert (tmp_path / "again.csv.gz").read_bytes() == (tmp_path / "cases.csv.gz").read_bytes()


def test_a_file_has_the_same_bytes_whenever_and_wherever_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    scores = collected(random_lines(0))
    scores.write_csv(tmp_path / "first.csv.gz")
    monkeypatch.setattr(time, "time", lambda: 2e9)
    scores.write_csv(tmp_path / "second.csv.gz")
    assert (tmp_path / "first.csv.gz").read_bytes() == (tmp_path / "second.csv.gz").read_bytes()
