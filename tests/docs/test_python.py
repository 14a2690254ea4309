"""docs/python.md works as it is written: every block is run, in order, and prints what stands below it."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_on_python_works_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MRBENCH_DATA", str(tmp_path / "data"))
    names: dict[str, Any] = {"__name__": "__main__"}
    printed, blocks = "", BLOCK.findall(PAGE.read_text())
    assert len(blocks) >= 10
    for language, content in blocks:
        if language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(content, str(PAGE), "exec"), names)
            printed = output.getvalue()
        else:
            assert language == "text", "a block is Python, or what it prints"
            assert printed == content
