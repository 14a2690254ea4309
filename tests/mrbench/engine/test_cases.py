"""Scores of cases: read back as written, refused where damaged, scored again where they are of another protocol."""

import csv
import gzip
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stored_runs import DESCRIPTION, Line, StoredCell, cases, lines_of, registry, scores_of, store_run

from mrbench.engine import cases as module
from mrbench.engine.cases import CellFiles, check_vectors, read_cases
from mrbench.engine.record import write_record
from mrbench.engine.result import Result
from mrbench.engine.score import applicable_metrics
from mrbench.errors import DataError, IncompatibleError
from mrbench.interfaces.metric import Key
from mrbench.metrics.protocol import PUBLISHED, STRICT
from mrbench.metrics.scores import EVERYWHERE, ScoreCollector, Scores

HEADER = "case,subject,metric,label,rater,statistics\n"


def written(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()))
    return path


def varied() -> Scores:
    """Names that a CSV file must quote, vectors, raters, and metrics that apply and have no value."""
    scores = ScoreCollector()
    values = {("ged", Key(1)): np.array([1 / 3]), ("ece", Key(2)): np.array([1.0, 1e-300, 7.0])}
    scores.append('case, "quoted"', "a\nb", values, [("ncc", EVERYWHERE)])
    scores.append("case 2", "a\nb", {("dice_rater", Key(1, rater)): np.array([rater / 7]) for rater in range(3)},
                  [("dice_rater", Key(1, 3)), ("dice_rater", Key(2, 0))])  # fmt: skip
    scores.append("çase 3", "c", {("ged", Key(1)): np.array([-0.0])}, [("ece", EVERYWHERE), ("dice_rater", EVERYWHERE)])
    return scores.scores()


def test_reading_is_the_inverse_of_writing(tmp_path: Path):
    scores = varied()
    scores.write_csv(tmp_path / "cases.csv.gz")
    found = read_cases(tmp_path / "cases.csv.gz")
    assert lines_of(found) == lines_of(scores)
    found.write_csv(tmp_path / "again.csv.gz")
    assert (tmp_path / "again.csv.gz").read_bytes() == (tmp_path / "cases.csv.gz").read_bytes()


def test_no_row_is_no_case(tmp_path: Path):
    ScoreCollector().scores().write_csv(tmp_path / "cases.csv.gz")
    found = read_cases(tmp_path / "cases.csv.gz")
    assert (len(found), found.cases, found.metrics) == (0, (), ())


def test_lines_are_read_alike_however_many_are_checked_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    varied().write_csv(tmp_path / "cases.csv.gz")
    monkeypatch.setattr(module, "CHUNK", 2)
    assert lines_of(read_cases(tmp_path / "cases.csv.gz")) == lines_of(varied())
    path = written(tmp_path / "wrong.csv.gz", HEADER + "c,s,ged,1,,0.5\n" * 2 + "d,s,ged,1,r,0.5\n")
    with pytest.raises(DataError) as caught:
        read_cases(path)
    assert caught.value.found == "line 4: 'r' is no rater"


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
        (HEADER + "c,s,ged,1,, \n", "could not convert"),
        (HEADER + "c,s,ged,1,,0.5 x\n", "could not convert"),
        (HEADER + "c,s,ged,1,,nan\n", "'nan' is not finite"),
        (HEADER + "c,s,ged,1,,1 inf\n", "'1 inf' is not finite"),
        (HEADER + "c,s,ged,1,,1e999\n", "is not finite"),
        (HEADER + "c,s,ged,1,,-1.1e100\n", "line 2: '-1.1e100' is beyond 1e+100"),
        (HEADER + "c,s,ged,1,,0.5\nc,s,ged,1,,0.5\n", "line 3: case 'c' has a second value of 'ged'"),
        (HEADER + "c,s,ged,1,,0.5\nd,s,ged,1,,1\nc,s,ged,1,,0.5\n", "line 4: case 'c' has a second value of 'ged'"),
        (HEADER + "c,s,ged,1,,0.5\nc,t,dice,1,,0.5\n", "line 3: case 'c' has a second subject"),
        (HEADER + "c,s,ged,1,,0.5\nd,s,ged,1,,1 2\n", "line 3: metric 'ged' has vectors of two lengths"),
        (HEADER + "c,s,ged,,,\nc,s,ged,,,\n", "line 3: case 'c' has a second value of 'ged'"),
        (HEADER + "c,s,ged,,,0.5\n", "line 2: '' is no class"),
        (HEADER + "c,s,ged,,0,\n", "line 2: '' is no class"),
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


def expected(data: bytes) -> list[Line] | None:
    """The rows of a file by a parser of its own; None where a rule is broken."""
    try:
        text = gzip.decompress(data).decode()
        head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = [line_of(*row) for row in rows]
    except Exception:
        return None
    places = [(case, *rest) for case, _, *rest in lines]
    subjects = {(case, subject) for case, subject, *_ in lines}
    lengths = {(metric, len(numbers)) for _, _, metric, label, _, numbers in lines if numbers}
    whole = (
        head == HEADER.strip().split(",")
        and len({place[:-1] for place in places}) == len(lines)
        and len(subjects) == len({case for case, _ in subjects})
        and len(lengths) == len({metric for metric, _ in lengths})
    )
    return lines if whole else None


def line_of(case: str, subject: str, metric: str, label: str, rater: str, statistics: str) -> Line:
    if not (label or rater or statistics):
        return case, subject, metric, 0, None, ()
    numbers = tuple(float(word) for word in statistics.split(" ")) if statistics else ()
    places = (natural(label), natural(rater) if rater else None)
    if places[0] == 0 or not all(-1e100 <= number <= 1e100 for number in numbers):
        raise ValueError
    return case, subject, metric, *places, numbers


def natural(text: str) -> int:
    if set(text) <= set("0123456789") and 0 < len(text) <= 10 and int(text) < 2**31:
        return int(text)
    raise ValueError


def agrees(path: Path, data: bytes) -> bool:
    """Is a file read as the plain parser reads it, and refused where that refuses it? Was it refused?"""
    path.write_bytes(data)
    known = expected(data)
    try:
        found = read_cases(path)
    except DataError:
        assert known is None, "a file that breaks no rule was refused"
        return False
    assert known is not None, "a file that breaks a rule was read"
    assert lines_of(found) == known
    return True


@pytest.mark.parametrize("seed", range(4))
def test_a_file_with_wrong_bytes_is_refused_or_read_as_it_stands(tmp_path: Path, seed: int):
    random = np.random.default_rng(seed)
    varied().write_csv(tmp_path / "right.csv.gz")
    right = (tmp_path / "right.csv.gz").read_bytes()
    read = 0
    for _ in range(100):
        data = bytearray(right)
        for at in random.integers(0, len(data), random.integers(1, 4)).tolist():
            data[at] ^= 1 << int(random.integers(8))
        read += agrees(tmp_path / "wrong.csv.gz", bytes(data))
    assert read < 50, "most are damaged"


LETTERS = [*"0123456789", *',,,"\n\r .-+e_x', "é", "²", "\0", "\ufeff", "\u0661", "nan", "inf", "1e999", '""', "\n\n"]


@pytest.mark.parametrize("seed", range(8))
def test_an_edited_file_is_refused_or_read_as_it_stands(tmp_path: Path, seed: int):
    random = np.random.default_rng(seed)
    varied().write_csv(tmp_path / "right.csv.gz")
    right = gzip.decompress((tmp_path / "right.csv.gz").read_bytes()).decode()
    read = [agrees(tmp_path / "wrong.csv.gz", gzip.compress(edited(right, random).encode())) for _ in range(100)]
    assert 5 < sum(read) < 95, "some edits leave a file that is right, and some do not"


def edited(text: str, random: np.random.Generator) -> str:
    """The text after one or two edits: of letters, or of whole lines."""
    for _ in range(int(random.integers(1, 3))):
        lines = text.split("\n")
        one, other = random.integers(0, len(lines), 2).tolist()
        at, letter = int(random.integers(0, len(text))), str(random.choice(LETTERS))
        match random.integers(6):
            case 0:
                text = text[:at] + letter + text[at:]
            case 1:
                text = text[:at] + letter + text[at + 1 :]
            case 2:
                text = text[:at] + text[at + int(random.integers(1, 4)) :]
            case 3:
                text = "\n".join([*lines[:one], lines[other], *lines[one:]])
            case 4:
                text = "\n".join([*lines[:one], *lines[one + 1 :]])
            case 5:
                lines[one], lines[other] = lines[other], lines[one]
                text = "\n".join(lines)
    return text


def stored(results: Path, values: dict[str, dict[str, dict[int | None, float]]]) -> Result:
    (result,) = store_run(results, "r", StoredCell("proseg", values)).cell_results()
    return result


def stored_rows(results: Path, rows: str) -> Result:
    """A finished cell that left these rows, whatever they mean."""
    run = store_run(results, "r", StoredCell("proseg", cases("ged", [0.1, 0.2])))
    folder = run.cells[0][0].folder(results)
    written(folder / "cases.csv.gz", HEADER + rows)
    write_record(folder, json.loads((folder / "record.json").read_text()))
    (result,) = run.cell_results()
    return result


def test_scores_of_the_protocol_are_read_and_need_no_predictions(tmp_path: Path):
    values = cases("ged", [0.1, 0.2], [0.3])
    metrics = applicable_metrics(registry(), "identified", ("ged", "dice_max"))
    assert lines_of(stored(tmp_path, values).scores(metrics, STRICT).cases) == lines_of(scores_of(values))


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("c,s,ged,2,,0.5\n", "class 2, and the data set has 2"),
        ("c,s,ged,1,2,0.5\n", "rater 2, and the data set has 2"),
        ("c,s,ece,1,,3 1\nc,s,ece,1,0,0 1\n", "metric 'ece' cannot finalise its 2 numbers"),
        ("c,s,auroc_disagreement,1,,0.5\n", "metric 'auroc_disagreement' cannot finalise its 1 numbers"),
    ],
)
def test_scores_that_do_not_fit_the_data_set_or_the_metric_are_refused(tmp_path: Path, rows: str, found: str):
    result = stored_rows(tmp_path, rows)
    with pytest.raises(DataError) as caught:
        result.scores(applicable_metrics(registry(), "identified"), STRICT)
    assert str(result.spec.folder(tmp_path) / "cases.csv.gz") in caught.value.what
    assert found in caught.value.found


def test_every_class_and_rater_of_the_data_set_may_have_a_score(tmp_path: Path):
    rows = "c,s,dice_rater,1,0,0.5\nc,s,dice_rater,1,1,0.5\nd,s,dice_rater,,,\n"
    result = stored_rows(tmp_path, rows)
    assert len(result.scores(applicable_metrics(registry(), "identified", ("dice_rater",)), STRICT).cases) == 3


def test_scores_of_another_protocol_without_predictions_are_incompatible(tmp_path: Path):
    metrics = applicable_metrics(registry(), "identified", ("ged",))
    with pytest.raises(IncompatibleError, match="has no scores under the protocol 'published' and no predictions"):
        stored(tmp_path, cases("ged", [0.1])).scores(metrics, PUBLISHED)


def test_scores_of_the_first_samples_are_never_those_that_are_stored(tmp_path: Path):
    metrics = applicable_metrics(registry(), "identified", ("ged",))
    with pytest.raises(IncompatibleError, match="no predictions"):
        stored(tmp_path, cases("ged", [0.1])).scores(metrics, STRICT, samples=1)


def test_what_a_faulty_metric_left_is_no_score(tmp_path: Path):
    result = stored(tmp_path, cases("ged", [0.1, 0.2]))
    record = json.loads(json.dumps(result.record)) | {
        "metric_faults": {"ged": "metric 'ged' raised", "other": "so did it"}
    }
    files = CellFiles(result.spec.folder(tmp_path), record, DESCRIPTION)
    found = replace(result, files=files).scores(
        applicable_metrics(registry(), "identified", ("ged", "dice_max")), STRICT
    )
    assert len(found.cases) == 0
    assert found.faults == {"ged": "metric 'ged' raised"}


def test_scores_that_are_not_stored_are_those_of_the_predictions(tmp_path: Path):
    mask = np.zeros((1, 4, 4))
    mask[0, :2] = 1
    drawn = {"s, 0": (mask, [mask[0].astype(np.float32), np.zeros((4, 4), np.float32)], {})}
    (result,) = store_run(tmp_path, "r", StoredCell("proseg-prior", drawn=drawn, spec={"samples": 2})).cell_results()
    metrics = applicable_metrics(registry(), "identified", ("dice_max", "dice_max_reverse"))
    for protocol, samples, reverse in ((STRICT, None, 0.5), (PUBLISHED, None, 0.5), (STRICT, 1, 1.0)):
        found = lines_of(result.scores(metrics, protocol, samples).cases)
        assert [(metric, numbers) for _, _, metric, *_, numbers in found] == [
            ("dice_max", (pytest.approx(1),)), ("dice_max_reverse", (pytest.approx(reverse),)),
        ]  # fmt: skip


def test_what_every_built_in_metric_gives_can_be_read_again(tmp_path: Path):
    masks = np.zeros((2, 8, 8), np.float32)
    masks[0, 2:6, 2:6] = masks[1, 3:6, 2:7] = 1
    cell = StoredCell("proseg", drawn={"c, 0": (masks, [*masks, masks[0]], {0: masks[0], 1: masks[1]})})
    (result,) = store_run(tmp_path, "r", cell).cell_results()
    metrics = applicable_metrics(registry(), "identified")
    scores = result.scores(metrics, PUBLISHED).cases
    assert {"hd95", "nsd@1", "ece", "dice_rater", "auroc_disagreement"} <= set(scores.metrics)
    for name, own in scores.by_metric():
        check_vectors(name, own, metrics[name].load())
