"""Files that are written whole or not at all."""

import errno
import json
import os
from pathlib import Path

import pytest

from mrbench.engine.writing_faults import number_of
from mrbench.errors import UsageError
from mrbench.files import MAX_JSON_BYTES, filled_folder, made_folder, read_json, replaced, write_json


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), replaced(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"a": 1}
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    assert [p.name for p in tmp_path.iterdir()] == ["file.json"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no room"), OSError("no room, errno = 28")])
def test_an_error_of_writing_says_why_and_which_file(tmp_path: Path, error: OSError):
    with pytest.raises(OSError, match="no room") as caught, replaced(tmp_path / "a"):
        raise error
    assert caught.value.filename == str(tmp_path / "a")
    assert number_of(caught.value) == errno.ENOSPC, "however the library says it"


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path):
    with made_folder(tmp_path / "a" / "b") as folder:
        (folder / "file").write_text("there")
        assert not (tmp_path / "a" / "b").exists()
    assert (tmp_path / "a" / "b" / "file").read_text() == "there"
    with pytest.raises(ZeroDivisionError), made_folder(tmp_path / "c") as folder:
        (folder / "file").touch()
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_there_is_never_replaced(tmp_path: Path):
    with pytest.raises(UsageError, match="is there already"), made_folder(tmp_path):
        pass


def test_json_is_read_as_written(tmp_path: Path):
    value = {"a": [1, 2.5, None, True, "ä\n"], "b": {"c": []}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value


def test_hidden_characters_in_json_are_spelt_out(tmp_path: Path):
    write_json(tmp_path / "a.json", {"\x1b[2J": ["\x07", {"a": "\ud800"}]})
    assert read_json(tmp_path / "a.json") == {r"\x1b[2J": [r"\x07", {"a": r"\ud800"}]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deep"),
        ("[NaN]", "NaN is no finite number"),
        ("[-Infinity]", "-Infinity is no finite number"),
        ("[1e999]", "1e999 is no finite number"),
        (f"[{'1' * 5000}]", "digits"),
        ("", "Expecting value"),
        (" " * (MAX_JSON_BYTES + 1), f"more than {MAX_JSON_BYTES} bytes"),
    ],
)
def test_what_is_no_sound_json_is_refused(tmp_path: Path, text: str, said: str):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_json(tmp_path / "a.json")


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(ValueError, match="no plain file"):
        read_json(tmp_path / "a.json")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "b.json")


def test_a_folder_is_filled_when_all_is_there_or_left_as_it_was(tmp_path: Path):
    target = tmp_path / "a" / "o"
    with pytest.raises(RuntimeError), filled_folder(target) as folder:
        (folder / "half").write_text("half")
        raise RuntimeError
    assert not target.exists()
    assert not list(target.parent.iterdir())
    target.mkdir()
    with filled_folder(target) as folder:
        (folder / "x").mkdir()
        (folder / "x" / "1").write_text("one")
    assert (target / "x" / "1").read_text() == "one"
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_holds_something_is_filled_by_force_alone_and_keeps_the_rest(tmp_path: Path):
    (tmp_path / "o" / "x").mkdir(parents=True)
    (tmp_path / "o" / "x" / "old").write_text("old")
    (tmp_path / "o" / "mine").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"), filled_folder(tmp_path / "o"):
        pass
    with filled_folder(tmp_path / "o", force=True) as folder:
        (folder / "x").mkdir()
        (folder / "x" / "new").write_text("new")
    assert [path.name for path in sorted((tmp_path / "o").rglob("*"))] == ["mine", "x", "new"]
    with pytest.raises(UsageError, match="is no folder"), filled_folder(tmp_path / "o" / "mine", force=True):
        pass
