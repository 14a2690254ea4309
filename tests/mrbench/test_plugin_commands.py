"""Commands of other distributions: found, named, isolated, and free until they are called."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mrbench.plugin_commands import GROUP

Call = Callable[..., Result]
HELLO = """
import click
from mrbench.errors import UsageError

@click.command()
@click.option("--code", type=int)
@click.option("--wrong", is_flag=True)
@click.pass_context
def hello(ctx, code, wrong):
    "Say hello."
    click.echo("hello")
    if wrong:
        raise UsageError("nobody to greet", hint="come back later")
    if code:
        ctx.exit(code)
    return "this is no exit code"

not_a_command = 3
"""


@pytest.fixture
def hello(make_distribution: Callable[..., None]) -> None:
    make_distribution("greeter", {"hello_module": HELLO}, {"hello": "hello_module:hello"}, GROUP)


def section(text: str) -> str:
    return text.partition("Commands of plugins:")[2]


def test_help_knows_of_no_plugin_commands_where_there_are_none(mrbench: Call):
    assert "Commands of plugins" not in mrbench("--help").stdout


def test_the_command_of_the_guide_runs_as_it_is_written(mrbench: Call, make_distribution: Callable[..., None]):
    guide = (Path(__file__).parents[2] / "docs" / "observers.md").read_text()
    _observer, source = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    make_distribution("greeter", {"hello_module": source}, {"hello": "hello_module:hello"}, GROUP)
    assert mrbench("hello", "you").stdout == "hello you\n"


@pytest.mark.usefixtures("hello")
def test_a_command_is_listed_with_its_distribution_and_runs(mrbench: Call):
    assert section(mrbench("--help").stdout).split() == ["hello", "of", "greeter"]
    result = mrbench("hello")
    assert (result.stdout, result.exit_code) == ("hello\n", 0)
    assert mrbench("greeter:hello").stdout == "hello\n"
    assert "Usage: mrbench hello" in mrbench("hello", "--help").stdout


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize(("words", "code"), [((), 0), (("--code", "7"), 7), (("--wrong",), 2), (("--no",), 2)])
def test_a_command_ends_with_the_code_that_it_means(words: tuple[str, ...], code: int):
    result = subprocess.run(
        [sys.executable, "-m", "mrbench", "hello", *words], capture_output=True, text=True, check=False
    )
    assert result.returncode == code
    assert "Traceback" not in result.stderr
    assert ("mrbench: nobody to greet\n  next:     come back later" in result.stderr) == ("--wrong" in words)


@pytest.mark.usefixtures("hello")
def test_a_near_miss_offers_it(mrbench: Call):
    result = mrbench("helo")
    assert result.exit_code == 2
    assert "did you mean 'hello'" in result.stderr


def test_built_in_commands_keep_their_names(mrbench: Call, make_distribution: Callable[..., None]):
    make_distribution("greeter", {"hello_module": HELLO}, {"list": "hello_module:hello"}, GROUP)
    assert "staple" in mrbench("list", "methods").stdout
    assert mrbench("greeter:list").stdout == "hello\n"
    assert section(mrbench("--help").stdout).split() == ["greeter:list", "of", "greeter"]


def test_two_of_one_name_are_both_named(mrbench: Call, make_distribution: Callable[..., None]):
    make_distribution("greeter", {"hello_module": HELLO}, {"hello": "hello_module:hello"}, GROUP)
    make_distribution("polite", {"hello_module": HELLO}, {"hello": "hello_module:hello"}, GROUP)
    result = mrbench("hello")
    assert result.exit_code == 2
    assert "'greeter:hello' or 'polite:hello'" in result.stderr
    assert mrbench("polite:hello").stdout == "hello\n"
    assert section(mrbench("--help").stdout).split()[::3] == ["greeter:hello", "polite:hello"]


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("raise RuntimeError('broken')", "bad:hello", "RuntimeError: broken"),
        ("import sys; sys.exit(0)", "bad:hello", "SystemExit: 0"),
        ("import a_module_that_is_not_there", "bad:hello", "a_module_that_is_not_there"),
        (HELLO, "bad:nothing", "nothing"),
        (HELLO, "bad:not_a_command", "is of type 'int'"),
    ],
)
def test_a_broken_command_costs_nothing_until_it_is_called(
    mrbench: Call, make_distribution: Callable[..., None], source: str, target: str, found: str
):
    make_distribution("faulty", {"bad": source}, {"hello": target}, GROUP)
    assert section(mrbench("--help").stdout).split() == ["hello", "of", "faulty"]
    assert "bad" not in sys.modules
    assert mrbench("list", "methods").exit_code == 0
    result = mrbench("hello")
    assert result.exit_code == 1
    assert "command 'hello' of 'faulty' cannot be loaded" in result.stderr
    assert found in result.stderr
    assert "pip install --upgrade faulty, or pip uninstall faulty" in result.stderr


def test_built_in_commands_are_called_without_a_look_at_entry_points(
    mrbench: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def refuse() -> None:
        raise AssertionError("entry points were read")

    monkeypatch.setattr("mrbench.cli.plugin_commands", refuse)
    monkeypatch.setattr("mrbench.plugin_commands.plugin_commands", refuse)
    assert mrbench("show", "--help").exit_code == 0


def test_help_without_plugin_commands_does_not_import_importlib_metadata():
    code = "import sys; sys.argv[1:] = ['--help']\nfrom mrbench.cli import group\n"
    code += "try: group()\nexcept SystemExit: print('importlib.metadata' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.endswith("False\n")


@pytest.mark.usefixtures("hello")
def test_a_path_that_is_no_folder_harms_nobody(mrbench: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "no-archive.zip").write_bytes(b"no zip")
    monkeypatch.syspath_prepend(str(tmp_path / "no-archive.zip"))
    monkeypatch.syspath_prepend(str(tmp_path / "nowhere"))
    assert section(mrbench("--help").stdout).split() == ["hello", "of", "greeter"]
