"""What was read of source files before: kept, and never believed where the file is damaged."""

from pathlib import Path

import pytest

from mrbench.engine.code_cache import CodeCache


def test_what_was_put_is_there_for_the_next_process(tmp_path: Path):
    path = tmp_path / "cache" / "code.json"
    first = CodeCache(path)
    assert first.get("a") is None
    first.put("a", ("d", ("mrbench.seeds",)))
    first.save()
    assert CodeCache(path).get("a") == ("d", ("mrbench.seeds",))


@pytest.mark.parametrize(("old", "new"), [('"d"', '"e"'), ('"form": 1', '"form": 0'), ("{", ""), ('"sources"', '"x"')])
def test_a_damaged_file_counts_as_none(tmp_path: Path, old: str, new: str):
    path = tmp_path / "code.json"
    first = CodeCache(path)
    first.put("a", ("d", ()))
    first.save()
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert CodeCache(path).get("a") is None


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("")
    cache = CodeCache(tmp_path / "file" / "code.json")
    cache.put("a", ("d", ()))
    cache.save()
    assert cache.get("a") == ("d", ())
