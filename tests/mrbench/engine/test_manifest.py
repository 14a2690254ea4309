"""What vouches for stored files: one changed byte is told of with the file's name, and is never another number."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from mrbench.engine.manifest import check_file, check_files, facts_of, files_of, read_sealed, write_sealed
from mrbench.errors import DataError


def folder_with(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_a_file_is_known_by_its_size_and_digest(tmp_path: Path):
    folder_with(tmp_path, {"a": b"abc"})
    assert facts_of(tmp_path / "a") == {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}


def test_every_file_is_named_but_the_document_the_log_and_what_was_begun(tmp_path: Path):
    names = ["weights/body.pt", "curves.csv", "record.json", "log.txt", "lease.json", "checkpoint/a.pt", ".x.tmp"]
    folder_with(tmp_path, dict.fromkeys(names, b""))
    assert list(files_of(tmp_path, "record.json")) == ["curves.csv", "weights/body.pt"]


@pytest.mark.parametrize(
    "content",
    [{"a": 1, "b": [0.1, {"c": None}]}, {}, {"text": "\x1b[2J \ud800 é"}, {"by": {2: 1, 10: 2}}, {"pair": (1, 2.0)}],
)
def test_what_is_sealed_reads_back_with_an_unbroken_seal(tmp_path: Path, content: dict[str, Any]):
    write_sealed(tmp_path / "a.json", content)
    found, broken = read_sealed(tmp_path / "a.json")
    assert broken == ""
    assert set(found) == {*map(str, content), "sha256"}
    write_sealed(tmp_path / "b.json", json.loads((tmp_path / "a.json").read_text()))
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a.json").read_bytes(), "sealing again changes nothing"


def test_spaces_and_order_break_no_seal(tmp_path: Path):
    write_sealed(tmp_path / "a.json", {"b": 1, "a": [1, 2]})
    values = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps(values, sort_keys=True, separators=(",", ":")))
    assert read_sealed(tmp_path / "a.json")[1] == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values | {"value": 0.50001}, "its content is not what was written"),
        (lambda values: values | {"more": 1}, "its content is not what was written"),
        (lambda values: {"sha256": values["sha256"]}, "its content is not what was written"),
        (lambda values: values | {"sha256": None}, "its content is not what was written"),
        (lambda values: {"value": 0.5}, "no digest of its content"),
        (lambda values: [values], "no digest of its content"),
    ],
)
def test_whatever_differs_breaks_the_seal(tmp_path: Path, change: Any, said: str):
    write_sealed(tmp_path / "a.json", {"value": 0.5})
    (tmp_path / "a.json").write_text(json.dumps(change(json.loads((tmp_path / "a.json").read_text()))))
    assert read_sealed(tmp_path / "a.json")[1] == said


def test_what_is_nested_too_deep_is_no_crash(tmp_path: Path):
    (tmp_path / "a.json").write_text('{"a":' * 900 + "1" + "}" * 900)
    with pytest.raises(ValueError, match="nested too deep"):
        read_sealed(tmp_path / "a.json")


def test_a_file_that_is_what_was_written_is_handed_over(tmp_path: Path):
    folder_with(tmp_path, {"a": b"abc", "w/b": b""})
    record = {"files": files_of(tmp_path, "record.json")}
    assert check_file(tmp_path, record, "a") == tmp_path / "a"
    check_files(tmp_path, record)


@pytest.mark.parametrize("content", [b"abd", b"ab", b"abcd", b""])
def test_another_byte_or_length_is_told_with_the_path_and_what_mends_it(tmp_path: Path, content: bytes):
    folder_with(tmp_path, {"w/a": b"abc", "w/b": b"same"})
    record = {"files": files_of(tmp_path, "record.json")}
    (tmp_path / "w" / "a").write_bytes(content)
    with pytest.raises(DataError) as caught:
        check_files(tmp_path, record, "w/")
    assert caught.value.what == f"{tmp_path / 'w' / 'a'} is not the file that was written"
    assert caught.value.expected.startswith("3 bytes, ")
    assert caught.value.found.startswith(f"{len(content)} bytes, ")
    assert "mrbench repair RUN" in caught.value.hint
    assert "\n" not in caught.value.fault


def test_a_file_that_is_gone_or_that_nothing_vouches_for_is_not_read(tmp_path: Path):
    folder_with(tmp_path, {"a": b"abc"})
    with pytest.raises(DataError, match="nothing vouches for"):
        check_file(tmp_path, {"files": {}}, "a")
    with pytest.raises(DataError, match="nothing vouches for"):
        check_file(tmp_path, {}, "a")
    with pytest.raises(DataError, match="b is not there"):
        check_file(tmp_path, {"files": {"b": facts_of(tmp_path / "a")}}, "b")
