"""``mrbench compare`` as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from stored_runs import StoredCell, cases, store_run

from mrbench.engine.cell import Status

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
    assert words[0] == [
        "ged",
        "↓",
        ".3950",
        ".2950",
        "-.1000!",
        "-.1000",
        "..",
        "-.1000",
        *["100%", "of", "40", "2", "of", "2", "40"],
    ]
    assert "! S differs: 50 and 1: all metrics" in result.stdout
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
    assert metric["interval"] == {
        "low": pytest.approx(-0.05),
        "high": pytest.approx(-0.05),
        "level": 0.95,
        "draws": 2000,
    }
    assert metric["subjects"] == {"better": 40, "ties": 0, "n": 40}
    assert metric["flags"] == ["S differs: 50 and 4"]


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
    for word in (".3950", ".3450", "-.0500!", "-.0500 .. -.0500", "100% of 40", "2 of 2"):
        assert word in text


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("thre",), 2, "did you mean 'three'"),
        (("three:prosge", "one"), 2, "unknown method 'prosge' in the run three"),
        (("three", "one", "--metric", "gde"), 2, "did you mean 'ged'"),
        (("three", "--against", "prosge"), 2, "did you mean 'proseg'"),
        (("three", "one", "--against", "proseg"), 2, "--against is for the methods of one run"),
        (("one",), 2, "run one has one method only"),
        (("three:proseg",), 2, "mrbench compare three --against proseg"),
        (("one", "one"), 2, "run one and run one are the same cells"),
        (("--protocols", "three", "one"), 2, "--protocols takes no second run"),
        (("--protocols", "three", "--protocol", "strict"), 2, "--protocols takes no --protocol"),
        (("three", "--samples", "4"), 2, "--samples goes with --protocols only"),
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
    assert f"{path.relative_to(results.parent)} holds no scores of cases" in result.stderr
    assert "mrbench run --force" in result.stderr


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
        "from mrbench import Metric, MetricRecord, hookimpl\n"
        "from mrbench.interfaces.metric import Key\n"
        'MRBENCH_API = "1"\n'
        "class Area(Metric):\n"
        "    def statistics(self, tables, protocol):\n"
        "        return {Key(1): np.array([float(tables.areas[0][0])])}\n"
        "@hookimpl\n"
        "def mrbench_metrics():\n"
        '    facts = {"name": "area", "needs": "samples", "direction": "higher", "range": (0, 64)}\n'
        '    return [MetricRecord(factory=f"{__name__}:Area", summary="of the first mask", **facts)]\n'
    )
    words = ("compare", "drawn", "--plugin-file", "area.py", "--metric", "area", "--json")
    result = mrbench(*words)
    assert result.exit_code == 0, result.stderr
    ((metric,),) = [comparison["metrics"] for comparison in json.loads(result.stdout)["comparisons"]]
    assert (metric["a"], metric["b"], metric["subjects"]) == (0, 16, {"better": 1, "ties": 1, "n": 2})
