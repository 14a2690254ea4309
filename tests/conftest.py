"""Fixtures that all tests share."""

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

TOYS = Path(__file__).parent / "toys"
CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TINY = ("--set", "phantom.subjects=9", "--set", "phantom.size=32")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


def write_distribution(
    site: Path, name: str, modules: dict[str, str], entries: dict[str, str], group: str = "mrbench.plugins"
) -> Path:
    """Writes a distribution with plugins the way an installer leaves it; returns the folder to import from."""
    root = site / name
    info = root / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "".join(f"{entry} = {module}\n" for entry, module in entries.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{lines}")
    for module, source in modules.items():
        (root / f"{module}.py").write_text(textwrap.dedent(source))
    return root


def write_toys(site: Path) -> Path:
    """Writes the toy methods as a distribution."""
    sources = {path.stem: path.read_text() for path in TOYS.glob("*.py")}
    return write_distribution(site, "mrbench-toys", sources, {"toys": "toy_plugin"})


@pytest.fixture
def make_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Installs a distribution with plugins for this test and for the processes that it starts."""
    installed: list[str] = []

    def make(name: str, modules: dict[str, str], entries: dict[str, str], group: str = "mrbench.plugins") -> None:
        root = write_distribution(tmp_path / "site", name, modules, entries, group)
        installed.extend(modules)
        monkeypatch.syspath_prepend(str(root))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]))

    yield make
    for module in installed:
        sys.modules.pop(module, None)


@pytest.fixture
def toys(make_distribution: Callable[..., None]) -> None:
    """Installs small methods, each with one fault of its own, as a distribution beside the built-in one."""
    sources = {path.stem: path.read_text() for path in TOYS.glob("*.py")}
    make_distribution("mrbench-toys", sources, {"toys": "toy_plugin"})


@pytest.fixture
def mrbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Calls a command the way a user does, in a folder of its own; errors become messages and exit codes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MRBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> Result:
        import click

        from mrbench.cli import group
        from mrbench.errors import MrbenchError

        result = CliRunner().invoke(group, [str(argument) for argument in arguments], prog_name="mrbench")
        if isinstance(result.exception, MrbenchError):
            result.exit_code = result.exception.exit_code
            result.stderr_bytes = (result.stderr_bytes or b"") + result.exception.message.encode()
        elif result.exception is not None and not isinstance(result.exception, SystemExit | click.ClickException):
            raise result.exception
        return result

    return call


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium, one for all tests: two of them in one process do not go together."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=chromium, args=CHROMIUM)
        yield found
        found.close()
