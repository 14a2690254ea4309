"""Archives of leaderboards: what is in them is read as from a folder, and what is hostile is refused."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic_board import Made, entry_of, put, registry

from mrbench.errors import DataError
from mrbench.leaderboard import load as module
from mrbench.leaderboard.load import load_leaderboard

Members = dict[str, bytes]


def members(tmp_path: Path, top: str = "") -> Members:
    """The files of a small leaderboard by their names in an archive."""
    board = tmp_path / "board"
    put(board, *entry_of(Made(method="good", level=0.5)))
    put(board, *entry_of(Made(method="bad", level=0.8)))
    return {f"{top}{path.relative_to(board)}": path.read_bytes() for path in board.rglob("*") if path.is_file()}


def zipped(path: Path, content: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, content: Members) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


Pack = Callable[[Path, Members], Path]
BOTH = pytest.mark.parametrize("pack", [zipped, tarred], ids=["zip", "tar.gz"])


@BOTH
@pytest.mark.parametrize("top", ["", "leaderboard/"])
def test_an_archive_gives_what_its_folder_gives(tmp_path: Path, pack: Pack, top: str):
    archive = pack(tmp_path / "archive", members(tmp_path, top))
    found, expected = load_leaderboard(archive, registry()), load_leaderboard(tmp_path / "board", registry())
    tables = [results.table("phantom") for results in (found, expected)]
    assert [row.label for row in tables[0].rows] == [row.label for row in tables[1].rows]
    assert [row.values for row in tables[0].rows] == [row.values for row in tables[1].rows]
    first = found.runs[0].done[0].scores({"ged": registry().get("metric", "ged")}, module_protocol())
    assert len(first.cases) == 24


def module_protocol():
    from mrbench.metrics.protocol import STRICT

    return STRICT


@BOTH
@pytest.mark.parametrize("name", ["../outside", "/outside", "records/../../outside", "a\\..\\outside"])
def test_a_member_that_leads_out_is_refused(tmp_path: Path, pack: Pack, name: str):
    archive = pack(tmp_path / "archive", {**members(tmp_path), name: b"x"})
    with pytest.raises(DataError, match="cannot read") as caught:
        load_leaderboard(archive, registry())
    assert "leads out" in caught.value.found
    assert not list(tmp_path.rglob("outside"))


@BOTH
def test_an_archive_that_unpacks_to_more_than_it_can_hold_is_refused(tmp_path: Path, pack: Pack, monkeypatch):
    monkeypatch.setattr(module, "FREE_BYTES", 1000)
    archive = pack(tmp_path / "archive", {"records/x": bytes(10**7)})
    with pytest.raises(DataError) as caught:
        load_leaderboard(archive, registry())
    assert "more than its size can hold" in caught.value.found


@BOTH
def test_too_many_members_are_refused(tmp_path: Path, pack: Pack, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES", 3)
    archive = pack(tmp_path / "archive", {f"records/{n}": b"" for n in range(9)})
    with pytest.raises(DataError) as caught:
        load_leaderboard(archive, registry())
    assert "more than 3 files" in caught.value.found


def test_links_in_an_archive_are_not_followed(tmp_path: Path):
    (tmp_path / "secret").write_text("secret")
    content = members(tmp_path)
    entry = next(name for name in content if name.endswith("entry.json"))
    with tarfile.open(tmp_path / "archive", "w:gz") as archive:
        info = tarfile.TarInfo(entry)
        info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        archive.addfile(info)
        info = tarfile.TarInfo("reported.csv")
        archive.addfile(info, io.BytesIO())
    with pytest.raises(DataError, match=r"reported\.csv"):
        load_leaderboard(tmp_path / "archive", registry()).table("phantom")


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"PK\x03\x04" + b[4:100], lambda b: b""])
@BOTH
def test_a_damaged_archive_is_refused(tmp_path: Path, pack: Pack, damage: Callable[[bytes], bytes]):
    archive = pack(tmp_path / "archive", members(tmp_path))
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(DataError, match="cannot read"):
        load_leaderboard(archive, registry())


@BOTH
def test_an_archive_of_something_else_holds_no_leaderboard(tmp_path: Path, pack: Pack):
    with pytest.raises(DataError, match="holds no leaderboard"):
        load_leaderboard(pack(tmp_path / "archive", {"readme": b"x"}), registry())
