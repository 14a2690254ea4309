"""``mrbench compare`` as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from stored_runs import StoredCell, cases, store_run

from mrbench.engine.cell import Status
from mrbench.engine.conditions import Conditions

Call = Callable[..., Result]


def many(metric: str, shift: float = 0.0, n: int = 20) -> dict[str, dict[str, dict[int | None, float]]]:
    return cases(metric, *([0.01 * subject + shift] for subject in range(n)))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two runs: three methods, of which one is a bound; and one method with fewer samples."""
    folder = tmp_path / "results"
    methods = (("staple", 0.0), ("proseg", 0.3), ("unet-majority", 0.2))
    store_run(
        folder, "three", *(StoredCell(m, many("ged", shift), fold=fold) for m, shift in methods for fold in (0, 1))
    )
    fewer = {"samples": 4}
    store_run(folder, "one", *(StoredCell("proseg", many("ged", 0.25), fold=fold, spec=fewer) for fold in (0, 1)))
    return folder


@pytest.mark.usefixtures("results")
def test_the_methods_of_one_run_are_compared_with_the_first(mrbench: Call):
    result = mrbench("compare", "three")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("A  proseg  run three; S 50") == 2
    assert "B  unet-majority  run three; S 1; single output; preset quick" in result.stdout
    assert "B  staple  run three; S 1; sees test masks" in result.stdout
    words = [line.split() for line in result.stdout.splitlines() if line.startswith("ged ↓")]
    assert words[0] == ["ged", "↓", ".3950", ".2950", "-.1000!", "40"]
    assert "! S differs: 50 and 1; --samples 1: all metrics" in result.stdout
    assert "pairs: all methods against the first; --against names another" in result.stdout


@pytest.mark.usefixtures("results")
def test_against_names_another_first(mrbench: Call):
    found = json.loads(mrbench("compare", "three", "--against", "unet-majority", "--json").stdout)
    assert [(c["a"]["method"], c["b"]["method"]) for c in found["comparisons"]] == [
        ("unet-majority", "proseg"),
        ("unet-majority", "staple"),
    ]


@pytest.mark.usefixtures("results")
def test_two_runs_as_json(mrbench: Call):
    result = mrbench("compare", "three", "one", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["pairs"] == "methods of equal names"
    (comparison,) = found["comparisons"]
    assert (comparison["a"]["samples"], comparison["b"]["samples"]) == (50, 4)
    assert comparison["protocol"] == "strict"
    (metric,) = comparison["metrics"]
    assert metric["difference"] == pytest.approx(-0.05)
    assert (metric["interval"], metric["p"], metric["verdict"], metric["better"]) == (None, None, None, None)
    assert metric["reason"] == "S differs: 50 and 4; --samples 4"
    assert metric["flags"] == ["S differs: 50 and 4; --samples 4"]


@pytest.mark.usefixtures("results")
def test_the_values_are_those_of_the_table(mrbench: Call):
    rows = json.loads(mrbench("show", "three", "--json").stdout)["tables"][0]["rows"]
    shown = {row["method"]: row["metrics"]["ged"]["mean"] for row in rows}
    for comparison in json.loads(mrbench("compare", "three", "--json").stdout)["comparisons"]:
        (metric,) = comparison["metrics"]
        assert metric["a"] == pytest.approx(shown[comparison["a"]["method"]], abs=1e-12)
        assert metric["b"] == pytest.approx(shown[comparison["b"]["method"]], abs=1e-12)


@pytest.mark.usefixtures("results")
def test_nothing_is_cut_off_on_a_narrow_terminal(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = mrbench("compare", "three", "one").stdout
    assert max(map(len, text.splitlines())) <= 60
    assert "…" not in text
    for word in (".3950", ".3450", "-.0500!"):
        assert word in text


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("thre",), 2, "did you mean 'three'"),
        (("three:prosge", "one"), 2, "unknown method 'prosge' in the run three"),
        (("three", "one", "--metric", "gde"), 2, "did you mean 'ged'"),
        (("three", "--against", "prosge"), 2, "did you mean 'proseg'"),
        (("three", "one", "--against", "prosge"), 2, "did you mean 'proseg'"),
        (("three", "one:staple"), 2, "unknown method 'staple' in the run one"),
        (("three", "--picture", "out.gif"), 2, "cannot draw out.gif"),
        (("three", "--picture", "no/out.svg"), 2, "mkdir -p no"),
        (("--protocols", "three", "--letters"), 2, "--protocols takes no --letters"),
        (("one",), 2, "run one has one method only"),
        (("three:proseg",), 2, "mrbench compare three --against proseg"),
        (("one", "one"), 2, "run one and run one are the same cells"),
        (("--protocols", "three", "one"), 2, "--protocols takes no second run"),
        (("--protocols", "three", "--protocol", "strict"), 2, "--protocols takes no --protocol"),
        (("three", "--samples", "4,10"), 2, "--protocols RUN --samples 4,10"),
        (("three", "--samples", "4"), 4, "no predictions"),
        (("--protocols", "three", "--samples", "4,0"), 2, "'4,0' is no list of numbers above 0"),
        (("--protocols", "three", "--samples", "four"), 2, "'four' is no list of numbers above 0"),
        (("--protocols", "three", "--samples", "60"), 2, "no method of run three has 60 samples"),
        (("three", "--metric", "dice_max"), 4, "no metric has a case that both have"),
        (("three", "--protocol", "published"), 4, "no scores under the protocol 'published'"),
        (("--protocols", "three"), 4, "no predictions to score"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_remedy(
    mrbench: Call, words: tuple[str, ...], code: int, message: str
):
    result = mrbench("compare", *words)
    assert result.exit_code == code
    assert message in result.stderr


def test_another_split_is_another_thing(mrbench: Call, results: Path):
    store_run(results, "other", StoredCell("proseg", many("ged"), spec={"split_digest": "x" * 64}))
    result = mrbench("compare", "three", "other")
    assert result.exit_code == 4
    assert (
        "'proseg' of run three and 'proseg' of run other were tested on different splits of 'phantom'" in result.stderr
    )


def test_a_cell_that_failed_is_named_and_sets_the_exit_code(mrbench: Call, results: Path):
    cells = [StoredCell("proseg", many("ged", 0.1)), StoredCell("proseg", fold=1, status=Status.TIMEOUT)]
    store_run(results, "half", *(StoredCell(**{**vars(cell), "spec": {"samples": 7}}) for cell in cells))
    result = mrbench("compare", "three:proseg", "half")
    assert result.exit_code == 1
    assert "B: proseg fold1-seed0 timeout: what went wrong" in result.stdout
    assert "folds of both: 0; of A: 0, 1; of B: 0" in result.stdout


def test_a_damaged_file_is_named(mrbench: Call, results: Path):
    path = next(results.glob("cells/phantom/unet-majority/*/fold1-seed0/cases.csv.gz"))
    path.write_bytes(path.read_bytes()[:50])
    result = mrbench("compare", "three")
    assert result.exit_code == 1
    text = " ".join(result.stdout.split())
    assert "unet-majority fold1-seed0 damaged: " in text
    assert f"{path.relative_to(results.parent)} is not the file that was written: 50 bytes" in text
    assert "mrbench repair RUN moves it aside; the same mrbench run then computes it anew" in text


@pytest.fixture
def drawn(tmp_path: Path) -> None:
    """A run with predictions: one method is empty where the raters are, the other marks too much everywhere."""
    empty, lesion = np.zeros((2, 8, 8)), np.ones((2, 8, 8))
    nothing, everything = (np.full((8, 8), value, np.float32) for value in (0, 1))
    half = everything.copy()
    half[:4] = 0

    def of(
        first: np.ndarray, second: np.ndarray
    ) -> dict[str, tuple[np.ndarray, list[np.ndarray], dict[int, np.ndarray]]]:
        return {"a, 0": (empty, [first] * 2, {}), "b, 0": (lesion, [second] * 2, {})}

    cells = [StoredCell("proseg", drawn=of(nothing, nothing)), StoredCell("proseg-prior", drawn=of(nothing, half))]
    store_run(tmp_path / "results", "drawn", *(StoredCell(**{**vars(cell), "spec": {"samples": 2}}) for cell in cells))


@pytest.mark.usefixtures("drawn")
def test_protocols_prints_strict_and_the_change_of_every_switch(mrbench: Call):
    result = mrbench("compare", "--protocols", "--samples", "1", "--metric", "ged")
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["ged", "↓", *["strict", "empty", "soft", "matching", "reduction", "spread", "published", "S=1"]] in lines
    assert ["proseg", "1.0000", "-.5000", "-.5000"] in lines, "strict (0 + 2) / 2; empty samples at distance 1 of all"
    assert ["proseg-prior", ".5000", ".0000", ".0000"] in lines, "by the 1e-8 alone; else blank"
    assert "empty: IoU of two empty masks 0, 1e-8 added as released" in result.stdout


@pytest.mark.usefixtures("drawn")
def test_protocols_as_json(mrbench: Call):
    found = json.loads(mrbench("compare", "--protocols", "drawn:proseg", "--metric", "ged", "--json").stdout)
    assert [switch["name"] for switch in found["switches"]] == [
        "empty", "soft", "matching", "reduction", "spread", "published",
    ]  # fmt: skip
    ((row,),) = [table["rows"] for table in found["tables"]]
    assert (row["method"], row["strict"]["mean"]) == ("proseg", 1)
    assert row["moves"]["empty"]["change"] == pytest.approx(-0.5)
    assert row["moves"]["soft"] == {"change": None, "missing": False, "ranks": None}


@pytest.mark.usefixtures("drawn")
def test_protocols_fits_a_narrow_terminal(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = mrbench("compare", "--protocols", "--samples", "1").stdout
    assert max(map(len, text.splitlines())) <= 60
    assert "…" not in text


@pytest.mark.usefixtures("drawn")
def test_another_protocol_scores_the_predictions_again(mrbench: Call):
    found = json.loads(mrbench("compare", "drawn", "--protocol", "published", "--metric", "ged", "--json").stdout)
    (comparison,) = found["comparisons"]
    assert comparison["protocol"] == "published"
    (metric,) = comparison["metrics"]
    assert (metric["a"], metric["b"]) == (pytest.approx(0.5), pytest.approx(0.5))


def test_a_metric_of_a_plugin_file_is_compared(mrbench: Call, drawn: None, tmp_path: Path):
    (tmp_path / "area.py").write_text(
        "import numpy as np\n"
        "from mrbench import Key, metric\n"
        'MRBENCH_API = "2"\n'
        '@metric("area", "of the first mask", needs="samples", direction="higher", range=(0, 64))\n'
        "def area(tables, protocol):\n"
        "    return {Key(1): np.array([float(tables.areas[0][0])])}\n"
    )
    words = ("compare", "drawn", "--plugin-file", "area.py", "--metric", "area", "--json")
    result = mrbench(*words)
    assert result.exit_code == 0, result.stderr
    ((metric,),) = [comparison["metrics"] for comparison in json.loads(result.stdout)["comparisons"]]
    assert (metric["a"], metric["b"], metric["better"]["subjects"]["value"]) == (0, 16, 0.75)


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """A run of three methods of equal S, two seeds each, and a bound; of twelve subjects each, in two folds."""
    folder = tmp_path / "results"
    methods = (("proseg", 0.0), ("dpersona-1", 0.0005), ("prob-unet", 0.2), ("staple", 0.1))
    noise = np.random.default_rng(0).normal(0, 0.01, (4, 2, 2, 12)).tolist()

    def values(shift: float, own: list[float], fold: int) -> dict[str, dict[str, dict[int | None, float]]]:
        found = cases("ged", *([0.01 * s + shift + e] for s, e in enumerate(own)))
        return {f"fold {fold} {case}": value for case, value in found.items()}

    cells = [
        StoredCell(m, values(shift, noise[n][fold][seed], fold), fold=fold, seed=seed)
        for n, (m, shift) in enumerate(methods)
        for fold in (0, 1)
        for seed in (0, 1)
    ]
    store_run(folder, "four", *cells)
    return folder


@pytest.mark.usefixtures("four")
def test_a_difference_has_its_interval_p_and_verdict(mrbench: Call):
    result = mrbench("compare", "four", "--against", "proseg")
    assert result.exit_code == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith("ged ↓")]
    assert [row[row.index("..") + 3] for row in rows if ".." in row] == ["undecided", "differs"]
    text = " ".join(result.stdout.split())
    assert "of what other subjects and other trainings would give on these folds" in text
    assert "undecided is no sign that both are the same" in text


@pytest.mark.usefixtures("four")
def test_methods_stand_above_the_differences_with_letters_when_asked_for(mrbench: Call):
    assert "letters:" not in mrbench("compare", "four").stdout
    result = mrbench("compare", "four", "--letters")
    words = [line.split() for line in result.stdout.splitlines()]
    names = ("proseg", "dpersona-1", "prob-unet", "staple")
    rows = {line[0]: line[1:] for line in words if line and line[0] in names}
    assert [rows[name][2:] for name in names] == [["a"], ["a"], ["b"], []]


@pytest.mark.usefixtures("four")
def test_json_has_the_variance_by_source(mrbench: Call):
    found = json.loads(mrbench("compare", "four", "--json").stdout)
    (metric,) = found["comparisons"][1]["metrics"]
    assert set(metric["variance"]) == {"subjects", "trainings of A", "trainings of B"}
    assert metric["p"] <= metric["corrected"] < 0.05
    assert (metric["verdict"], metric["better"]["pairs"], metric["better"]["better"]) == ("differs", 8, 0)
    assert metric["interval"]["low"] < metric["difference"] < metric["interval"]["high"]


@pytest.mark.usefixtures("four")
def test_what_is_new_fits_a_narrow_terminal_too(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = mrbench("compare", "four", "--letters").stdout
    assert max(map(len, text.splitlines())) <= 60
    assert "…" not in text


@pytest.mark.usefixtures("drawn")
def test_fewer_samples_are_scored_when_asked_for(mrbench: Call):
    found = json.loads(mrbench("compare", "drawn", "--samples", "1", "--metric", "ged", "--json").stdout)
    (metric,) = found["comparisons"][0]["metrics"]
    assert metric["flags"] == []


def test_other_data_are_shown_when_asked_and_labelled_everywhere(mrbench: Call, results: Path):
    store_run(results, "other", StoredCell("proseg", many("ged", 0.1), spec={"data_digest": "x" * 64}))
    result = mrbench("compare", "three", "other")
    assert result.exit_code == 4
    assert "--allow-mixed" in result.stderr
    shown = mrbench("compare", "three", "other", "--allow-mixed")
    assert shown.exit_code == 0, shown.stderr
    assert "scoring protocol strict, MIXED" in shown.stdout
    assert "MIXED: tested on different data: dddddddddddd and xxxxxxxxxxxx" in shown.stdout
    (comparison,) = json.loads(mrbench("compare", "three", "other", "--allow-mixed", "--json").stdout)["comparisons"]
    assert comparison["mixed"][0].startswith("MIXED: tested on different data")
    assert comparison["metrics"][0]["p"] is None


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_a_picture_of_the_differences(mrbench: Call, tmp_path: Path, ending: str):
    path = tmp_path / f"d.{ending}"
    result = mrbench("compare", "four", "--picture", path)
    assert result.exit_code == 0, result.stderr
    assert f"wrote {path}" in result.stdout
    assert path.stat().st_size > 1000
    if ending == "svg":
        text = path.read_text()
        assert "prob-unet - proseg" in text
        assert "left of 0: B is better" in text
        assert "#fe01" not in text, "no stand-in colour is left"


def test_each_run_is_compared_within_itself(mrbench: Call, tmp_path: Path):
    for level in (1, 2):
        cells = [
            StoredCell(m, many("ged", s), spec={"samples": 50, "conditions": Conditions(raters_present=level)})
            for m, s in (("dpersona-1", 0.2), ("per-rater", 0.1))
        ]
        store_run(tmp_path / "results", f"present-{level}", *cells)
    found = json.loads(mrbench("compare", "present-1", "present-2", "--each", "--json").stdout)
    assert [(c["a"]["run"], c["b"]["run"]) for c in found["comparisons"]] == [("present-1",) * 2, ("present-2",) * 2]
