"""The doctor: calm where all is well, exact where it is not, and silent on what is nobody's business."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result

from mrbench.doctor.machine import machine
from mrbench.doctor.results import results
from mrbench.doctor.software import software
from mrbench.plugin_commands import GROUP

Call = Callable[..., Result]
STAPLE = """
from mrbench import DatasetCard, MethodCard, hookimpl
MRBENCH_API = "2"

@hookimpl
def mrbench_methods():
    return [MethodCard(name="{name}", code="no:No", config="no:No", summary="", requires=("no_such.module",))]
"""
SICK_DATA = """
from mrbench import Config, DatasetCard, hookimpl
MRBENCH_API = "2"

def load(config, folder):
    print("this goes to standard error")
    raise OSError("the disk is on fire")

@hookimpl
def mrbench_datasets():
    return [DatasetCard(name="sick", code="sick_data:load", config="mrbench.configuration:Config", summary="")]
"""


def examine(mrbench: Call, *words: str) -> dict:
    return json.loads(mrbench("doctor", "--json", *words).stdout)


def test_a_sound_installation_needs_no_attention(mrbench: Call):
    result = mrbench("doctor")
    assert result.exit_code == 0, result.stdout
    titles = [line for line in result.stdout.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Software:", "Machine:", "Data:", "Results:", "Plugins:", "Observers:", "Commands:"]
    assert result.stdout.endswith("Nothing needs attention.\n")


def test_json_holds_what_the_text_says(mrbench: Call):
    found = examine(mrbench)
    assert found["ok"] is True
    assert found["attention"] == []
    assert found["software"]["packages"]["torch"]
    assert found["machine"]["cores"] >= 1
    assert found["data"]["datasets"]["phantom"] == {"state": "ready", "found": "371 cases of 96 subjects, 4 raters"}
    assert found["data"]["datasets"]["npc"]["state"] == "absent"
    assert "mrbench data prepare npc" in found["data"]["datasets"]["npc"]["next"]
    assert {"proseg", "staple"} <= set(found["plugins"]["distributions"]["mrbench"]["provides"]["methods"])
    assert found["observers"]["tensorboard"]["state"] == "ready"


def test_it_is_readable_at_sixty_columns(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    lines = mrbench("doctor").stdout.splitlines()
    assert [line for line in lines if len(line) > 60 and " " in line.strip()[23:]] == []


def test_it_writes_nothing(mrbench: Call, tmp_path: Path):
    mrbench("doctor")
    assert list(tmp_path.iterdir()) == []


def test_a_plugin_that_was_set_aside_is_shown_with_its_whole_traceback(
    mrbench: Call, make_distribution: Callable[..., None]
):
    source = "def inner():\n    raise RuntimeError('broken at import')\ninner()"
    make_distribution("broken", {"broken_plugin": source}, {"broken": "broken_plugin"})
    result = mrbench("doctor")
    assert result.exit_code == 1
    head, _, attention = result.stdout.rpartition("Needs attention:")
    assert attention.strip() == "- plugin broken of broken is set aside: RuntimeError: broken at import"
    assert "in inner\n" in head
    assert result.stdout.count("set aside") == 2, "once in the table, once among what needs attention"
    assert result.stderr == ""
    assert "in inner\n" in examine(mrbench)["plugins"]["set_aside"][0]["traceback"]


@pytest.mark.parametrize(
    ("source", "reason", "traceback"),
    [(None, "cannot read the plugin file", ""), ("def f():\n    1 / 0\nf()", "raised an exception", "in f\n")],
)
def test_a_plugin_file_that_cannot_be_used_needs_attention(
    mrbench: Call, source: str | None, reason: str, traceback: str
):
    if source is not None:
        Path("doubtful.py").write_text(source)
    found = examine(mrbench, "--plugin-file", "doubtful.py")
    (aside,) = found["plugins"]["set_aside"]
    assert reason in aside["reason"]
    assert traceback in aside["traceback"]
    assert mrbench("doctor", "--plugin-file", "doubtful.py").exit_code == 1


def test_names_that_are_taken_twice_are_good_to_know(mrbench: Call, make_distribution: Callable[..., None]):
    make_distribution("one", {"one_plugin": STAPLE.format(name="staple")}, {"one": "one_plugin"})
    make_distribution("two", {"two_plugin": STAPLE.format(name="twin")}, {"two": "two_plugin"})
    make_distribution("three", {"three_plugin": STAPLE.format(name="twin")}, {"three": "three_plugin"})
    make_distribution("four", {"four_plugin": "import click\nf = click.Command('f')"}, {"run": "four_plugin:f"}, GROUP)
    result = mrbench("doctor")
    assert result.exit_code == 0
    for line in (
        "method 'staple' means the built-in one; say 'one:staple' for the other",
        "method 'twin' is provided by several plugins; say 'three:twin' or 'two:twin'",
        "command 'run' means the built-in one; say 'four:run' for the other",
        "'one:staple' needs the module 'no_such.module', which is not installed",
    ):
        assert f"  - {line}\n" in result.stdout


def test_a_command_that_cannot_be_loaded_needs_attention(mrbench: Call, make_distribution: Callable[..., None]):
    make_distribution("faulty", {"bad": "raise RuntimeError('one\\ntwo')"}, {"greet": "bad:greet"}, GROUP)
    found = examine(mrbench)
    assert found["attention"] == ["command 'greet' of 'faulty' cannot be loaded: RuntimeError: one"]
    assert "command faulty:greet, in full:\n  Traceback" in mrbench("doctor").stdout


def test_a_data_set_that_cannot_be_loaded_needs_attention(mrbench: Call):
    Path("sick_data.py").write_text(SICK_DATA)
    result = mrbench("doctor", "--plugin-file", "sick_data.py", "--json")
    found = json.loads(result.stdout)
    said = "data set 'sick_data.py:sick' cannot be loaded: OSError: the disk is on fire (sick_data.py:7)"
    assert found["attention"] == [said]
    assert "standard error" in result.stderr
    sys.modules.pop("sick_data")


def test_a_data_set_that_gives_something_else_needs_attention(mrbench: Call):
    Path("text_data.py").write_text(SICK_DATA.replace("sick_data", "text_data").replace("raise OSError", "return str"))
    (line,) = examine(mrbench, "--plugin-file", "text_data.py")["attention"]
    assert line == "data set 'text_data.py:sick' cannot be loaded: it returned no CaseSet (text_data.py:5)"
    sys.modules.pop("text_data")


def test_the_home_folder_and_the_environment_are_nobodys_business(
    mrbench: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SECRET_TOKEN", "swordfish")
    text = mrbench("doctor", "--out", str(tmp_path / "results")).stdout
    assert "swordfish" not in text
    assert str(tmp_path) not in text
    assert "~/results" in text
    assert "~/data" in text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Results with two finished cells, a failed one and an attempt that nobody is at."""
    places = tmp_path / "results" / "cells" / "phantom" / "staple" / "0123"
    for name in ("fold0-seed0", "fold1-seed0", "fold2-seed0.failed"):
        (places / name).mkdir(parents=True)
        (places / name / "record.json").write_text("{}")
    left = tmp_path / "results" / "trainings" / "phantom" / "unet" / "4567" / "fold0-seed0.attempt-abc"
    left.mkdir(parents=True)
    (left / "lease.json").write_text('{"host": "elsewhere", "expiry": 0}')
    (tmp_path / "results" / "runs" / "run-1").mkdir(parents=True)
    (tmp_path / "results" / "runs" / "run-1" / "run.json").write_text("{}")
    return tmp_path / "results"


def test_what_was_left_in_the_results_is_counted(folder: Path):
    found = results(folder)
    counts = {name: found.facts[name] for name in ("runs", "finished", "failed", "running", "left_over")}
    assert counts == {"runs": 1, "finished": 2, "failed": 1, "running": 0, "left_over": 1}
    assert [note.partition(";")[0] for note in found.notes] == ["failed cells: 1", "attempts left over: 1"]
    assert found.attention == []


def test_a_results_folder_that_cannot_be_written_to_needs_attention(tmp_path: Path):
    (tmp_path / "file").touch()
    found = results(tmp_path / "file" / "results")
    assert found.facts["writable"] is False
    assert any("cannot be written to: --out names another" in line for line in found.attention)


def test_a_full_disk_needs_attention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**29))
    assert "nearly full: 0.5 GiB are free" in results(tmp_path).attention[0]


def test_an_extra_that_is_absent_comes_with_its_command(monkeypatch: pytest.MonkeyPatch):
    stated = ["numpy>=1", "no-such-package>=2", "click; extra == 'full'", 'no-such-other[x]>=1 ; extra == "partial"']
    stated += ["mrbench[full]; extra == 'test'"]
    monkeypatch.setattr("mrbench.doctor.software.requires", lambda _: stated)
    found = software()
    rows = dict(found.rows)
    assert rows["extra full"] == "there"
    assert rows["extra partial"] == "pip install 'mrbench[partial]'"
    assert "extra test" not in rows
    assert rows["no-such-package"] == "missing"
    assert found.attention == ["package 'no-such-package' is missing: pip install no-such-package"]


def test_a_broken_torch_needs_attention(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert machine().attention[0].startswith("torch does not work here: ")


def test_a_gpu_that_torch_cannot_use_is_good_to_know(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("mrbench.doctor.machine.visible_gpus", lambda: ["0"])
    assert "torch cannot use" in machine().notes[0]


def test_a_gpu_is_named_with_its_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    properties = SimpleNamespace(name="Some GPU", total_memory=80 * 2**30)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda _: properties)
    found = machine()
    assert dict(found.rows)["cuda"] == "Some GPU 80.0 GiB"
    assert found.facts["devices"]["cuda"] == [{"name": "Some GPU", "memory": 80 * 2**30}]
