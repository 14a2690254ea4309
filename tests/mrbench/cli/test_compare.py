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
    assert words[0] == [
        "ged",
        "↓",
        ".3950",
        ".2950",
        "-.1000!",
        "-.1000",
        "..",
        "-.1000",
        *["-1.00", "100%", "of", "40", "2", "of", "2", "40"],
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
        (("three", "one", "--against", "prosge"), 2, "did you mean 'proseg'"),
        (("three", "one:staple"), 2, "unknown method 'staple' in the run one"),
        (("--ranks", "three", "--against", "proseg"), 2, "--ranks takes no --against"),
        (("--ranks", "three", "--allow-mixed"), 2, "--ranks takes no --allow-mixed"),
        (("--ranks", "one"), 2, "there are no two methods to rank"),
        (("three", "--blocks", "folds"), 2, "--blocks goes with --ranks only"),
        (("three", "--test", "t"), 2, "'t' is not one of 'exchange'"),
        (("three", "--picture", "out.gif"), 2, "cannot draw out.gif"),
        (("three", "--picture", "no/out.svg"), 2, "mkdir -p no"),
        (("--ranks", "three", "--picture", "out.svg"), 2, "nothing to rank"),
        (("--protocols", "three", "--test", "sign"), 2, "--protocols takes no --test"),
        (("--protocols", "three", "--ranks"), 2, "--protocols takes no --ranks"),
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
    assert (metric["a"], metric["b"], metric["subjects"]) == (0, 16, {"better": 1, "ties": 1, "n": 2})


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """A run of three methods of equal S and a bound; of twelve subjects each, in two folds."""
    folder = tmp_path / "results"
    methods = (("proseg", 0.0), ("proseg-prior", 0.0005), ("prob-unet", 0.2), ("staple", 0.1))
    noise = np.random.default_rng(0).normal(0, 0.01, (4, 2, 12)).tolist()

    def values(shift: float, own: list[float], fold: int) -> dict[str, dict[str, dict[int | None, float]]]:
        found = cases("ged", *([0.01 * s + shift + e] for s, e in enumerate(own)))
        return {f"fold {fold} {case}": value for case, value in found.items()}

    cells = [
        StoredCell(m, values(shift, noise[n][fold], fold), fold=fold)
        for n, (m, shift) in enumerate(methods)
        for fold in (0, 1)
    ]
    store_run(folder, "four", *cells)
    return folder


@pytest.mark.usefixtures("four")
def test_methods_stand_above_the_differences_with_the_letters_of_their_groups(mrbench: Call):
    result = mrbench("compare", "four")
    assert result.exit_code == 0, result.stderr
    words = [line.split() for line in result.stdout.splitlines()]
    rows = {
        line[0]: line[1:] for line in words if line[:1] in (["proseg"], ["proseg-prior"], ["prob-unet"], ["staple"])
    }
    assert [rows[name][2:] for name in ("proseg", "proseg-prior", "prob-unet", "staple")] == [["a"], ["a"], ["b"], []]
    text = " ".join(result.stdout.split())
    assert "p: subjects change places between A and B (permutation test)" in text
    assert "9,999 random exchanges; corrected by Holm for the 3 tests of this command" in text


@pytest.mark.usefixtures("four")
def test_another_test_can_be_asked_for_and_says_what_it_cannot_do(mrbench: Call):
    result = mrbench("compare", "four:proseg", "four:prob-unet", "--test", "sign")
    assert "no p of 2 can be below .5000: all metrics" in result.stdout
    text = " ".join(result.stdout.split())
    assert "sign test over folds; takes folds for independent, which those of one data set are not" in text
    assert "the only test of this command, not corrected" in text


@pytest.mark.usefixtures("four")
def test_json_has_every_test_with_its_p_corrected_and_the_groups(mrbench: Call):
    found = json.loads(mrbench("compare", "four", "--json").stdout)
    assert (found["test"], found["tests"]) == ("exchange", 3)
    (metric,) = found["comparisons"][1]["metrics"]
    exchange = metric["tests"]["exchange"]
    assert exchange["p"] == pytest.approx(0.0001)
    assert exchange["corrected"] == pytest.approx(0.0003)
    assert exchange["how"] == "9,999 random exchanges"
    assert metric["tests"]["sign"]["corrected"] == 1
    assert metric["effect"]["rank_biserial"] == 1
    assert [row["metrics"]["ged"]["letters"] for row in found["methods"][0]["rows"]] == ["a", "a", "b", ""]


@pytest.mark.usefixtures("four")
def test_ranks_are_printed_with_intervals_groups_and_a_critical_difference(mrbench: Call):
    result = mrbench("compare", "--ranks", "four")
    assert result.exit_code == 0, result.stderr
    words = [line.split() for line in result.stdout.splitlines()]
    last = next(line for line in words if line[:1] == ["prob-unet"])
    assert last[-6:] == ["3.00", "3", "..", "3", "0%", "b"]
    assert "ged, S 50  mean ranks over subjects of phantom" in result.stdout
    assert "over 24 subjects; critical difference .68" in result.stdout.replace("0.68", ".68")
    assert "not told apart: proseg = proseg-prior" in result.stdout or (
        "not told apart: proseg-prior = proseg" in result.stdout
    )
    assert "left out: sees test masks: staple" in result.stdout


@pytest.mark.usefixtures("four")
def test_ranks_as_json(mrbench: Call):
    found = json.loads(mrbench("compare", "--ranks", "four", "--blocks", "folds", "--json").stdout)
    (ranking,) = found["rankings"]
    assert {one["method"]: one["letters"] for one in ranking["methods"]} == {
        "proseg": "a", "proseg-prior": "a", "prob-unet": "b",
    }  # fmt: skip
    (ranks,) = found["mean_ranks"]
    assert (ranks["blocks"], ranks["reason"]) == ("folds", "2 blocks: a critical difference needs 10")


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("words", [("four",), ("--ranks", "four")])
def test_what_is_new_fits_a_narrow_terminal_too(mrbench: Call, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = mrbench("compare", *words).stdout
    assert max(map(len, text.splitlines())) <= 60
    assert "…" not in text


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
    assert comparison["metrics"][0]["tests"] == {}


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_pictures_of_differences_and_ranks(mrbench: Call, tmp_path: Path, ending: str):
    for name, words in (("d", ("four",)), ("r", ("--ranks", "four"))):
        path = tmp_path / f"{name}.{ending}"
        result = mrbench("compare", *words, "--picture", path)
        assert result.exit_code == 0, result.stderr
        assert f"wrote {path}" in result.stdout
        assert path.stat().st_size > 1000
    if ending == "svg":
        text = (tmp_path / "d.svg").read_text()
        assert "prob-unet - proseg" in text
        assert "left of 0: B is better" in text
        assert "#fe01" not in text, "no stand-in colour is left"
        assert "critical difference 0.68" in (tmp_path / "r.svg").read_text()


def test_each_run_within_itself_and_its_folds_together(mrbench: Call, tmp_path: Path):
    for level in (1, 2, 3):
        cells = [
            StoredCell(
                m, many("ged", s), fold=fold, spec={"samples": 50, "conditions": Conditions(raters_present=level)}
            )
            for m, s in (("dpersona-1", 0.2), ("per-rater", 0.1))
            for fold in range(4)
        ]
        store_run(tmp_path / "results", f"present-{level}", *cells)
    runs = [f"present-{level}" for level in (1, 2, 3)]
    text = mrbench("compare", *runs, "--each").stdout
    assert ["ged", "dpersona-1", "per-rater", "12", "of", "12", "folds", ".0005"] in [
        line.split() for line in text.splitlines()
    ]
    assert "together: folds of all these comparisons" in text
