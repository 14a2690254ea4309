"""Archives of leaderboards: what is in them is read as from a folder, and what is hostile is refused."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic_board import Made, entry_of, put, registry

from mrbench.errors import DataError
from mrbench.leaderboard import load as module
from mrbench.leaderboard.load import load_leaderboard
from mrbench.results.collection import Results

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


def stored(results: Results) -> tuple[list[str], list[str]]:
    """What a leaderboard gave: its entries and their values."""
    return [run.id for run in results.runs], [str(row.values) for row in results.table("phantom").rows]


@BOTH
def test_damage_anywhere_in_an_archive_is_refused_or_changes_nothing(tmp_path: Path, pack: Pack):
    archive = pack(tmp_path / "archive", members(tmp_path))
    whole, expected = archive.read_bytes(), stored(load_leaderboard(archive, registry()))
    refused = 0
    for at in range(0, len(whole), len(whole) // 60):
        archive.write_bytes(whole[:at] + b"\xff" * 40 + whole[at + 40 :])
        try:
            found = load_leaderboard(archive, registry())
        except DataError as error:
            refused += str(archive) in error.what and bool(error.expected and error.found)
        else:
            assert (stored(found), found.notes) == (expected, ())
    assert refused > 50


def plain_tar(tmp_path: Path) -> bytes:
    return gzip.decompress(tarred(tmp_path / "whole", members(tmp_path)).read_bytes())


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda tar: tar.rstrip(b"\0") + b"\0" * (-len(tar.rstrip(b"\0")) % 512), "end of the archive should be"),
        (lambda tar: tar[: len(tar) // 1024 * 512], ""),
        (lambda tar: tar + tar, "more behind the block that ends the archive"),
        (lambda tar: tar[:-9] + b"x" * 9, "more behind the block that ends the archive"),
        (lambda tar: tar[:148] + b"x" * 8 + tar[156:], "should be"),
    ],
    ids=["no end", "half", "twice", "dirt", "header"],
)
def test_a_tar_that_is_not_whole_is_refused_though_its_gzip_is(tmp_path: Path, damage, found: str):
    (tmp_path / "archive").write_bytes(gzip.compress(damage(plain_tar(tmp_path))))
    with pytest.raises(DataError, match="cannot read") as caught:
        load_leaderboard(tmp_path / "archive", registry())
    assert found in caught.value.found


def test_a_damaged_header_in_the_middle_does_not_end_a_tar(tmp_path: Path):
    tar = bytearray(plain_tar(tmp_path))
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        at = archive.getmembers()[2].offset
    tar[at : at + 40] = b"\xff" * 40
    (tmp_path / "archive").write_bytes(gzip.compress(tar))
    with pytest.raises(DataError) as caught:
        load_leaderboard(tmp_path / "archive", registry())
    assert "bad checksum where a member or the end of the archive should be" in caught.value.found


def test_what_was_unpacked_of_a_damaged_archive_does_not_stay(tmp_path: Path, monkeypatch):
    folder = tmp_path / "unpacked"
    monkeypatch.setattr(module, "mkdtemp", lambda prefix: str(folder))
    (tmp_path / "archive").write_bytes(gzip.compress(plain_tar(tmp_path)[:-9] + b"x" * 9))
    with pytest.raises(DataError):
        load_leaderboard(tmp_path / "archive", registry())
    assert not folder.exists()


def header(kind: bytes, size: int, name: str = "././@LongLink") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


NAMES = [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]


@pytest.mark.parametrize("kind", NAMES)
def test_names_of_members_cannot_fill_the_memory(tmp_path: Path, kind: bytes):
    size = 48 * 2**20
    bomb = gzip.compress(header(kind, size) + b"a" * size + header(tarfile.REGTYPE, 0, "x") + bytes(1024))
    (tmp_path / "archive").write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(DataError) as caught:
        load_leaderboard(tmp_path / "archive", registry())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert f"takes {size} bytes" in caught.value.found
    assert peak < 2**21


def test_facts_of_all_members_cannot_pile_up(tmp_path: Path):
    facts = b"".join(
        header(tarfile.XGLTYPE, 10240) + b"10240 key%05d=%s\n" % (n, b"v" * 10224) + header(tarfile.REGTYPE, 0, "x")
        for n in range(20)
    )
    (tmp_path / "archive").write_bytes(gzip.compress(facts + bytes(1024)))
    with pytest.raises(DataError) as caught:
        load_leaderboard(tmp_path / "archive", registry())
    assert "bytes are said of all members" in caught.value.found


def test_what_lies_between_members_counts_as_unpacked(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "FREE_BYTES", 10**5)
    monkeypatch.setattr(module, "MAX_RATIO", 0)
    unknown = header(b"Z", 10**6, "x") + bytes(10**6 // 512 * 512 + 512)
    (tmp_path / "archive").write_bytes(gzip.compress(unknown + bytes(1024)))
    with pytest.raises(DataError) as caught:
        load_leaderboard(tmp_path / "archive", registry())
    assert "unpacks to more than 100000 bytes" in caught.value.found


def test_a_file_of_fewer_than_no_bytes_gives_no_room_to_others(tmp_path: Path):
    facts = b"18 size=-99999999\n"
    content = header(tarfile.XHDTYPE, len(facts)) + facts + bytes(512 - len(facts)) + header(tarfile.REGTYPE, 0, "x")
    (tmp_path / "archive").write_bytes(gzip.compress(content + bytes(1024)))
    with pytest.raises(DataError) as caught:
        load_leaderboard(tmp_path / "archive", registry())
    assert "a file of -99999999 bytes" in caught.value.found


def test_long_names_in_a_tar_are_read(tmp_path: Path):
    found = members(tmp_path, "a" * 120 + "/")
    assert len(load_leaderboard(tarred(tmp_path / "archive", found), registry()).runs) == 2


def test_a_member_of_a_zip_without_a_name_is_refused(tmp_path: Path):
    content = zipped(tmp_path / "archive", {"QZ": b"x"}).read_bytes()
    (tmp_path / "archive").write_bytes(content.replace(b"QZ", b"\0Z"))  # names end at a zero
    with pytest.raises(DataError, match="cannot read"):
        load_leaderboard(tmp_path / "archive", registry())


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_zip_that_unpack_without_a_limit_are_refused(tmp_path: Path, way: int):
    with zipfile.ZipFile(tmp_path / "archive", "w", way) as archive:
        archive.writestr("records/x", b"abc" * 1000)
    with pytest.raises(DataError) as caught:
        load_leaderboard(tmp_path / "archive", registry())
    assert "not deflated" in caught.value.found


@BOTH
def test_an_archive_of_something_else_holds_no_leaderboard(tmp_path: Path, pack: Pack):
    with pytest.raises(DataError, match="holds no leaderboard"):
        load_leaderboard(pack(tmp_path / "archive", {"readme": b"x"}), registry())
