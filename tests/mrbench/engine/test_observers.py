"""Observers: told of every cell in order, each alone, and whatever one does harms nobody."""

import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.observers import LOG, Observers, choose
from mrbench.engine.record import make_record, write_record
from mrbench.engine.run import Run
from mrbench.errors import PluginError, UnknownNameError, UsageError
from mrbench.registry import Observer, Registry, discover

Call = Callable[..., Result]
TINY = ("--dataset", "phantom", "--set", "phantom.subjects=9", "--set", "phantom.size=32", "--samples", "4")
SPEC = CellSpec(
    method="staple", dataset="phantom", kind="fusion", family="staple", gives="consensus", method_version="1",
    capabilities=("consensus",), options={}, training={}, prediction={}, preset="default", changed={},
    dataset_options={}, dataset_changed={}, data_digest="d", split="strict", split_digest="s", fold=0, seed=0,
    samples=4,
)  # fmt: skip

HEAD = """
'''{summary}'''
from mrbench import hookimpl
MRBENCH_API = "2"
"""

DIARY = """
'''Writes down what it is told.'''
import json
from pathlib import Path
from mrbench import hookimpl
MRBENCH_API = "2"

def note(*words):
    print("this goes to standard error")
    with Path("diary.jsonl").open("a") as file:
        file.write(json.dumps(words) + "\\n")

@hookimpl
def mrbench_run_start(run): note("run start", run.id, len(run.cells))

@hookimpl
def mrbench_run_end(results): note("run end", *(result.status for result in results))

@hookimpl
def mrbench_cell_start(cell): note("start", cell.method)

@hookimpl
def mrbench_cell_end(cell, record): note("end", cell.method, record["status"])
"""


def diary() -> list[list[Any]]:
    lines = [json.loads(line) for line in Path("diary.jsonl").read_text().splitlines()]
    Path("diary.jsonl").unlink()
    return lines


@pytest.fixture(autouse=True)
def _forget_plugin_files(tmp_path: Path) -> Iterator[None]:
    yield
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def observe(tmp_path: Path) -> Callable[..., Observers]:
    """Observers of a run with one cell, each from the body of a module of its own."""

    def make(*bodies: str) -> Observers:
        paths = []
        for number, body in enumerate(bodies):
            path = tmp_path / f"observer_{number}.py"
            path.write_text(HEAD.format(summary="an observer") + textwrap.dedent(body))
            paths.append(path)
        run = Run("run-1", tmp_path / "results", [(SPEC, "")], {"phantom": {"classes": ["a"]}}, "mrbench run")
        run.write()
        SPEC.folder(run.results).mkdir(parents=True)
        phases = {"predict": {"seconds": 1.0, "peak_memory_mib": 1.0}}
        record = make_record(SPEC, Status.OK, metrics={}, profile={"phases": phases})
        write_record(SPEC.folder(run.results), record)
        return Observers(discover([], paths).observers, run)

    return make


def log(observers: Observers) -> str:
    path = observers.run.folder / LOG
    return path.read_text() if path.exists() else ""


@pytest.mark.usefixtures("toys")
def test_every_cell_is_told_of_once_and_a_kept_one_has_no_start(mrbench: Call):
    Path("diary.py").write_text(DIARY)
    methods = ("--method", "staple", "--method", "toy-raises")
    words = (
        "run",
        *methods,
        *TINY,
        "--fold",
        "0",
        "--out",
        "out",
        "--json",
        "--jobs",
        "1",
        "--plugin-file",
        "diary.py",
    )
    first = mrbench(*words, "--observe", "diary")
    assert {cell["status"] for cell in json.loads(first.stdout)["cells"]} == {"ok", "failed"}
    assert "this goes to standard error" in first.stderr
    staple, toy = "staple", "mrbench-toys:toy-raises"
    begin, *told, end = diary()
    assert begin[0] == "run start"
    assert begin[2] == 2
    assert told == [["start", staple], ["end", staple, "ok"], ["start", toy], ["end", toy, "failed"]]
    assert end == ["run end", "ok", "failed"]
    mrbench(*words, "--observe", "diary")
    assert diary()[1:-1] == [["end", staple, "ok"], ["start", toy], ["end", toy, "failed"]]


@pytest.mark.usefixtures("toys")
def test_a_cell_that_the_plan_excludes_is_told_of_at_the_ends_of_the_run_only(mrbench: Call):
    Path("diary.py").write_text(DIARY)
    volumes = ("--set", "phantom.unit=volume", "--plugin-file", "diary.py", "--observe", "diary.py:diary")
    mrbench("run", "--method", "toy-fine", *TINY, *volumes, "--fold", "0", "--out", "out")
    (_, _, planned), end = diary()
    assert planned == 1
    assert end == ["run end", "not-applicable"]


def test_an_interruption_goes_through_and_the_run_still_ends(mrbench: Call):
    Path("diary.py").write_text(DIARY)
    Path("stop.py").write_text(
        HEAD.format(summary="Ctrl-C") + "@hookimpl\ndef mrbench_cell_start(cell): raise KeyboardInterrupt\n"
    )
    files = ("--plugin-file", "diary.py", "--plugin-file", "stop.py", "--observe", "stop", "--observe", "diary")
    result = mrbench("run", "--method", "staple", *TINY, "--fold", "0", "--out", "out", *files)
    assert result.exit_code == 1
    assert "Aborted" in result.stderr
    assert diary()[1:] == [["run end", "interrupted"]]
    assert not list(Path("out").glob("runs/*/logs/*.json")), "the worker was ended and its order removed"
    assert not list(Path("out").glob("runs/*/observers.log"))


FAULTS = {
    "an exception": "raise ValueError('first line\\nsecond line')",
    "an exit": "raise SystemExit(3)",
    "an abort of click": "import click; raise click.Abort",
    "an exception that cannot be printed": "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})",
    "an exception beside Exception": "raise type('Odd', (BaseException,), {})",
    "an endless recursion": "mrbench_cell_end(cell)",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_one_that_raises_is_logged_once_and_harms_nobody(
    observe: Callable[..., Observers], fault: str, capsys: pytest.CaptureFixture[str]
):
    faulty = f"""
        @hookimpl
        def mrbench_cell_end(cell): {fault}
        @hookimpl
        def mrbench_cell_start(cell): print("the faulty one starts")
        @hookimpl
        def mrbench_run_end(results): raise KeyError
    """
    good = """
        @hookimpl
        def mrbench_cell_end(cell): print("the good one ends")
    """
    observers = observe(faulty, good)
    with observers.of_the_run():
        observers.ended(SPEC)
        observers.ended(SPEC)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("the good one ends") == 2
    assert printed.err.count("the faulty one starts") == 1
    assert printed.err.count("warning:") == 1
    assert "failed in mrbench_cell_end and is not called there again" in printed.err
    assert log(observers).count("Traceback") - log(observers).count("direct cause") >= 2
    assert len(re.findall(r"^20\S+ observer_0.py:observer_0 in ", log(observers), re.MULTILINE)) == 2


def test_the_warning_is_one_line(observe: Callable[..., Observers], capsys: pytest.CaptureFixture[str]):
    observe("@hookimpl\ndef mrbench_cell_start(cell): raise ValueError('one\\ntwo')").starting(SPEC)
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: one" in line
    assert "observers.log" in line


def test_an_observer_changes_copies(observe: Callable[..., Observers], capsys: pytest.CaptureFixture[str]):
    vandal = """
        @hookimpl
        def mrbench_cell_end(run, cell, record):
            record.clear(); cell.options["new"] = 1; run.descriptions.clear(); run.cells.clear()
    """
    witness = """
        @hookimpl
        def mrbench_cell_end(run, cell, record):
            print(record["status"], cell.options, run.descriptions, len(run.cells))
    """
    observers = observe(vandal, witness)
    observers.ended(SPEC)
    assert capsys.readouterr().err == "ok {} {'phantom': {'classes': ['a']}} 1\n"
    assert SPEC.options == {}
    assert log(observers) == ""


def test_the_working_folder_is_put_back(observe: Callable[..., Observers], tmp_path: Path):
    before = Path.cwd()
    observe("import os\n@hookimpl\ndef mrbench_cell_start(cell): os.chdir('/')").starting(SPEC)
    assert Path.cwd() == before


def test_a_record_that_cannot_be_read_is_left_to_the_run(observe: Callable[..., Observers]):
    observers = observe("@hookimpl\ndef mrbench_cell_end(cell): raise ValueError")
    (SPEC.folder(observers.run.results) / "record.json").write_text("{")
    observers.ended(SPEC)
    assert log(observers) == ""


def test_the_end_of_a_run_is_told_after_an_error(observe: Callable[..., Observers]):
    observers = observe("@hookimpl\ndef mrbench_run_end(run, results): (run.folder / 'end').touch()")
    with pytest.raises(OSError, match="disk"), observers.of_the_run():
        raise OSError("no disk")
    assert (observers.run.folder / "end").exists()


class _Silent:
    """A hook relay of an observer whose check finds nothing."""

    @staticmethod
    def mrbench_observer_check() -> list[None]:
        return []


def registry(*names: str) -> Registry:
    split = [name.split(":") for name in names]
    return Registry(observers=[Observer(name, distribution, "", _Silent()) for distribution, name in split])  # type: ignore[arg-type]


def test_observers_are_named_like_other_plugins():
    found = registry("mrbench:board", "other:board", "one:twin", "two:twin", "one:single")
    assert [o.key for o in choose(found, ["board", "single", "two:twin", "one:single"])] == [
        "board", "one:single", "two:twin",
    ]  # fmt: skip
    assert [o.key for o in choose(found, ["other:board"])] == ["other:board"]
    with pytest.raises(UsageError, match="'one:twin' or 'two:twin'"):
        choose(found, ["twin"])
    with pytest.raises(UnknownNameError, match="did you mean 'board'") as error:
        choose(found, ["borad"])
    assert "mrbench list observers" in error.value.message


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    mrbench: Call, monkeypatch: pytest.MonkeyPatch
):
    Path("run.toml").write_text('method = "staple"\ndataset = "phantom"\nobserve = ["of-the-file"]\n')
    words = ("run", "--config", "run.toml", "--dry-run")
    assert "unknown observer 'of-the-file'" in mrbench(*words).stderr
    monkeypatch.setenv("MRBENCH_OBSERVE", "tensorboard, of-the-environment")
    assert "unknown observer 'of-the-environment'" in mrbench(*words).stderr
    result = mrbench(*words, "--observe", "of-the-command")
    assert "unknown observer 'of-the-command'" in result.stderr
    assert "expected: one of tensorboard" in result.stderr
    assert result.exit_code == 2


def test_observing_changes_no_digest(mrbench: Call):
    Path("diary.py").write_text(DIARY)
    words = ("run", "--method", "staple", *TINY, "--dry-run", "--json")
    observed = mrbench(*words, "--plugin-file", "diary.py", "--observe", "diary")
    assert observed.stdout == mrbench(*words).stdout
    assert not Path("diary.jsonl").exists(), "a plan is no run"


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("raise UsageError('the server does not answer', hint='start it')", UsageError, "the server does not answer"),
        ("raise SystemExit(3)", PluginError, "the check of observer 'no.py:no' failed"),
        ("1 / 0", PluginError, "ZeroDivisionError"),
    ],
)
def test_an_observer_that_cannot_work_here_ends_the_command(
    tmp_path: Path, fault: str, error: type[Exception], message: str
):
    (tmp_path / "no.py").write_text(
        HEAD.format(summary="never ready") + "from mrbench.errors import UsageError\n"
        f"@hookimpl\ndef mrbench_observer_check(): {fault}\n@hookimpl\ndef mrbench_cell_end(cell): pass\n"
    )
    with pytest.raises(error, match=message):
        choose(discover([], [tmp_path / "no.py"]), ["no"])


def test_what_an_observer_says_of_itself_is_listed(mrbench: Call):
    Path("diary.py").write_text(DIARY)
    listed = json.loads(mrbench("list", "observers", "--plugin-file", "diary.py", "--json").stdout)
    assert {"name": "diary.py:diary", "summary": "Writes down what it is told.", "distribution": "diary.py"} in listed
    assert "tensorboard" in mrbench("list", "observers").stdout


def test_the_observer_of_the_guide_runs_as_it_is_written(mrbench: Call):
    guide = (Path(__file__).parents[3] / "docs" / "observers.md").read_text()
    source, _command = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    Path("beep.py").write_text(source)
    words = ("--plugin-file", "beep.py", "--observe", "beep", "--out", "out")
    result = mrbench("run", "--method", "staple", *TINY, "--fold", "0", *words)
    assert re.search(r"\astaple on phantom fold0-seed0: ok, ged 0\.\d+", result.stderr)
    assert not list(Path("out").glob("runs/*/observers.log"))
