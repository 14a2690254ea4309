"""The checks in pytest: the decorator and the plugin, the way their users call them."""

import subprocess
import sys
from pathlib import Path

import pytest

from mrbench.errors import UnknownNameError, UsageError
from mrbench.testing import conformance

DECORATED = """
from mrbench.testing import conformance

@conformance("mrbench-bad:overlap")
def test_overlap(check): check()

@conformance("mrbench-bad:backwards", expected_failures={"direction": "not turned round yet"})
def test_backwards(check): check()

@conformance("mrbench-bad:overlap", expected_failures={"direction": "it was wrong once"})
def test_repaired(check): check()

@conformance("mrbench-bad:absent")
def test_absent(check): check()
"""


def run_pytest(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", *words],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_decorator_makes_a_test_of_every_check(bad, tmp_path: Path):
    (tmp_path / "test_bad.py").write_text(DECORATED)
    code, output = run_pytest(tmp_path)
    assert code == 1
    assert "PASSED test_bad.py::test_overlap[direction]" in output
    assert "FAILED test_bad.py::test_overlap" not in output
    assert "XFAIL test_bad.py::test_backwards[direction] - not turned round yet" in output
    assert "FAILED test_bad.py::test_repaired[direction] - [XPASS(strict)] it was wrong once" in output
    assert "not prepared: data set 'absent' is not there" in output
    assert "PASSED test_bad.py::test_absent[loads]" in output
    assert output.count("FAILED test_bad.py") == 1


def test_the_plugin_collects_the_checks_without_a_test_file(bad, tmp_path: Path):
    (tmp_path / "test_other.py").write_text("def test_other(): assert False")
    words = ("-p", "mrbench.testing.pytest_plugin", "--mrbench-check", "mrbench-bad:backwards")
    code, output = run_pytest(tmp_path, *words)
    assert code == 1
    assert "FAILED mrbench-bad:backwards::direction" in output
    assert "PASSED mrbench-bad:backwards::samples-permuted" in output
    assert "expected: higher is better" in output
    assert "metrics.py:" not in output, "a failure of a check needs no traceback"
    assert "test_other" not in output
    assert "1 failed" in output


def test_the_plugin_adds_to_the_tests_that_are_named_and_refuses_unknown_plugins(bad, tmp_path: Path):
    (tmp_path / "test_other.py").write_text("def test_other(): pass")
    words = ("-p", "mrbench.testing.pytest_plugin", "--mrbench-check")
    code, output = run_pytest(tmp_path, "test_other.py", *words, "mrbench-bad:overlap", "-k", "other or direction")
    assert code == 0
    assert "PASSED test_other.py::test_other" in output
    code, output = run_pytest(tmp_path, *words, "mrbench-bad:overlp")
    assert code == 4
    assert "unknown plugin 'mrbench-bad:overlp'" in output


def test_a_plugin_in_one_file_is_checked(tmp_path: Path):
    source = (Path(__file__).parent / "toys" / "one_file.txt").read_text()
    (tmp_path / "one_file_metric.py").write_text(source)
    words = ("--mrbench-check", "one-file", "--mrbench-plugin-file", "one_file_metric.py")
    code, output = run_pytest(tmp_path, "-p", "mrbench.testing.pytest_plugin", *words)
    assert code == 0, output
    assert "a plugin in one file is imported as a whole" in output


def test_names_that_nothing_answers_to_are_errors(bad):
    with pytest.raises(UnknownNameError, match="unknown check 'directon' for kind 'metric'\n  next:     did you mean"):
        conformance("mrbench-bad:overlap", expected_failures={"directon": "a slip"})
    with pytest.raises(UnknownNameError, match="unknown plugin 'mrbench-bad:nobody'"):
        conformance("mrbench-bad:nobody")
    with pytest.raises(
        UsageError, match="names plugins of several kinds\n  next:     say --kind method or --kind dataset"
    ):
        conformance("mrbench-bad:seeds-globally")


def test_checks_of_other_kinds_than_methods_load_no_torch_and_the_command_no_pytest(bad):
    script = (
        "import sys; from click.testing import CliRunner; from mrbench.cli import group;"
        "done = CliRunner().invoke(group, ['check', 'mrbench-bad:overlap', '--check', 'direction']);"
        "assert done.exit_code == 0, done.output; print('LOADED', *{'torch', 'pytest'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "LOADED"
