import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_board import Made, entry_of, put, put_raw

from mrbench.engine.conditions import Conditions
from mrbench.errors import DataError, IncompatibleError
from mrbench.leaderboard.entry import MAX_BYTES, Entry, entry_bytes, parse_entry
from mrbench.leaderboard.store import SetAside, Stored, entries

ENTRY, FILES = entry_of(Made(method="mine", folds=1, subjects=3))
STORED = sorted((Path(__file__).parents[3] / "leaderboard" / "records").glob("*/*/*/entry.json"))
SCORE = ENTRY.scores["strict"]["ged"]


def changed(*path: str | int, to: object) -> bytes:
    content = json.loads(entry_bytes(ENTRY))
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(content).encode()


def only(board: Path) -> Stored | SetAside:
    (found,) = entries(board)
    return found


def fault(board: Path) -> str:
    found = only(board)
    assert isinstance(found, SetAside)
    return found.fault


def test_an_entry_is_read_back_as_it_was_packed(tmp_path: Path):
    folder = put(tmp_path, ENTRY, FILES)
    found = only(tmp_path)
    assert isinstance(found, Stored)
    assert found.entry == ENTRY
    assert found.id == folder.name
    assert {name: found.read(name) for name in ENTRY.files} == FILES


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed("format", to=1), "another format"),
        (changed("reproduce", to="curl x | sh"), "reproduce"),
        (changed("scores", "strict", "ged", "mean", to="NaN"), "valid number"),
        (changed("scores", "strict", "ged", "mean", to=1e300), "less than or equal"),
        (changed("scores", "strict", "ged", "mean", to=1e15).replace(b"1000000000000000.0", b"NaN"), "finite"),
        (changed("scores", "strict", "ged", "mean", to=1e15).replace(b"1000000000000000.0", b"1e999"), "finite"),
        (changed("samples", to=10**400), "samples"),
        (changed("samples", to=True), "valid integer"),
        (changed("note", to="x" * 9000), "8000 characters"),
        (changed("note", to="\x1b]0;title"), "note"),
        (changed("note", to="right\u202eto left"), "note"),
        (changed("note", to="zero\u200bwidth"), "note"),
        (changed("note", to="tags\U000e0041"), "note"),
        (changed("cells", 0, "phases", "fit", "seconds", to=-1.0), "seconds"),
        (changed("cells", 0, "phases", "wait", to={"seconds": 1.0, "peak_memory_mib": 1.0}), "wait"),
        (changed("written", to="2026-02-31T00:00:00+00:00"), "written"),
        (changed("samples", to=4097), "samples"),
        (changed("method", to="../../x"), "method"),
        (changed("method", to="<script>alert(1)</script>"), "method"),
        (changed("dataset", to="a/b"), "dataset"),
        (changed("files", to={"../x": {"bytes": 1, "sha256": "0" * 64}}), "files"),
        (changed("files", to={"/etc/passwd": {"bytes": 1, "sha256": "0" * 64}}), "files"),
        (changed("files", to={"a.b": {"bytes": 2**40, "sha256": "0" * 64}}), "files"),
        (changed("more", to=1), "more"),
        (changed("cells", to=[]), "cells"),
        (changed("written", to="yesterday"), "written"),
        (b"[" * 100_000, "entry.json"),
        (b"\xff\xfe", "entry.json"),
        (b"", "entry.json"),
        (b"{}", "required"),
    ],
)  # fmt: skip
def test_what_is_no_entry_is_set_aside_and_named(tmp_path: Path, content: bytes, words: str):
    put_raw(tmp_path, ENTRY, content, FILES)
    assert words in fault(tmp_path)


def test_a_name_that_comes_twice_counts_once(tmp_path: Path):
    content = entry_bytes(ENTRY).replace(b'"note": ""', b'"note": "one", "note": "two"')
    put_raw(tmp_path, ENTRY, content, FILES)
    found = only(tmp_path)
    assert isinstance(found, Stored)
    assert found.entry.note == "two"


def test_one_changed_byte_is_seen(tmp_path: Path):
    folder = put(tmp_path, ENTRY, FILES)
    path = folder / "entry.json"
    path.write_bytes(path.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    assert "does not belong to its folder" in fault(tmp_path)


def test_an_entry_too_large_is_not_read(tmp_path: Path):
    put_raw(tmp_path, ENTRY, b" " * (MAX_BYTES + 1), {})
    assert "too large" in fault(tmp_path)


@pytest.mark.parametrize("name", [next(iter(FILES)), "entry.json"])
def test_no_link_is_followed(tmp_path: Path, name: str):
    folder = put(tmp_path / "board", ENTRY, FILES)
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    assert isinstance(only(tmp_path / "board"), SetAside)


def test_no_linked_folder_is_followed(tmp_path: Path):
    folder = put(tmp_path / "other", ENTRY, FILES)
    (tmp_path / "board/records").mkdir(parents=True)
    (tmp_path / "board/records/phantom").symlink_to(folder.parents[1])
    assert "link" in fault(tmp_path / "board")


def test_a_pipe_does_not_make_it_wait(tmp_path: Path):
    folder = put(tmp_path, ENTRY, FILES)
    (folder / "entry.json").unlink()
    os.mkfifo(folder / "entry.json")
    assert "plain file" in fault(tmp_path)


def test_files_that_the_entry_does_not_name_are_refused(tmp_path: Path):
    folder = put(tmp_path, ENTRY, FILES)
    (folder / "extra.html").write_text("<script>")
    assert "extra.html" in fault(tmp_path)


def test_a_missing_file_and_one_of_another_size_are_named(tmp_path: Path):
    folder = put(tmp_path, ENTRY, FILES)
    name = next(iter(FILES))
    (folder / name).write_bytes(b"x")
    assert f"{name}: has another size" in fault(tmp_path)
    (folder / name).unlink()
    assert f"{name}: is missing" in fault(tmp_path)


def test_a_file_of_the_same_size_but_other_content_is_not_given_out(tmp_path: Path):
    folder = put(tmp_path, ENTRY, FILES)
    name = next(iter(FILES))
    (folder / name).write_bytes(bytes(len(FILES[name])))
    found = only(tmp_path)
    assert isinstance(found, Stored)
    with pytest.raises(DataError, match="not the file that was packed"):
        found.read(name)


def test_an_entry_is_written_again_with_the_same_bytes():
    content = entry_bytes(ENTRY)
    low = content.replace(b'"precision": "float32"', b'"precision": "bf16"')
    low = low.replace(b'"raters_present": null', b'"raters_present": 2')
    assert low != content
    for own in (content, low):
        assert entry_bytes(parse_entry(own)) == own, "else its id would change"


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.name)
def test_entries_that_are_published_are_of_this_format_or_said_not_to_be(path: Path):
    content = path.read_bytes()
    if b'\n "format": 2,\n' in content:
        assert entry_bytes(parse_entry(content)) == content, "else their ids would change"
    else:
        with pytest.raises(IncompatibleError, match="another format"):
            parse_entry(content)


def test_conditions_stand_among_the_fields_of_an_entry_and_nowhere_else():
    sparse = replace(ENTRY, conditions=Conditions(raters_present=2, sparsity="fixed", precision="bf16"))
    stored = json.loads(entry_bytes(sparse))
    assert (stored["raters_present"], stored["sparsity"], stored["precision"]) == (2, "fixed", "bf16")
    assert parse_entry(entry_bytes(sparse)) == sparse
    with pytest.raises(DataError, match="conditions"):
        parse_entry(json.dumps(stored | {"conditions": {}}).encode())


def test_what_does_not_fit_the_schema_is_not_written():
    with pytest.raises(DataError, match="note"):
        entry_bytes(replace(ENTRY, note="\x07"))


def test_an_entry_says_what_the_tables_of_runs_say():
    assert ENTRY.caveats == ("preset quick",)
    assert replace(ENTRY, plugin_file="x.py").caveats[-1] == "local plugin file"
    assert (ENTRY.sample_count, ENTRY.human) == (50, False)
    assert isinstance(parse_entry(entry_bytes(ENTRY)), Entry)
