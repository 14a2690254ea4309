"""docs/external.md works as it is written."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "external.md"
TINY = ("--set", "phantom.subjects=9", "--set", "phantom.size=32", "--fold", "0")


def test_the_example_is_scored_and_exported_as_the_page_says(mrbench):
    text = PAGE.read_text()
    exec(compile(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], str(PAGE), "exec"), {})
    blocks = re.findall(r"```\n(mrbench.*?)```", text, re.DOTALL)
    for line in blocks[0].splitlines():
        result = mrbench(*shlex.split(line)[1:])
        assert result.exit_code == 0, result.stderr
        assert "external:bright" in result.stdout
    mrbench("run", "--method", "staple", "--dataset", "phantom", *TINY)
    exported = [mrbench(*shlex.split(line, comments=True)[1:]) for line in blocks[2].splitlines()]
    for result in exported:
        assert result.exit_code == 0, result.stderr
        command = result.stdout.strip().splitlines()[-1]
        assert mrbench(*shlex.split(command)[1:]).exit_code == 0


def test_every_pattern_on_the_page_is_one():
    from mrbench.external.pattern import Pattern, default_patterns

    for text in re.findall(r'--pattern "([^"]+)"', PAGE.read_text()):
        Pattern(text, ("a",))
    for text in default_patterns():
        stem = text.removesuffix(".png").removesuffix(".gz").removesuffix(".nii")
        tail = stem.replace("{sample}", "000").replace("{rater}", "<name>").replace("{draw}", "000").partition("/")[2]
        assert f"<case>/{tail}.png" in PAGE.read_text()


@pytest.mark.parametrize(
    "word", ["--predictions", "--pattern", "--name", "--fold", "--truth", "--format", "--method", "--to"]
)
def test_options_on_the_page_are_there(mrbench, word: str):
    assert word in PAGE.read_text()
    assert word in mrbench("score", "--help").stdout + mrbench("export", "--help").stdout
