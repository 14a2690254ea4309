"""Output in any encoding: a plain character in place of one that is lacking, and no traceback."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import rude_runs

from mrbench.cli.streams import plain, write_plainly

C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def written(text: str, encoding: str) -> bytes:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding)
    write_plainly([stream])
    stream.write(text)
    stream.flush()
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii", b".5 +.1 ^ v ~"), ("latin-1", b".5 \xb1.1 ^ v ~"), ("cp1252", b".5 \xb1.1 ^ v \x85"),
     ("utf-8", ".5 ±.1 ↑ ↓ …".encode())],
)  # fmt: skip
def test_a_character_that_the_encoding_lacks_is_replaced_one_for_one(encoding: str, expected: bytes):
    assert written(".5 ±.1 ↑ ↓ …", encoding) == expected


@pytest.mark.parametrize(
    ("character", "expected"),
    [("─", "-"), ("━", "-"), ("│", "|"), ("┼", "+"), ("╭", "+"), ("╸", "-"), ("é", "e"), ("²", "2"), ("界", "?"),
     ("\udc80", "?"), ("💥", "?")],
)  # fmt: skip
def test_the_plain_character_resembles_the_other(character: str, expected: str):
    assert plain(character) == expected


def test_bytes_that_cannot_be_read_are_still_an_error():
    write_plainly([])
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", "mrbench_plain")


def mrbench(folder: Path, variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "100", **variables}
    return subprocess.run(
        [sys.executable, "-m", "mrbench", *words], cwd=folder, env=environment, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run whose table has a mean and a spread; its command's own output is plain as well."""
    folder = tmp_path_factory.mktemp("run")
    words = ("--method", "staple", "--method", "majority-vote", *rude_runs.PHANTOM)
    done = mrbench(folder, C_LOCALE, "run", *words, "--out", "out")
    assert done.returncode == 0, done.stderr
    assert b" +." in done.stdout
    assert done.stdout.isascii()
    return folder


SHOW = ("show", "last", "--out", "out")
COMMANDS = [
    SHOW,
    ("compare", "last", "--out", "out", "--metric", "ged"),
    ("list", "methods"),
    ("info", "staple"),
    ("agreement", "phantom", "--set", "subjects=9", "--set", "size=32", "--samples", "2"),
]
ENCODINGS = [{"PYTHONIOENCODING": name} for name in ("ascii", "latin-1", "cp1252")]


@pytest.mark.parametrize(
    ("variables", "words"),
    [*((ENCODINGS[0], words) for words in COMMANDS), *((one, SHOW) for one in (*ENCODINGS[1:], C_LOCALE))],
)
def test_every_table_can_be_printed(finished_run: Path, variables: dict[str, str], words: tuple[str, ...]):
    done = mrbench(finished_run, variables, *words)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr.decode("latin-1")
    assert done.stdout
    if variables.get("PYTHONIOENCODING", "ascii") == "ascii":
        assert done.stdout.isascii()
        assert done.stderr.isascii()
