"""Plugins in one file: what works without packaging, what an edit changes, and what is refused."""

import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import Result
from stored_runs import command_of

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.execute import execute
from mrbench.engine.plan import Plan, Request, make_plan
from mrbench.engine.run import run_of
from mrbench.engine.settings import Settings
from mrbench.errors import UsageError
from mrbench.plugin_file import BYTES, file_of
from mrbench.registry import discover

Call = Callable[..., Result]

METHOD = """
import torch
from torch import nn
from torch.nn import functional
from mrbench import Method, MethodCard, ParameterGroup, Stage, hookimpl

MRBENCH_API = "2"

@hookimpl
def mrbench_methods():
    return [MethodCard(name="tiny", code="tiny:Tiny", gives="consensus")]

class Tiny(Method):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Conv2d(len(description.channels), 1, 1)

    def stages(self):
        group = ParameterGroup(list(self.network.parameters()), 0.1)
        return [Stage(name="s", modules=[self.network], groups=[group], loss=self.loss, epochs=1, batch_size=8)]

    def loss(self, batch):
        logits = self.network(batch.image)[:, 0]
        return {"ce": functional.binary_cross_entropy_with_logits(logits, batch.masks.float().mean(1))}

    def consensus(self, features, noise):
        return self.network(features)[None]
"""
DATA = """
import numpy as np
from mrbench import CaseSet, Config, DatasetCard, Description, Raters, hookimpl
from mrbench.configuration import option
from mrbench.data.caseset import ArrayPixels
from mrbench.data.splits import split_by_subject

MRBENCH_API = "2"

class Options(Config):
    cases: int = option(9, "number of cases", ge=6)

@hookimpl
def mrbench_datasets():
    return [DatasetCard(name="dots", code="dots:load", config="dots:Options")]

def load(config, folder):
    n = config.cases
    images = np.random.default_rng(0).normal(size=(n, 1, 16, 16)).astype(np.float32)
    masks = np.repeat((images > 1).astype(np.uint8), 2, axis=1)
    names = tuple(f"c{i}" for i in range(n))
    description = Description(name="dots", version="1", classes=("no", "yes"), channels=("c",),
        raters=Raters.IDENTIFIED, rater_names=("a", "b"))
    return CaseSet(description=description, pixels=ArrayPixels(images, masks), ids=names, subjects=names,
        present=np.ones((n, 2), bool), splits={"strict": split_by_subject(names, folds=3, seed=0)})
"""
METRIC = """
import numpy as np
from mrbench import Key, metric

MRBENCH_API = "2"

@metric("seven", "always seven", direction="higher", range=(0, 10), needs="samples")
def seven(tables, protocol):
    return {Key(label): np.array([7.0]) for label in tables.labels}
"""
LIGHT = """
from mrbench import MethodCard, hookimpl
MRBENCH_API = "2"

@hookimpl
def mrbench_methods():
    return [MethodCard(name="light", code="{stem}:Nothing")]

class Nothing:
    pass
"""
RUN = ("run", "--fold", "0", "--samples", "2", "--out", "out")
DOTS = ("--plugin-file", "dots.py", "--dataset", "dots")


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if hasattr(sys.modules[name], "__mrbench_digest__"):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, source: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return path

    return write


def plan_of(method: Path, folder: Path) -> Plan:
    request = Request(methods=["tiny"], datasets=["dots"], folds=[0], data=folder)
    return make_plan(request, discover(files=[method, folder / "dots.py"]))


def planned(method: Path, folder: Path) -> CellSpec:
    (cell,) = plan_of(method, folder).cells
    return cell.spec


def record_of(folder: Path) -> dict:
    (path,) = folder.glob("cells/**/record.json")
    return json.loads(path.read_text())


def test_a_file_provides_plugins_under_its_own_name(write: Callable[[str, str], Path]):
    registry = discover(files=[write("light.py", LIGHT.format(stem="light"))])
    assert registry.get("method", "light").key == "light.py:light"
    assert registry.get("method", "light.py:light").distribution_version in registry.get("method", "light").version
    assert registry.get("method", "proseg").distribution == "mrbench"


def test_what_a_record_leaves_out_has_a_default(write: Callable[[str, str], Path]):
    plugin = discover(files=[write("light.py", LIGHT.format(stem="light"))]).get("method", "light")
    assert plugin.card.summary == ""
    assert plugin.load_config().options() == {}


def test_a_method_a_data_set_and_a_metric_of_files_run_and_are_shown_and_reproduced(
    mrbench: Call, write: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    names = ["tiny.py", "dots.py", "sevens.py"]
    for name, source in zip(names, (METHOD, DATA, METRIC), strict=True):
        write(f"own/{name}", source)
    files = [word for name in names for word in ("--plugin-file", f"own/{name}")]
    result = mrbench(
        *RUN, *files, "--method", "tiny", "--dataset", "dots", "--metric", "seven", "--set", "dots.cases=12"
    )
    assert result.exit_code == 0, result.output
    assert re.search(r"tiny\.py:tiny +1 +7\.0000", result.stdout)

    again = next(line for line in result.stdout.splitlines() if line.startswith("  mrbench show"))
    assert again.endswith("--metric seven --plugin-file own/sevens.py --out out")
    assert re.search(r"tiny\.py:tiny +1 +7\.0000", mrbench(*shlex.split(again)[1:]).stdout)

    record = record_of(tmp_path / "out")
    assert record["metrics"]["sevens.py:seven"]["value"] == 7
    assert record["versions"]["plugin"].startswith("tiny.py ")
    command = shlex.split(command_of(record))
    assert sorted(b for a, b in pairwise(command) if a == "--plugin-file") == sorted(names)
    monkeypatch.chdir(tmp_path / "own")
    assert mrbench(*command[1:], "--out", "again").exit_code == 0
    again = record_of(tmp_path / "own" / "again")
    assert again["digests"] == record["digests"]
    assert again["metrics"] == record["metrics"]


def test_a_record_names_no_file_that_it_does_not_need(mrbench: Call, write: Callable[[str, str], Path]):
    write("light.py", LIGHT.format(stem="light"))
    write("dots.py", DATA)
    mrbench(*RUN, "--plugin-file", "light.py", "--method", "staple", *DOTS)
    command = command_of(record_of(Path("out")))
    assert "--plugin-file dots.py" in command
    assert "light.py" not in command


def test_a_cell_loads_the_files_that_it_needs_alone(mrbench: Call, write: Callable[[str, str], Path]):
    write("light.py", LIGHT.format(stem="light") + "\nprint('loaded', __name__)\n")
    write("sevens.py", METRIC + "\nprint('loaded', __name__)\n")
    files = ("--plugin-file", "light.py", "--plugin-file", "sevens.py")
    write("dots.py", DATA)
    mrbench(*RUN, *files, "--method", "staple", *DOTS)
    (log,) = Path("out").glob("cells/**/log.txt")
    assert set(log.read_text().split()) == {"loaded", "sevens"}  # by the cell, and by the process that scores it


def test_an_edited_file_is_another_method_and_nothing_old_is_reused(
    mrbench: Call, write: Callable[[str, str], Path], tmp_path: Path
):
    command = (*RUN, "--plugin-file", "tiny.py", "--method", "tiny", *DOTS)
    path, _ = write("tiny.py", METHOD), write("dots.py", DATA)
    assert mrbench(*command).exit_code == 0
    assert "kept" in mrbench(*command, "--dry-run").stdout
    before = planned(path, tmp_path)
    path.write_text(METHOD.replace("0.1)", "0.2)"))
    assert "to do" in mrbench(*command, "--dry-run").stdout
    after = planned(path, tmp_path)
    assert before.digest != after.digest
    assert before.training_digest != after.training_digest
    path.write_text(METHOD)
    assert "kept" in mrbench(*command, "--dry-run").stdout


def test_an_edited_metric_is_computed_again(mrbench: Call, write: Callable[[str, str], Path]):
    metric = ("--plugin-file", "sevens.py", "--metric", "seven")
    write("sevens.py", METRIC)
    write("dots.py", DATA)
    assert "7.0000" in mrbench(*RUN, *metric, "--method", "staple", *DOTS).stdout
    write("sevens.py", METRIC.replace("7.0", "8.0"))
    assert "8.0000" in mrbench("show", "--out", "out", *metric).stdout


def test_a_file_that_was_edited_since_the_plan_is_refused_by_the_cell(
    write: Callable[[str, str], Path], tmp_path: Path
):
    path, data = write("tiny.py", METHOD), write("dots.py", DATA)
    plan = plan_of(path, tmp_path)
    path.write_text(METHOD.replace("0.1)", "0.2)"))
    run = run_of(plan, tmp_path / "out", tmp_path, "mrbench run")
    (result,) = execute(run, Settings(data=tmp_path, plugin_files=(path, data)), lambda spec, event: None)
    assert result.status is Status.FAILED
    assert "'tiny.py:tiny' changed since the run was planned" in result.reason
    assert "run the command again" in result.reason


def test_an_option_can_be_set_by_the_name_with_the_file(mrbench: Call, write: Callable[[str, str], Path]):
    write("dots.py", DATA)
    for owner in ("dots", "dots.py:dots"):
        result = mrbench(
            "run", "--plugin-file", "dots.py", "--method", "staple", "--dataset", "dots", "--dry-run", "--json",
            "--set", f"{owner}.cases=30",
        )  # fmt: skip
        assert len(json.loads(result.stdout)["cells"]) == 3
    result = mrbench(*RUN, "--plugin-file", "dots.py", "--method", "staple", "--dataset", "dots.py:dots",
                     "--set", "dots.py:dots.cases=2")  # fmt: skip
    assert result.exit_code == 2
    assert "option 'cases' of dots.py:dots has a wrong value" in result.stderr


def test_results_of_a_file_that_is_not_given_say_which_one_it_is(mrbench: Call, write: Callable[[str, str], Path]):
    write("dots.py", DATA)
    write("sevens.py", METRIC)
    files = ("--plugin-file", "dots.py", "--plugin-file", "sevens.py")
    mrbench(*RUN, *files, "--method", "staple", "--dataset", "dots")
    result = mrbench("show", "--out", "out")
    assert result.exit_code == 0
    assert "note: the metrics of sevens.py are left out; --plugin-file sevens.py shows them" in result.stderr
    result = mrbench("show", "--out", "out", "--picture", "p.png")
    assert result.exit_code == 2
    assert "unknown data set 'dots.py:dots'" in result.stderr
    assert "--plugin-file dots.py" in result.stderr
    assert mrbench("show", "--out", "out", "--picture", "p.png", "--plugin-file", "dots.py").exit_code == 0
    result = mrbench("score", "--out", "out", "--protocol", "published", *files, "--metric", "seven")
    assert "7.0000" in result.stdout


def test_a_name_that_a_file_in_the_current_folder_may_give_points_to_the_file(mrbench: Call):
    mrbench("new", "method", "far-away", "--file")
    words = ("info", "far-away"), ("check", "far-away"), ("run", "--method", "far-away", "--dataset", "phantom")
    for result in [mrbench(*command) for command in words]:
        assert result.exit_code == 2
        assert "'far-away'" in result.stderr
        assert "next:     --plugin-file far_away.py" in result.stderr
    assert "plugin-file" not in mrbench("info", "far-off").stderr


def test_commands_that_look_at_plugins_take_files(mrbench: Call, write: Callable[[str, str], Path]):
    write("dots.py", DATA)
    file = ("--plugin-file", "dots.py")
    listed, told = mrbench("list", "datasets", *file).stdout, mrbench("info", "dots", *file).stdout
    assert listed.startswith("Data sets:")
    assert "dots.py:dots" in listed
    assert told.startswith("data set dots.py:dots:")
    assert "number of cases" in told
    assert "dots: 9 cases of 9 subjects" in mrbench("data", "verify", "dots", *file).stdout
    assert mrbench("data", "inspect", "dots", *file, "--out", "sheet.png").exit_code == 0
    assert "nothing prepares" in mrbench("data", "prepare", "dots", *file, "--source", ".").stderr


def test_a_configuration_file_names_plugin_files_too(mrbench: Call, write: Callable[[str, str], Path]):
    write("dots.py", DATA)
    write("run.toml", 'plugin-file = "dots.py"\nmethod = "staple"\ndataset = "dots"\n')
    assert "3 cells" in mrbench("run", "--config", "run.toml", "--dry-run").stdout


def test_the_same_file_twice_is_one(write: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    path = write("light.py", LIGHT.format(stem="light"))
    monkeypatch.chdir(tmp_path)
    assert len([p for p in discover(files=[path, Path("light.py")]).plugins["method"] if p.name == "light"]) == 1


def test_two_files_of_one_name_are_refused(write: Callable[[str, str], Path]):
    paths = [write(f"{folder}/light.py", LIGHT.format(stem="light")) for folder in ("a", "b")]
    with pytest.raises(UsageError, match=r"two plugin files are named light\.py(.|\n)*rename one of them"):
        discover(files=paths)


def test_what_lies_in_the_current_folder_disturbs_no_cell(mrbench: Call, write: Callable[[str, str], Path]):
    write("sevens.py", METRIC)
    write("random.py", "raise RuntimeError('not a module')")
    write("dots.py", DATA)
    result = mrbench(*RUN, "--plugin-file", "sevens.py", "--method", "staple", *DOTS)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", ["numpy.py", "statistics.py", "mrbench.py"])
def test_a_file_with_the_name_of_another_module_is_refused(write: Callable[[str, str], Path], name: str):
    with pytest.raises(UsageError, match=r"has the name of another module(.|\n)*rename the file"):
        discover(files=[write(name, LIGHT)])


@pytest.mark.parametrize("name", ["light.txt", "my-method.py", "3d.py", "class.py", "_light.py", "li:ght.py", "é.py"])
def test_a_file_with_a_name_that_no_module_has_is_refused(write: Callable[[str, str], Path], name: str):
    with pytest.raises(UsageError, match=r"a name like my_method\.py"):
        discover(files=[write(name, LIGHT)])


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, write: Callable[[str, str], Path]):
    with pytest.raises(UsageError, match=r"cannot read the plugin file(.|\n)*No such file"):
        discover(files=[tmp_path / "absent.py"])
    with pytest.raises(UsageError, match="no source file"):
        discover(files=[write("large.py", "#" * (BYTES + 1))])
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(UsageError, match=r"pipe\.py is no file"):
        discover(files=[tmp_path / "pipe.py"])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\nraise RuntimeError('of the author')", ["line 2", "RuntimeError: of the author"]),
        ("def broken(:\n    pass", ["line 1", "def broken(:", "SyntaxError"]),
        ("import a_module_that_is_not_there", ["ModuleNotFoundError", "a_module_that_is_not_there"]),
        ("import sys; sys.exit(3)", ["SystemExit: 3"]),
        ("raise GeneratorExit", ["GeneratorExit"]),
        ("x = '\0'", ["null bytes"]),
        ("def f():\n    f()\nf()", ["RecursionError"]),
        ("raise ValueError('long ' * 1000)", ["long long"]),
        ("x = 1", ['it does not say which interface it is written for; add MRBENCH_API = "2"']),
        ("MRBENCH_API = '1'", ["interface '1'", "docs/moving.md says how to move it"]),
        ("MRBENCH_API = '2'", ["it provides nothing", "@mrbench.method", "@hookimpl on a hook"]),
        (LIGHT.replace("return [", "return 3 # ["), ["list of cards, not int"]),
        (LIGHT.replace("return [", "return [] # ["), ["it provides nothing"]),
        (LIGHT.replace("return [", "1 / 0\n    return ["), ["line 7", "ZeroDivisionError"]),
        (LIGHT.replace('name="light", ', ""), ["TypeError", "'name'"]),
        (LIGHT.replace('"light"', "7"), ["raised an exception", "TypeError"]),
        (LIGHT.replace('"light"', '"Bad Name"'), ["lower-case words"]),
        (LIGHT.replace(")]", ', gives="divers")]'), ["gives 'divers'"]),
        (LIGHT.replace("def mrbench_methods()", "def mrbench_methods(what)"), ["what"]),
        (LIGHT.replace("def mrbench_methods()", "def mrbench_method()"), ["mrbench_method"]),
        (LIGHT.replace(")]", ")] * 2"), ["two methods have one name"]),
        (LIGHT.replace(":Nothing", ":Nobody"), ["cannot load 'broken:Nobody'", "has no attribute 'Nobody'"]),
        (LIGHT.replace(":Nothing", ":mrbench_methods"), ["mrbench_methods'", "expected: a class for a method"]),
        (LIGHT.replace(")]", ', config="absent:Options")]'), ["cannot load its configuration", "No module named"]),
    ],
)
def test_whatever_a_file_does_wrong_is_told_with_its_place(
    mrbench: Call, write: Callable[[str, str], Path], source: str, words: list[str]
):
    write("broken.py", source.replace("{stem}", "broken"))
    result = mrbench("list", "--plugin-file", "broken.py")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "plugin file broken.py" in result.stderr
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr) < 3000


def test_a_file_that_imports_its_neighbour_is_told_to_stand_alone(mrbench: Call, write: Callable[[str, str], Path]):
    write("broken.py", "from layers.deep import X")
    write("layers/deep.py", "X = 1")
    result = mrbench("list", "--plugin-file", "broken.py")
    assert result.exit_code == 1
    assert "No module named 'layers'" in result.stderr
    assert "stands alone" in result.stderr
    write("other.py", "import absent")
    assert "stands alone" not in mrbench("list", "--plugin-file", "other.py").stderr


def test_a_name_of_a_file_that_is_not_given_says_which_one_it_is(mrbench: Call):
    for words in (("info", "own.py:seg"), ("data", "verify", "own.py:seg"),
                  ("run", "--dataset", "phantom", "--method", "own.py:seg")):  # fmt: skip
        result = mrbench(*words)
        assert result.exit_code == 2
        assert "--plugin-file own.py" in result.stderr


def test_an_interruption_is_no_fault_of_the_file(write: Callable[[str, str], Path]):
    with pytest.raises(KeyboardInterrupt):
        discover(files=[write("light.py", "raise KeyboardInterrupt")])


def test_no_byte_code_is_left_beside_a_file(write: Callable[[str, str], Path], tmp_path: Path):
    discover(files=[write("light.py", LIGHT.format(stem="light"))])
    assert [path.name for path in tmp_path.iterdir()] == ["light.py"]


def test_what_was_imported_is_imported_anew_after_an_edit_only(write: Callable[[str, str], Path]):
    path = write("light.py", LIGHT.format(stem="light"))
    first = discover(files=[path]).get("method", "light")
    module = sys.modules["light"]
    assert discover(files=[path]).get("method", "light") == first
    assert sys.modules["light"] is module
    path.write_text(path.read_text().replace('"light"', '"other"'))
    assert discover(files=[path]).get("method", "other").version != first.version
    assert sys.modules["light"] is not module


@pytest.mark.parametrize(
    ("key", "file"), [("a.py:b", "a.py"), ("mrbench:b", ""), ("a.py", ""), ("../a.py:b", ""), ("web.app:b", "")]
)
def test_a_key_tells_which_file_it_is_of(key: str, file: str):
    assert file_of(key) == file
