"""Start-up: commands against a bare `import click`, in fresh processes."""

import subprocess
import sys

import pytest

PYTHON = sys.executable
COMMANDS = {
    "import click": [PYTHON, "-c", "import click"],
    "mrbench --help": [PYTHON, "-m", "mrbench", "--help"],
    "mrbench list methods": [PYTHON, "-m", "mrbench", "list", "methods"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.benchmark(group="start-up")
def test_start_up(benchmark, name: str):
    benchmark.pedantic(
        lambda: subprocess.run(COMMANDS[name], check=True, capture_output=True), rounds=15, warmup_rounds=2
    )
