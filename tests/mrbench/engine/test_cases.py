"""Scores of cases: read back as written, refused where damaged, scored again where they are of another protocol."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from stored_runs import StoredCell, cases, registry, scores_of, store_run

from mrbench.engine import cases as module
from mrbench.engine.cases import cell_scores, read_cases
from mrbench.engine.score import applicable_metrics
from mrbench.errors import DataError, IncompatibleError
from mrbench.interfaces.metric import Key
from mrbench.metrics.protocol import PUBLISHED, STRICT
from mrbench.metrics.scoring import CaseScores

HEADER = "case,subject,metric,label,rater,statistics\n"


def written(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()))
    return path


def plain(scores: CaseScores) -> list[tuple[str, str, dict[tuple[str, Key], list[float]]]]:
    return [(case, subject, {at: v.tolist() for at, v in values.items()}) for case, subject, values in scores.cases]


def test_reading_is_the_inverse_of_writing(tmp_path: Path):
    scores = CaseScores()
    values = {("ged", Key(1)): np.array([1 / 3]), ("ece", Key(2)): np.array([1.0, 1e-300, 7.0])}
    scores.append('case, "quoted"', "a\nb", values)
    scores.append("case 2", "a\nb", {("dice_rater", Key(1, rater)): np.array([rater / 7]) for rater in range(3)})
    scores.write_csv(tmp_path / "cases.csv.gz")
    found = read_cases(tmp_path / "cases.csv.gz")
    assert plain(found) == plain(scores)
    found.write_csv(tmp_path / "again.csv.gz")
    assert (tmp_path / "again.csv.gz").read_bytes() == (tmp_path / "cases.csv.gz").read_bytes()


def test_no_row_is_no_case(tmp_path: Path):
    CaseScores().write_csv(tmp_path / "cases.csv.gz")
    assert read_cases(tmp_path / "cases.csv.gz").cases == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "the columns are none, not case, subject, metric, label, rater, statistics"),
        ("case,subject,metric\n", "the columns are case, subject, metric"),
        (HEADER + "c,s,ged,1,,0.5\nc,s,dice\n", "line 3: 3 fields, not 6"),
        (HEADER + "c,s,ged,0,,0.5\n", "line 2: '0' is no class"),
        (HEADER + "c,s,ged,-1,,0.5\n", "'-1' is no class"),
        (HEADER + "c,s,ged,²,,0.5\n", "is no class"),
        (HEADER + f"c,s,ged,{'9' * 5000},,0.5\n", "is no class"),
        (HEADER + "c,s,ged,1,r,0.5\n", "'r' is no rater"),
        (HEADER + "c,s,ged,1,2147483648,0.5\n", "'2147483648' is no rater"),
        (HEADER + "c,s,ged,1,,\n", "could not convert"),
        (HEADER + "c,s,ged,1,,0.5 x\n", "could not convert"),
        (HEADER + "c,s,ged,1,,nan\n", "'nan' is not finite"),
        (HEADER + "c,s,ged,1,,1 inf\n", "'1 inf' is not finite"),
        (HEADER + "c,s,ged,1,,1e999\n", "is not finite"),
        (HEADER + "c,s,ged,1,,0.5\nc,s,ged,1,,0.5\n", "line 3: case 'c' has a second value of 'ged'"),
        (HEADER + "c,s,ged,1,,0.5\nd,s,ged,1,,1\nc,s,ged,1,,0.5\n", "line 4: case 'c' has a second value of 'ged'"),
        (HEADER + "c,s,ged,1,,0.5\nc,t,dice,1,,0.5\n", "line 3: case 'c' has a second subject"),
        (HEADER + "c,s,ged,1,,0.5\nd,s,ged,1,,1 2\n", "line 3: metric 'ged' has vectors of two lengths"),
        (HEADER + 'c,"s,ged,1,,0.5\n', "unexpected end of data"),
        (HEADER + f"{'c' * 200_000},s,ged,1,,0.5\n", "field larger than field limit"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, found: str):
    with pytest.raises(DataError) as caught:
        read_cases(written(tmp_path / "cases.csv.gz", text))
    assert str(tmp_path / "cases.csv.gz") in caught.value.what
    assert found in caught.value.found
    assert len(caught.value.found) <= 200
    assert "mrbench run --force" in caught.value.hint


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b[:40], lambda b: b"PK" + b[2:], lambda b: b + b"x" * 9]
)
def test_a_damaged_archive_is_refused(tmp_path: Path, damage):
    path = written(tmp_path / "cases.csv.gz", HEADER + "".join(f"c{i},s,ged,1,,0.5\n" for i in range(1000)))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match="holds no scores of cases"):
        read_cases(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    (tmp_path / "cases.csv.gz").write_bytes(gzip.compress(HEADER.encode() + b"\xff\xfe,s,ged,1,,0.5\n"))
    with pytest.raises(DataError, match="holds no scores"):
        read_cases(tmp_path / "cases.csv.gz")


def test_a_small_file_cannot_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "FREE_BYTES", 1000)
    path = written(tmp_path / "cases.csv.gz", HEADER + "c" * 10**6)
    with pytest.raises(DataError) as caught:
        read_cases(path)
    assert "unpacks to more than" in caught.value.found


def test_scores_of_the_protocol_are_read_and_need_no_predictions(tmp_path: Path):
    values = cases("ged", [0.1, 0.2], [0.3])
    run = store_run(tmp_path, "r", StoredCell("proseg", values))
    (result,) = run.cell_results()
    assert result.record is not None
    metrics = applicable_metrics(registry(), "identified", ("ged", "dice_max"))
    found = cell_scores(result.spec.folder(tmp_path), result.record, metrics, STRICT)
    assert plain(found.cases) == plain(scores_of(values))


def test_scores_of_another_protocol_without_predictions_are_incompatible(tmp_path: Path):
    (result,) = store_run(tmp_path, "r", StoredCell("proseg", cases("ged", [0.1]))).cell_results()
    assert result.record is not None
    metrics = applicable_metrics(registry(), "identified", ("ged",))
    with pytest.raises(IncompatibleError, match="has no scores under the protocol 'published' and no predictions"):
        cell_scores(result.spec.folder(tmp_path), result.record, metrics, PUBLISHED)


def test_what_a_faulty_metric_left_is_no_score(tmp_path: Path):
    (result,) = store_run(tmp_path, "r", StoredCell("proseg", cases("ged", [0.1, 0.2]))).cell_results()
    record = json.loads(json.dumps(result.record)) | {
        "metric_faults": {"ged": "metric 'ged' raised", "other": "so did it"}
    }
    metrics = applicable_metrics(registry(), "identified", ("ged", "dice_max"))
    found = cell_scores(result.spec.folder(tmp_path), record, metrics, STRICT)
    assert list(found.cases) == []
    assert found.faults == {"ged": "metric 'ged' raised"}
