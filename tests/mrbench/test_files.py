"""Files that are written whole or not at all."""

import json
from pathlib import Path

import pytest

from mrbench.errors import UsageError
from mrbench.files import made_folder, replaced, write_json


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
