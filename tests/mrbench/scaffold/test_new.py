"""``mrbench new``: what it writes works untouched, and nothing is overwritten or left half written."""

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mrbench.scaffold import write
from mrbench.scaffold.names import Made, Names

Call = Callable[..., Result]
NAMES: dict[Made, str] = {"method": "own-seg", "fusion": "own-vote", "dataset": "own-data", "metric": "own-score"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package of each kind, as written."""
    folder = tmp_path_factory.mktemp("packages")
    for kind, name in NAMES.items():
        write.write_plugin(Names(kind, name), folder)
    return folder


@pytest.fixture(scope="module")
def environment(packages: Path) -> dict[str, str]:
    """The environment of a user who has installed the packages with pip, without a network."""
    site = packages / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index",
               "--no-deps", "--no-build-isolation", "--target", site]  # fmt: skip
    subprocess.run([*command, *(packages / f"mrbench-{name}" for name in NAMES.values())], check=True)
    return {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


def call(environment: dict[str, str], folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", *words]
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("kind", NAMES)
def test_an_installed_package_is_found_and_described(packages: Path, environment: dict[str, str], kind: Made):
    result = call(environment, packages, "mrbench", "info", NAMES[kind])
    assert result.returncode == 0, result.stderr
    assert f"{'data set' if kind == 'dataset' else kind} mrbench-{NAMES[kind]}:{NAMES[kind]}:" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("kind", NAMES)
def test_a_package_passes_its_own_tests_untouched(packages: Path, environment: dict[str, str], kind: Made):
    folder = packages / f"mrbench-{NAMES[kind]}"
    result = call(environment, folder, "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    assert result.returncode == 0, result.stdout
    assert " passed" in result.stdout


def test_the_light_modules_import_nothing_heavy(packages: Path, environment: dict[str, str]):
    modules = ", ".join(f"mrbench_{name.replace('-', '_')}" for name in NAMES.values())
    code = f"import sys, {modules}; print(*({{'torch', 'numpy', 'scipy', 'h5py'}} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_a_method_of_ones_own_is_thirty_lines(packages: Path):
    source = (packages / "mrbench-own-seg" / "mrbench_own_seg" / "method.py").read_text()
    (own,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    lines = source.splitlines()[own.lineno - 1 : own.end_lineno]
    assert len([line for line in lines if line.strip()]) <= 30


@pytest.mark.parametrize("name", ["z", "own", "own-plug-in-2"])
def test_what_is_written_is_clean(tmp_path: Path, name: str):
    for kind in NAMES:
        write.write_plugin(Names(kind, f"{name}-{kind}"), tmp_path)
        write.write_plugin(Names(kind, f"{name}-{kind}", single=True), tmp_path)
    ruff = [sys.executable, "-m", "ruff"]
    own = ["--isolated", "--no-cache", "--line-length", "120"]
    for command in (["check", "--select", "E,F,W,I,B,UP,N,SIM,RET,C4"], ["format", "--diff"]):
        result = subprocess.run([*ruff, *command, *own], check=False, cwd=tmp_path, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("kind", NAMES)
def test_the_command_says_what_to_type_next(mrbench: Call, kind: Made):
    first, *commands = mrbench("new", kind, "own", "--folder", "my plugins").stdout.splitlines()
    assert first == "wrote my plugins/mrbench-own; next:"
    assert [line.split()[0:2] for line in commands] == [["pip", "install"], ["mrbench", "check"], ["mrbench", "run"]]
    assert shlex.split(commands[0])[-1] == "my plugins/mrbench-own"
    first, *commands = mrbench("new", kind, "own-two", "--file").stdout.splitlines()
    assert first == "wrote own_two.py; next:"
    assert [shlex.split(line)[1] for line in commands] == ["info", "check", "run"]
    assert all("--plugin-file own_two.py" in line for line in commands)


@pytest.mark.parametrize("more", [(), ("--file",)])
def test_nothing_is_overwritten(mrbench: Call, more: tuple[str, ...]):
    assert mrbench("new", "metric", "own", *more).exit_code == 0
    before = sorted((path, path.stat().st_mtime_ns) for path in Path().rglob("*"))
    result = mrbench("new", "dataset", "own", *more)
    assert result.exit_code == 2
    assert "something of that name is there" in result.stderr
    assert "--folder DIR" in result.stderr
    assert sorted((path, path.stat().st_mtime_ns) for path in Path().rglob("*")) == before


def test_a_link_that_leads_nowhere_is_not_followed(mrbench: Call, tmp_path: Path):
    (tmp_path / "own.py").symlink_to(tmp_path / "elsewhere.py")
    assert mrbench("new", "metric", "own", "--file").exit_code == 2
    assert not (tmp_path / "elsewhere.py").exists()


@pytest.mark.parametrize("single", [False, True])
def test_a_plugin_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, single: bool):
    def full(path: Path, text: str, encoding: str) -> None:
        if path.name != "__init__.py":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write.write_plugin(Names("method", "own", single=single), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_word_is_a_usage_error(mrbench: Call):
    for words in (("new", "methods", "own"), ("new", "method"), ("new", "method", "Own"), ("new", "method", "proseg")):
        assert mrbench(*words).exit_code == 2
    assert list(Path().iterdir()) == []


def test_templates_leave_no_placeholder(packages: Path):
    for path in (*packages.glob("mrbench-*/*.*"), *packages.glob("mrbench-*/*/*.py")):
        assert path.is_dir() or "$" not in path.read_text(), path


def test_the_folder_must_be_a_folder(mrbench: Call, tmp_path: Path):
    (tmp_path / "taken").write_text("")
    assert mrbench("new", "metric", "own", "--folder", "taken").exit_code == 2
