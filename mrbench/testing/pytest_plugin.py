"""The checks in pytest without a test file: ``pytest -p mrbench.testing.pytest_plugin --mrbench-check NAME``.

Registered for nobody by itself. Without paths on the command line, nothing but the checks is collected.
"""

from pathlib import Path
from typing import Any

import pytest

from mrbench.errors import MrbenchError
from mrbench.testing.parametrise import BoundCheck


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--mrbench-check`` and ``--mrbench-plugin-file``."""
    group = parser.getgroup("mrbench")
    group.addoption(
        "--mrbench-check", action="append", default=[], metavar="NAME", help="Check this plugin; repeat for several."
    )
    group.addoption(
        "--mrbench-plugin-file",
        action="append",
        default=[],
        metavar="FILE",
        help="A Python file with a plugin; repeat for several.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Leaves the tests of the folder out where only checks are asked for."""
    if config.getoption("mrbench_check") and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds one test per check."""
    for name in config.getoption("mrbench_check"):
        items += _items(session, name, [Path(path) for path in config.getoption("mrbench_plugin_file")])


def _items(session: pytest.Session, name: str, files: list[Path]) -> list[pytest.Item]:
    from mrbench.registry import discover
    from mrbench.testing.candidate import find_candidate
    from mrbench.testing.catalogue import checks_of

    try:
        candidate = find_candidate(discover(files=files), name, plugin_files=files)
    except MrbenchError as error:
        raise pytest.UsageError(error.message) from None
    key = candidate.plugin.key
    return [
        CheckItem.from_parent(
            session, name=f"{key}[{check.name}]", nodeid=f"{key}::{check.name}", bound=BoundCheck(check, candidate)
        )
        for check in checks_of(candidate)
    ]


class CheckItem(pytest.Item):
    """One check as a test."""

    def __init__(self, *, bound: BoundCheck, **more: Any) -> None:
        super().__init__(**more)
        self.bound = bound

    def runtest(self) -> None:
        """Runs the check."""
        self.bound()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What a check says needs no traceback; what a plugin raises does."""
        if isinstance(excinfo.value, MrbenchError):
            return f"{self.bound.check.rule}\n{excinfo.value.message}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands in reports."""
        return self.path, None, self.name
