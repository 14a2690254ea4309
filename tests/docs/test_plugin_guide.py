"""docs/plugins.md and CONTRIBUTING.md work as they are written: every block and every command is tried, in order."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PHANTOM = ("--set", "phantom.subjects=9", "--set", "phantom.size=32", "--samples", "4")
BASELINE = ("--set", "unet-majority.epochs=1")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> Iterator[tuple[str, str, str]]:
    """Language, content and the text before each block of a page."""
    text, end = page.read_text(), 0
    for found in BLOCK.finditer(text):
        yield found[1], found[2], text[end : found.start()]
        end = found.end()


class Reader:
    """Does in a folder what a page says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site = folder, folder / "site"
        self.output = ""
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(self.site), os.environ.get("PYTHONPATH", "")])),
            "MRBENCH_DATA": str(folder / "data"),
            "COLUMNS": "200",
        }

    def read(self, language: str, content: str, before: str) -> None:
        if language == "python":
            self.compare(content, re.findall(r"`([\w/]+\.py)`", before)[-1])
        elif not language:
            for line in content.splitlines():
                self.type(line)
        else:
            assert language == "text", "a block is Python, commands, or what they print"
            self.expect(content)

    def compare(self, content: str, name: str) -> None:
        found = sorted(self.folder.rglob(f"*/{name}")) or [self.folder / name]
        if not found[0].exists():
            found[0].write_text(content)
        assert found[0].read_text() == content, f"{name} is not what mrbench new writes"

    def type(self, line: str) -> None:
        program, *words = shlex.split(line)
        if program == "pip":
            # Not into the environment that the tests run in, and without a network.
            words = [word.replace("mrbench-", "./mrbench-") for word in words if word != "-e"]
            words += ["--disable-pip-version-check", "--quiet", "--no-index", "--no-deps", "--target", str(self.site)]
        if words[0] == "run":
            words += PHANTOM if "phantom" in words else PHANTOM[-2:]
            words += BASELINE if "unet-majority" in words else ()
        result = subprocess.run([sys.executable, "-P", "-m", program, *words], check=False, cwd=self.folder,
                                env=self.environment, capture_output=True, text=True)  # fmt: skip
        assert result.returncode == 0, f"{line}\n{result.stdout}\n{result.stderr}"
        self.output = result.stdout

    def expect(self, content: str) -> None:
        words = [line.split() for line in self.output.splitlines() if line]
        for line in content.splitlines():
            assert any(found[0] == line.split()[0] for found in words), f"nothing printed looks like: {line}"


def test_the_plugin_guide_works_as_it_is_written(tmp_path: Path):
    reader = Reader(tmp_path)
    for language, content, before in blocks(ROOT / "docs" / "plugins.md"):
        reader.read(language, content, before)
    runs = list(tmp_path.glob("results/runs/*"))
    assert len(runs) == 7
    names = {path.parents[2].name for path in tmp_path.glob("results/cells/*/*/*/*/record.json")}
    assert {"tint.py--tint", "mrbench-tint--tint", "enough.py--enough", "mirror.py--mirror", "unet-majority"} <= names
    assert "oracle-raters" in names


def test_the_guide_for_contributors_names_what_there_is(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    commands = [line for _, content, _ in blocks(ROOT / "CONTRIBUTING.md") for line in content.splitlines()]
    assert any(command.startswith("git clone") for command in commands)
    for command in (line.partition("#")[0].strip() for line in commands):
        if command.startswith("git clone") and not (ROOT / ".git").exists():
            continue  # an unpacked archive
        if command == ". .venv/bin/activate":
            continue  # what make .venv/ready leaves; the tests run in an environment already
        tried = command.replace("ADDRESS", shlex.quote(str(ROOT))).replace("make ", "make --dry-run ")
        tried = re.sub(r"^mrbench ", f"{shlex.quote(sys.executable)} -P -m mrbench ", tried)
        where = ROOT if command.startswith("make") else tmp_path
        result = subprocess.run(tried, shell=True, check=False, cwd=where, env=environment, capture_output=True)
        assert result.returncode == 0, f"{command}: {result.stderr.decode()}"
