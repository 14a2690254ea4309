"""Commands as a user types them: what they print, what they refuse and how they end."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import Result
from stored_runs import StoredCell, cases, store_run

from mrbench.configuration import as_text
from mrbench.engine.cell import FORMAT

Call = Callable[..., Result]
TINY = ("--dataset", "phantom", "--set", "phantom.subjects=9", "--set", "phantom.size=32")


def run_staple(mrbench: Call, *more: str) -> Result:
    return mrbench("run", "--method", "staple", *TINY, "--out", "out", *more)


def test_help_names_every_command(mrbench: Call):
    text = mrbench("--help").stdout
    for name in ("run", "list", "info", "show", "score", "data"):
        assert re.search(rf"^  {name} ", text, re.MULTILINE)
    assert "not for clinical use" in text


@pytest.mark.parametrize("command", ["run", "list", "info", "show", "score", "data", "data prepare", "data inspect"])
def test_every_command_explains_itself(mrbench: Call, command: str):
    result = mrbench(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage: mrbench" in result.stdout


def test_list_and_info_speak_of_the_same_plugins(mrbench: Call):
    names = [
        item["name"]
        for kind in ("methods", "datasets", "metrics")
        for item in json.loads(mrbench("list", kind, "--json").stdout)
    ]
    assert len(names) == len(set(names)) > 20
    for name in names:
        assert mrbench("info", name).exit_code == 0


def test_info_shows_options_presets_and_the_citation(mrbench: Call):
    text = mrbench("info", "proseg").stdout
    for word in ("backbone.name", "Preset quick", "Preset as_released", "Paper and released code differ", "ProSeg"):
        assert word in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--method", "prosge", "--dataset", "phantom"), "did you mean 'proseg'"),
        (("--method", "staple", "--dataset", "fantom"), "did you mean 'phantom'"),
        (("--method", "staple", "--dataset", "phantom", "--metric", "gde"), "did you mean 'ged'"),
        (("--method", "proseg", "--dataset", "phantom", "--set", "epoch=3"), "did you mean 'epochs'"),
        (("--method", "proseg", "--dataset", "phantom", "--set", "proseg.epoch=3"), "did you mean 'epochs'"),
        (("--method", "proseg", "--dataset", "phantom", "--set", "epochs=many"), "valid integer"),
        (("--method", "proseg", "--dataset", "phantom", "--set", "epochs"), "KEY=VALUE"),
        (("--method", "proseg", "--dataset", "phantom", "--preset", "quik"), "did you mean 'quick'"),
        (("--method", "staple", "--dataset", "phantom", "--fold", "7"), "no fold 7"),
        (("--method", "staple", "--dataset", "phantom", "--split", "stict"), "did you mean 'strict'"),
        (("--method", "staple"), "no dataset is named"),
        (("--dataset", "phantom"), "no method is named"),
        (("--method", "staple", "--dataset", "phantom", "--samples", "0"), "samples"),
        (("--method", "staple", "--dataset", "phantom", "--device", "tpu"), "tpu"),
        (("--method", "proseg", "--dataset", "phantom", "--raters-present", "0"), "raters-present"),
        (("--method", "proseg", "--dataset", "phantom", "--raters-present", "5"), "1..4, for it has 4 raters"),
        (("--method", "proseg", "--dataset", "phantom", "--sparsity", "fixed"), "--raters-present N"),
        (("--method", "staple", "--dataset", "phantom", "--raters-present", "1"), "a method that learns"),
        (("--method", "staple", "--dataset", "phantom", "--precision", "bf16"), "--precision bf16 changes trainings"),
        (("--method", "proseg", "--dataset", "phantom", "--precision", "fp8"), "'float32', 'bf16'"),
        (("--method", "staple", "--dataset", "phantom", "--wrong"), "No such option"),
    ],
)
def test_a_wrong_word_is_a_usage_error_that_offers_the_right_one(mrbench: Call, words: tuple[str, ...], message: str):
    result = mrbench("run", *words, "--out", "out")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("out").exists(), "nothing is left behind"


def test_an_unknown_command_offers_the_nearest(mrbench: Call):
    result = mrbench("lst")
    assert result.exit_code == 2
    assert "did you mean 'list'" in result.stderr


@pytest.mark.parametrize(
    ("dataset", "words"),
    [("npc", ("MMIS-2024", "mrbench data prepare npc --source")), ("lidc", ("TCIA", "lidc_nodules.npz"))],
)
def test_absent_data_say_how_to_get_and_prepare_them(mrbench: Call, dataset: str, words: tuple[str, ...]):
    result = mrbench("run", "--method", "proseg", "--dataset", dataset)
    assert result.exit_code == 2
    for word in words:
        assert word in result.stderr


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("empty", "is empty"),
        ("nan", "case3"),
        ("no-rater", "case2"),
        ("labels", "case4"),
        ("one-class", "one class only"),
        ("float-masks", "integer"),
        ("shape", "shape"),
        ("leak", "subject 's2'"),
    ],
)
def test_wrong_data_are_refused_before_anything_is_computed(mrbench: Call, fault: str, words: str):
    result = mrbench("run", "--method", "staple", "--dataset", "toy-faulty", "--set", f"fault={fault}", "--out", "out")
    assert result.exit_code == 1
    assert words in result.stderr
    assert not Path("out").exists()


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("command", [("run", "--method", "staple", "--dataset"), ("data", "verify")])
@pytest.mark.parametrize(
    ("fault", "message", "at"),
    [
        ("raises", 'cannot be loaded: KeyError: "a fault of the author\'s" (toy_data.py:{})', "raise KeyError"),
        ("unreadable", "cannot be read: OSError: a fault of the disk's (toy_data.py:{})", "raise OSError"),
        (
            "no-cases",
            "cannot be loaded: it returned no CaseSet (toy_data.py:{})\n"
            "  expected: load(config, folder) returns a CaseSet\n  found:    [1, 2]",
            "def faulty(",
        ),
    ],
)
def test_a_data_set_that_raises_is_one_error_with_its_file_and_line(
    mrbench: Call, tmp_path: Path, command: tuple[str, ...], fault: str, message: str, at: str
):
    result = mrbench(*command, "toy-faulty", "--set", f"fault={fault}")
    source = (tmp_path / "site/mrbench-toys/toy_data.py").read_text().splitlines()
    line = next(number for number, text in enumerate(source, 1) if at in text)
    case = "case 'case5' of " if fault == "unreadable" else ""
    assert result.exit_code == 1
    assert result.stderr == f"{case}data set 'mrbench-toys:toy-faulty' {message.format(line)}"


def test_a_configuration_file_has_the_options_keys_and_the_command_line_wins(mrbench: Call, tmp_path: Path):
    (tmp_path / "run.toml").write_text(
        'method = ["staple", "majority-vote"]\ndataset = "phantom"\nfold = [0, 1]\nout = "out"\n'
        "[set]\nphantom.subjects = 9\nphantom.size = 32\n"
    )
    assert "4 cells" in mrbench("run", "--config", "run.toml", "--dry-run").stdout
    assert "2 cells" in mrbench("run", "--config", "run.toml", "--fold", "2", "--dry-run").stdout


def test_settings_of_the_command_line_are_added_to_those_of_the_file_and_win(mrbench: Call, tmp_path: Path):
    (tmp_path / "run.toml").write_text(
        'method = ["staple"]\ndataset = "phantom"\n'
        '[set]\nphantom.subjects = 9\n"phantom.size" = 32\nstaple.prior = [0.9, 0.1]\nstaple.disagreement_only = true\n'
    )
    words = ("run", "--config", "run.toml", "--dry-run", "--json")
    common = ("--method", "staple", "--dataset", "phantom", "--set", "phantom.size=32")
    estimate = ("--set", "staple.prior=0.9,0.1", "--set", "staple.disagreement_only=true")
    typed = mrbench("run", *common, "--set", "phantom.subjects=12", *estimate, "--dry-run", "--json")
    assert mrbench(*words, "--set", "phantom.subjects=12").stdout == typed.stdout
    assert mrbench(*words).stdout != typed.stdout


def test_what_reproduces_a_cell_sets_the_values_that_a_file_and_python_set(mrbench: Call, tmp_path: Path):
    from mrbench.engine.launch import Launch
    from mrbench.engine.plan import Request
    from mrbench.engine.record import reproduce
    from mrbench.registry import discover

    settings = {"phantom.subjects": 9, "phantom.size": 32, "staple.prior": (0.9, 0.1), "staple.disagreement_only": True}
    request = Request(
        methods=["staple"],
        datasets=["phantom"],
        settings={name: as_text(value) for name, value in settings.items()},
        folds=[0],
        data=tmp_path,
    )
    launch = Launch(request=request)
    ((spec, _),) = launch.planned(discover(), "").run.cells
    for command in (launch.command, reproduce(spec)):
        (cell,) = json.loads(mrbench(*shlex.split(command)[1:], "--dry-run", "--json").stdout)["cells"]
        assert cell["digest"] == spec.digest
    assert "staple.prior=0.9,0.1" in reproduce(spec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("methods = 3", "did you mean 'method'"),
        ("method = [", "cannot read"),
        ("set = 3", "wrong type"),
        ("fold = 'x'", "fold"),
    ],
)
def test_a_wrong_configuration_file_is_a_usage_error(mrbench: Call, tmp_path: Path, text: str, message: str):
    (tmp_path / "run.toml").write_text(text)
    result = mrbench("run", "--config", "run.toml")
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_dry_run_prints_the_plan_and_leaves_nothing(mrbench: Call):
    result = run_staple(mrbench, "--dry-run")
    assert result.stdout.splitlines()[-1].endswith("3 cells")
    assert not Path("out").exists()


def test_a_run_prints_a_table_and_show_prints_it_again(mrbench: Call):
    result = run_staple(mrbench, "--fold", "0")
    assert result.exit_code == 0
    assert re.search(r"staple +1 +\.\d{4}", result.stdout)
    assert "sees the masks it is scored on" in result.stdout
    assert mrbench("show", "--out", "out").stdout == result.stdout


def test_json_goes_to_standard_output_alone(mrbench: Call):
    result = run_staple(mrbench, "--fold", "0", "--json")
    (row,) = json.loads(result.stdout)["tables"][0]["rows"]
    assert row["method"] == "staple"
    assert row["samples"] == 1
    assert row["metrics"]["ged"]["n"] == 1
    assert row["metrics"]["ged"]["sd"] is None


def test_a_metric_can_be_chosen(mrbench: Call):
    text = run_staple(mrbench, "--fold", "0", "--metric", "ged_pa").stdout
    assert "ged_pa" in text
    assert "dice_soft" not in text


def test_a_narrow_terminal_loses_nothing(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    run_staple(mrbench, "--fold", "0")
    monkeypatch.setenv("COLUMNS", "44")
    lines = mrbench("show", "--out", "out").stdout.splitlines()
    assert all(len(line) <= 44 for line in lines)
    assert "…" not in "".join(lines)
    assert any("rater_identification" in line for line in lines)


def test_an_unknown_run_offers_the_nearest(mrbench: Call):
    result = run_staple(mrbench, "--fold", "0", "--json")
    name = json.loads(result.stdout)["run"]
    wrong = mrbench("show", name[:-1] + "x", "--out", "out")
    assert wrong.exit_code == 2
    assert f"did you mean '{name}'" in wrong.stderr


def test_a_damaged_run_is_named(mrbench: Call):
    run_staple(mrbench, "--fold", "0")
    (run,) = Path("out").glob("runs/*/run.json")
    run.write_text(json.dumps({"format": FORMAT}))
    assert "cannot read the run" in mrbench("show", "--out", "out").stderr


@pytest.mark.parametrize(
    "change", [{"dataset": "../../../etc"}, {"method": 3}, {"training": 5}, {"samples": "many"}, {"fold": -1}]
)
def test_a_strangers_run_leads_to_no_other_folder(mrbench: Call, change: dict):
    run_staple(mrbench, "--fold", "0")
    (path,) = Path("out").glob("runs/*/run.json")
    stored = json.loads(path.read_text())
    stored["cells"][0]["spec"] |= change
    path.write_text(json.dumps(stored))
    result = mrbench("show", "--out", "out")
    assert result.exit_code == 1
    assert "no specification of a cell" in result.stderr


TWO_FUSIONS = (
    "run",
    "--method",
    "majority-vote",
    "--method",
    "staple",
    *TINY,
    "--fold",
    "0",
    "--fold",
    "1",
    "--out",
    "out",
)
DAMAGE: Mapping[str, tuple[Callable[[str], str], str]] = {
    "cut short": (lambda text: text[:300], "cannot read the record {path}: "),
    "another type": (
        lambda text: json.dumps(json.loads(text) | {"status": "weird"}),
        "the record {path} is damaged: status: Input should be 'ok'",
    ),
}


@pytest.fixture(params=DAMAGE)
def damaged(mrbench: Call, request: pytest.FixtureRequest) -> tuple[Path, str]:
    """One of four records is damaged: where it lies, and what is said of it."""
    assert mrbench(*TWO_FUSIONS).exit_code == 0
    (path,) = Path("out").glob("cells/phantom/staple/*/fold1-seed0/record.json")
    damage, said = DAMAGE[request.param]
    path.write_text(damage(path.read_text()))
    return path, said.format(path=path)


@pytest.mark.parametrize("command", ["show", "score", "compare"])
def test_a_damaged_record_costs_its_own_cell_only(mrbench: Call, damaged: tuple[Path, str], command: str):
    _, said = damaged
    result = mrbench(command, "last", "--out", "out")
    assert result.exit_code == 1
    text = " ".join(result.stdout.split())
    assert f"fold1-seed0 damaged: {said}" in text
    assert "mrbench repair RUN moves it aside; the same mrbench run then computes it anew and keeps the others" in text
    found = json.loads(mrbench(command, "last", "--out", "out", "--json").stdout)
    if command == "compare":
        assert found["comparisons"][0]["metrics"], "of the fold that both have"
    else:
        assert [row["cells"] for row in found["tables"][0]["rows"]] == [[2, 2], [1, 2]]
        assert [cell["status"] for cell in found["cells"]] == ["ok", "ok", "ok", "damaged"]


def test_a_cell_with_a_damaged_record_is_computed_again_and_the_others_are_kept(
    mrbench: Call, damaged: tuple[Path, str]
):
    path, _ = damaged
    others = {other: other.stat().st_mtime_ns for other in Path("out").glob("cells/**/record.json") if other != path}
    plan = json.loads(mrbench(*TWO_FUSIONS, "--dry-run", "--json").stdout)
    assert [cell["state"] for cell in plan["cells"]] == ["kept", "kept", "kept", "to do"]
    result = mrbench(*TWO_FUSIONS)
    assert result.exit_code == 0
    assert result.stderr.count("finished before, kept") == 3
    assert {other: other.stat().st_mtime_ns for other in others} == others
    assert json.loads(path.read_text())["status"] == "ok"
    assert mrbench("show", "--out", "out").exit_code == 0


def test_a_picture_of_other_data_is_refused(mrbench: Call):
    run_staple(mrbench, "--fold", "0")
    (path,) = Path("out").glob("runs/*/run.json")
    path.write_text(path.read_text().replace('"data_digest": "', '"data_digest": "0'))
    assert mrbench("show", "--out", "out", "--picture", "x.png").exit_code == 1
    assert not Path("x.png").exists()


@pytest.mark.usefixtures("toys")
def test_a_metric_that_fails_costs_the_others_nothing(mrbench: Call):
    result = run_staple(mrbench, "--fold", "0")
    assert result.exit_code == 0
    assert re.search(r"staple +1 +\.\d{4}", result.stdout)
    assert "metric 'mrbench-toys:toy-broken', case" in result.stdout


def test_damaged_predictions_are_named(mrbench: Call):
    run_staple(mrbench, "--fold", "0")
    (path,) = Path("out").glob("cells/**/predictions.h5")
    path.write_bytes(path.read_bytes()[:500])
    result = mrbench("score", "--out", "out")
    assert result.exit_code == 1
    assert "fold0-seed0 damaged: " in result.stdout
    assert "predictions.h5" in result.stdout


def test_data_verify_reads_every_case(mrbench: Call):
    result = mrbench("data", "verify", "phantom", "--set", "subjects=9", "--set", "size=32")
    assert result.exit_code == 0
    assert "9 subjects" in result.stdout


def test_data_prepare_refuses_a_data_set_that_needs_none(mrbench: Call, tmp_path: Path):
    result = mrbench("data", "prepare", "phantom", "--source", str(tmp_path))
    assert result.exit_code == 2
    assert "nothing prepares data set" in result.stderr


def test_pictures_are_png_files(mrbench: Call):
    assert mrbench("data", "inspect", "phantom", "--set", "subjects=9", "--out", "sheet.png").exit_code == 0
    run_staple(mrbench, "--fold", "0")
    assert mrbench("show", "--out", "out", "--picture", "run.png").exit_code == 0
    for name in ("sheet.png", "run.png"):
        assert Path(name).read_bytes().startswith(b"\x89PNG")


def test_an_interrupted_run_ends_with_130_and_says_how_to_go_on(tmp_path: Path):
    import signal
    import time

    command = [
        sys.executable,
        "-m",
        "mrbench",
        "run",
        "--method",
        "unet-majority",
        "--preset",
        "quick",
        *TINY,
        "--out",
        "out",
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("out/trainings/**/lease.json")):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "same command" in errors
    assert "Traceback" not in errors


def test_python_m_mrbench_is_the_same_program():
    output = subprocess.run([sys.executable, "-m", "mrbench", "--version"], capture_output=True, text=True, check=True)
    assert output.stdout.startswith("mrbench, version")
    assert os.linesep in output.stdout


def test_too_little_memory_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    from mrbench import cli

    def fails(**_):
        raise MemoryError("Unable to allocate 1. TiB")

    monkeypatch.setattr(cli.group, "main", fails)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == (
        "mrbench: there is not enough memory for this\n  found:    Unable to allocate 1. TiB\n"
    )


def test_a_run_of_a_stranger_cannot_steer_a_terminal(mrbench: Call, tmp_path: Path):
    cell = StoredCell("proseg", cases("ged", [0.5]), spec={"changed": {"\x1b[2J": "\x07"}})
    run = store_run(tmp_path / "results", "r", cell)
    shown = mrbench("show", "r")
    assert shown.exit_code == 0, shown.stderr
    assert r"\x1b[2J = \x07: all rows" in shown.stdout
    assert "\x1b" not in shown.stdout
    run.folder.rename(run.folder.with_name("\x1b[2J"))
    refused = mrbench("show", "last")
    assert refused.exit_code == 1
    assert "hidden characters in its name" in refused.stderr
    assert "\x1b" not in refused.stderr


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1.5", "Auto", ""])
def test_jobs_are_a_number_from_one_or_auto(mrbench: Call, jobs: str):
    result = mrbench("run", "--method", "staple", "--dataset", "phantom", "--dry-run", f"--jobs={jobs}")
    assert result.exit_code == 2
    assert f"{jobs!r} is neither a number from 1 nor auto." in result.stderr
