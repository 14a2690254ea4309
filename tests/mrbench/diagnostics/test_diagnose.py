"""A finished cell is diagnosed once, keeps what was found, and says why where nothing can be found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result as Called

import mrbench as library
from mrbench.diagnostics.diagnose import Asked, diagnose, kept_diagnosis
from mrbench.diagnostics.document import VERSION, Diagnosis, read_diagnosis, write_diagnosis
from mrbench.diagnostics.figures import Figure
from mrbench.diagnostics.names import BETWEEN, DIVERGENCE, RATERS, REDRAWN, TOTAL_EFFECT, WITHIN
from mrbench.engine.cell import DIAGNOSTICS
from mrbench.engine.damage import fault_of_cell
from mrbench.engine.manifest import facts_of, write_sealed
from mrbench.engine.record import RECORD, read_record
from mrbench.engine.result import Result
from mrbench.engine.run import open_run
from mrbench.errors import DataError, PluginError
from mrbench.registry import discover

METHODS = ("proseg", "unet-majority", "staple")
SETTINGS = {"phantom.subjects": 9, "phantom.size": 32, "proseg.epochs": 10, "unet-majority.epochs": 1}
Call = Callable[..., Called]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("diagnosed") / "results"
    library.run(METHODS, "phantom", preset="quick", settings=SETTINGS, folds=[0], samples=6, limit=4, out=out)
    return out


@pytest.fixture
def results(trained: Path, tmp_path: Path) -> Path:
    """A copy of one's own."""
    return Path(shutil.copytree(trained, tmp_path / "own"))


def cell(results: Path, method: str) -> Result:
    return next(one for one in open_run("last", results).cell_results() if one.spec.method == method)


def asked(results: Path, **more: Any) -> Asked:
    return Asked(data=results, draws=4, device="cpu", **more)


def found(results: Path, method: str, **more: Any) -> Diagnosis:
    return diagnose(cell(results, method), discover(), asked(results, **more))


@pytest.fixture
def other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrbench.diagnostics.diagnose.other_code", lambda *_: "method.py of mrbench_proseg")


def test_a_method_with_latents_is_drawn_from_again_and_its_draws_are_those_stored(results: Path):
    one = found(results, "proseg")
    assert (one.version, one.draws, one.cases, one.of_cases, one.same_draws) == (VERSION, 4, 4, 4, 4)
    assert {"total effect of z, rater held", "total effect of tau, rater held", "KL of z", "KL of tau"} <= set(
        one.figures
    )
    within, between = (one.figures[f"share {part}"].value for part in ("within a rater", "between raters"))
    assert within is not None
    assert between == pytest.approx(1 - within)
    assert len(one.deltas) == 4
    pixels = [one.figures[f"pixel information {part}"].value for part in ("on the rater", "within a rater")]
    assert sum(value for value in pixels if value is not None) == pytest.approx(1)
    assert "change of Dice on the rater by tau of the mean rater" in one.figures


def test_the_same_is_found_again_whatever_was_drawn_in_between(results: Path):
    first = found(results, "proseg", cases=2)
    assert found(results, "proseg", cases=2) == first
    assert first.cases == 2


def test_the_file_is_vouched_for_and_what_was_there_stays_as_it_was(results: Path):
    before = read_record(cell(results, "proseg").folder or Path())
    found(results, "proseg", cases=1)
    folder = cell(results, "proseg").folder
    assert folder is not None
    after = read_record(folder)
    assert fault_of_cell(folder) is None
    assert before is not None
    assert after is not None
    assert set(after["files"]) == {*before["files"], DIAGNOSTICS}
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"files", "sha256"}
    assert all(after["files"][name] == facts for name, facts in before["files"].items())


def test_people_have_a_distance_and_no_figure_that_needs_weights(results: Path):
    one = found(results, "staple")
    assert (one.draws, one.same_draws, one.deltas) == (0, None, [])
    assert [name for name, figure in one.figures.items() if figure.value is not None] == ["distance of two raters"]
    assert one.figures["share within a rater"].why == "no weights: masks of people"


def test_a_single_output_has_nothing_to_draw_and_says_so_with_no_zero(results: Path):
    one = found(results, "unet-majority")
    assert one.figures["distance of two samples"].why == "it gives no set of samples"
    for name in ("total effect of noise", "change of latents", "entropy of pixels"):
        assert one.figures[name].why == "a single output: nothing is drawn"
    assert all(figure.why for name, figure in one.figures.items() if name != "distance of two raters")


def test_people_need_no_data_and_no_code(results: Path, other_code: None):
    shutil.rmtree(results / "trainings")
    assert found(results, "staple").cases == 4


def test_other_code_is_refused_unless_it_is_asked_for_and_then_told(results: Path, other_code: None):
    with pytest.raises(PluginError, match="trained by other code") as error:
        found(results, "proseg")
    assert "method.py of mrbench_proseg" in error.value.message
    assert "--other-code" in error.value.message
    assert found(results, "proseg", cases=1, other_code=True).other_code == "method.py of mrbench_proseg"


def test_damaged_weights_are_told_of_by_their_file(results: Path):
    weights = next((results / "trainings").glob("phantom/proseg/*/*/weights/image_encoder.pt"))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(DataError, match=r"image_encoder\.pt is not the file that was written"):
        found(results, "proseg")


def test_absent_weights_are_told_of_with_the_command_that_makes_them(results: Path):
    shutil.rmtree(results / "trainings")
    with pytest.raises(DataError, match="weights of proseg") as error:
        found(results, "proseg")
    assert "mrbench run --method proseg" in error.value.message


def test_what_is_there_is_kept_unless_other_draws_cases_or_a_version_are_asked_for(results: Path):
    found(results, "proseg", cases=2)
    one = cell(results, "proseg")
    assert kept_diagnosis(one, asked(results, cases=2)) is not None
    assert kept_diagnosis(one, asked(results)) is None
    assert kept_diagnosis(one, Asked(data=results, draws=5, cases=2)) is None
    folder = one.folder or Path()
    write_diagnosis(folder, Diagnosis(version="0", draws=4, cases=2, of_cases=4, figures={}))
    assert kept_diagnosis(cell(results, "proseg"), asked(results, cases=2)) is None


def test_a_damaged_file_is_never_a_number_and_is_written_anew(results: Path):
    found(results, "staple")
    path = (cell(results, "staple").folder or Path()) / DIAGNOSTICS
    path.write_text(path.read_text().replace('"value": 0.', '"value": 0.9'))
    with pytest.raises(DataError, match=r"diagnostics.json is not the file that was written"):
        read_diagnosis(cell(results, "staple"))
    assert kept_diagnosis(cell(results, "staple"), asked(results)) is None
    found(results, "staple")
    assert kept_diagnosis(cell(results, "staple"), asked(results)) is not None


@pytest.mark.parametrize("content", [{"version": "1"}, {"version": "1", "figures": []}, [1]])
def test_a_file_of_another_form_is_refused_though_the_record_vouches_for_it(results: Path, content: Any):
    folder = cell(results, "staple").folder or Path()
    write_diagnosis(folder, Diagnosis(draws=0, cases=1, of_cases=1, figures={}))
    record = read_record(folder) or {}
    (folder / DIAGNOSTICS).write_text(json.dumps(content))
    write_sealed(folder / RECORD, {**record, "files": {**record["files"], DIAGNOSTICS: facts_of(folder / DIAGNOSTICS)}})
    with pytest.raises(DataError, match="cannot read"):
        read_diagnosis(cell(results, "staple"))


def test_a_cell_without_a_record_takes_no_diagnosis(tmp_path: Path):
    with pytest.raises(DataError, match="has no record"):
        write_diagnosis(tmp_path, Diagnosis(draws=0, cases=1, of_cases=1, figures={}))


@pytest.fixture
def called(results: Path, mrbench: Call) -> Call:
    return lambda *words: mrbench(*words, "--out", str(results))


def test_the_command_diagnoses_what_is_not_diagnosed_and_prints_a_column_each(called: Call):
    first = called("diagnose", "last", "--draws", "4", "--cases", "2")
    assert first.exit_code == 0
    assert "proseg on phantom fold0-seed0: diagnosed, draws as stored in 2 of 2 cases" in first.stderr
    assert "share within a rater" in first.stdout
    again = called("diagnose", "last", "--draws", "4", "--cases", "2")
    assert again.stderr.count(": kept") == 3
    assert again.stdout == first.stdout


def test_figures_of_another_version_are_shown_until_they_are_computed_again_and_that_is_told(
    called: Call, results: Path
):
    folder = cell(results, "staple").folder or Path()
    old = Diagnosis(version="1", draws=0, cases=4, of_cases=4, figures={"distance of two raters": Figure(0.5)})
    write_diagnosis(folder, old)
    assert read_diagnosis(cell(results, "staple")) == old
    first = called("diagnose", "last:staple")
    assert "staple on phantom fold0-seed0: diagnosed, in place of figures of version 1" in first.stderr
    assert called("diagnose", "last:staple").stderr.strip().endswith(": kept")


def test_one_method_is_named_as_everywhere_and_an_unknown_one_is_refused(called: Call):
    found = json.loads(called("diagnose", "last:staple", "--json").stdout)
    assert list(found) == ["staple on phantom"]
    wrong = called("diagnose", "last:stable")
    assert wrong.exit_code == 2
    assert "did you mean 'staple'" in wrong.stderr


def test_a_cell_that_cannot_be_diagnosed_costs_the_others_nothing(called: Call, other_code: None):
    result = called("diagnose", "last")
    assert result.exit_code == 1
    assert "proseg on phantom fold0-seed0: proseg on phantom fold0-seed0 was trained by other code" in result.stderr
    assert "staple on phantom fold0-seed0: diagnosed" in result.stderr


def test_verdicts_are_caveats_of_the_row_and_a_damaged_file_is_one_too(called: Call, results: Path):
    figures = {"total effect of tau": {"value": 0.001}}
    folder = cell(results, "proseg").folder or Path()

    one = Diagnosis(draws=4, cases=1, of_cases=4, figures={name: Figure(**own) for name, own in figures.items()})
    write_diagnosis(folder, one)
    row = next(
        row for row in json.loads(called("show", "--json").stdout)["tables"][0]["rows"] if row["method"] == "proseg"
    )
    assert "inert: total effect of tau 0.10%" in row["marks"]
    assert row["diagnostics"]["total effect of tau"]["value"] == 0.001
    (folder / DIAGNOSTICS).write_text("{}")
    assert "diagnostics.json is damaged" in " ".join(called("show").stdout.split())


def test_run_diagnoses_when_it_is_asked_to(mrbench: Call, results: Path):
    words = [word for name in METHODS for word in ("--method", name)]
    words += [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    words += ["--dataset", "phantom", "--preset", "quick", "--fold", "0", "--samples", "6", "--limit", "4"]
    result = mrbench("run", *words, "--out", str(results), "--diagnose")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count(": diagnosed") == 3
    assert read_diagnosis(cell(results, "proseg")) is not None


def test_a_report_has_a_section_of_each_method_that_was_diagnosed(called: Call, results: Path, tmp_path: Path):
    called("diagnose", "last:proseg", "--draws", "4", "--cases", "2")
    page = tmp_path / "page.html"
    assert called("report", "last", "--to", str(page)).exit_code == 0
    assert "Diagnostics of proseg" in page.read_text()
    assert "Diagnostics of staple" not in page.read_text()


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("again") / "results"
    library.run("oracle-raters", "phantom", settings={"subjects": 9, "size": 32}, folds=[0], samples=6, out=out)
    return out


def test_raters_are_asked_again_and_their_redraws_are_those_stored(again: Path):
    one = found(again, "oracle-raters")
    assert (one.draws, one.same_draws) == (4, one.cases)
    names = [f"{REDRAWN} {name}" for name in ("tight", "generous", "smooth", "halo")]
    assert all(one.figures[name].value is not None for name in (*names, RATERS, WITHIN, BETWEEN))
    assert np.shape(one.deltas) == (4, 4)
    for name in (f"{TOTAL_EFFECT} noise", f"{DIVERGENCE} latents"):
        assert one.figures[name].why == "people asked again: no site of noise and no latent of theirs is known"


def test_more_redraws_are_the_same_and_others(again: Path):
    few, many = (diagnose(cell(again, "oracle-raters"), discover(), Asked(data=again, draws=n)) for n in (4, 12))
    assert few.same_draws == many.same_draws == many.cases
    assert many.draws == 12
    assert few.figures[RATERS].value == pytest.approx(many.figures[RATERS].value, abs=0.05)


def test_redraws_by_other_code_are_refused(again: Path, other_code: None):
    with pytest.raises(PluginError, match="was computed by other code than is installed here"):
        found(again, "oracle-raters")


def test_the_row_of_raters_asked_again_says_so_and_is_no_best_of_a_column(again: Path, mrbench: Call):
    row = json.loads(mrbench("show", "last", "--json", "--out", str(again)).stdout)["tables"][0]["rows"][0]
    assert row["marks"][:2] == ["sees test masks", "raters asked again"]
    assert row["best"] == []
