"""What is written and unpickled is seen, and only while somebody watches."""

import os
import pickle
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest

from mrbench.testing.watch import watch, watch_pickles

CHANGES: dict[str, Callable[[Path], object]] = {
    "write": lambda path: path.write_text("x"),
    "append": lambda path: path.open("a").close(),
    "create": lambda path: os.close(os.open(path, os.O_CREAT | os.O_WRONLY)),
    "mkdir": lambda path: path.mkdir(),
    "rename": lambda path: (path.parent / "there").rename(path),
    "remove": lambda path: (path.parent / "there").unlink(),
    "symlink": lambda path: path.symlink_to("there"),
    "link": lambda path: path.hardlink_to(path.parent / "there"),
    "truncate": lambda path: os.truncate(path.parent / "there", 0),
    "chmod": lambda path: (path.parent / "there").chmod(0o600),
    "rmtree": lambda path: shutil.rmtree(path.parent / "tree"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "there").write_text("there")
    (tmp_path / "tree" / "leaf").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_outside_the_folder_is_seen(folder: Path, change: str):
    with watch(folder / "allowed") as written:
        CHANGES[change](folder / "new")
    assert written
    assert all(path.startswith(str(folder)) for path in written)


@pytest.mark.parametrize("change", CHANGES)
def test_changes_inside_the_folder_are_allowed(folder: Path, change: str):
    with watch(folder) as written:
        CHANGES[change](folder / "new")
    assert written == []


def test_reading_temporary_files_and_byte_code_are_no_changes(folder: Path):
    with watch() as written:
        (folder / "there").read_text()
        with tempfile.TemporaryDirectory() as temporary, tempfile.NamedTemporaryFile() as file:
            file.write(b"x")
            (Path(temporary) / "new").write_text("x")
        (folder / "__pycache__").mkdir()
        Path(os.devnull).write_text("x")
    assert written == []


def test_a_folder_whose_name_begins_alike_is_outside(folder: Path):
    with watch(folder / "allowed") as written:
        (folder / "allowed-not").mkdir()
    assert written == [str(folder / "allowed-not")]


def test_a_way_round_by_dots_or_links_is_outside(folder: Path):
    allowed = folder / "allowed"
    allowed.mkdir()
    (allowed / "out").symlink_to(folder)
    with watch(allowed) as written:
        (allowed / ".." / "one").write_text("x")
        (allowed / "out" / "two").write_text("x")
    assert written == [str(folder / "one"), str(folder / "two")]


def test_nothing_is_seen_when_nobody_watches(folder: Path):
    with watch() as written:
        pass
    (folder / "new").write_text("x")
    assert written == []


def test_pickled_classes_are_seen_and_plain_values_are_not():
    with watch_pickles() as found:
        pickle.loads(pickle.dumps([1, "two", {"three": 3.0}]))
        assert found == []
        pickle.loads(pickle.dumps(OrderedDict(one=1)))
    assert found == ["collections.OrderedDict"]
