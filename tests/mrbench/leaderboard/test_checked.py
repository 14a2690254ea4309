"""What was verified is kept, and is verified again where anything that it depends on changed."""

from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_board import Made, again, entry_of, put, registry

from mrbench.leaderboard import checked as module
from mrbench.leaderboard.checked import checked
from mrbench.leaderboard.registered import read_registered, write_registered
from mrbench.leaderboard.store import Stored, Why
from mrbench.leaderboard.verify import Verifier

MADE = Made(method="mine", folds=1, subjects=3)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Methods of the entries that were verified, in their order."""
    found: list[str] = []
    real = Verifier.alone

    def alone(self: Verifier, stored: Stored):
        found.append(stored.entry.method)
        return real(self, stored)

    monkeypatch.setattr(Verifier, "alone", alone)
    return found


def board(tmp_path: Path) -> Path:
    put(tmp_path / "board", *entry_of(MADE))
    put(tmp_path / "board", *entry_of(replace(MADE, method="other", level=0.5)))
    return tmp_path / "board"


def test_what_was_verified_is_not_verified_again(tmp_path: Path, verified: list[str]):
    folder, cache = board(tmp_path), tmp_path / "kept.json"
    first = checked(folder, registry(), cache)
    assert sorted(verified) == ["mine", "other"]
    assert checked(folder, registry(), cache).stored == first.stored
    assert len(verified) == 2
    cache.unlink()
    checked(folder, registry(), cache)
    assert len(verified) == 4


def test_a_file_that_was_written_since_is_looked_at_again(tmp_path: Path, verified: list[str]):
    folder, cache = board(tmp_path), tmp_path / "kept.json"
    checked(folder, registry(), cache)
    verified.clear()
    path = next(folder.glob("records/phantom/mine/*/strict*"))
    path.write_bytes(bytes(path.stat().st_size))
    found = checked(folder, registry(), cache)
    assert verified == ["mine"]
    assert [one.path[:13] for one in found.listed_apart] == ["phantom/mine/"]


@pytest.mark.parametrize("what", ["code", "registry"])
def test_other_code_or_other_registered_data_verify_all_again(
    tmp_path: Path, verified: list[str], monkeypatch: pytest.MonkeyPatch, what: str
):
    folder, cache = board(tmp_path), tmp_path / "kept.json"
    checked(folder, registry(), cache)
    verified.clear()
    if what == "code":
        monkeypatch.setattr(module, "code_digest", lambda: "other")
    else:
        known = read_registered(folder)
        write_registered(folder, known.with_line(replace(known.data[0], dataset="more")))
    checked(folder, registry(), cache)
    assert sorted(verified) == ["mine", "other"]


def test_a_fault_is_never_kept(tmp_path: Path, verified: list[str]):
    entry, files = entry_of(MADE)
    put(tmp_path / "board", again(entry, 1, day="2099-01-01"), files)
    for _ in range(2):
        (apart,) = checked(tmp_path / "board", registry(), tmp_path / "kept.json").listed_apart
        assert "no day to come" in apart.fault
    assert verified == ["mine", "mine"]


@pytest.mark.parametrize("content", ["[", "[]", '{"0": {"key": 1}}', "{}"])
def test_a_ruined_file_is_verified_anew(tmp_path: Path, verified: list[str], content: str):
    folder, cache = board(tmp_path), tmp_path / "kept.json"
    cache.write_text(content)
    assert len(checked(folder, registry(), cache).stored) == 2
    assert len(verified) == 2


def test_a_file_that_was_sent_in_from_another_machine_counts_for_nothing(tmp_path: Path, verified: list[str]):
    entry, files = entry_of(MADE)
    forged = replace(entry.scores["strict"]["ged"], mean=0.0)
    put(tmp_path / "there", entry, files)
    checked(tmp_path / "there", registry(), tmp_path / "kept.json")
    id = next((tmp_path / "there").glob("records/*/*/*")).name
    bad = put(tmp_path / "here", replace(entry, scores={"strict": {**entry.scores["strict"], "ged": forged}}), files)
    sent = (tmp_path / "kept.json").read_text().replace(id, bad.name)
    (tmp_path / "kept.json").write_text(sent)
    (apart,) = checked(tmp_path / "here", registry(), tmp_path / "kept.json").listed_apart
    assert (apart.why, verified) == (Why.INVALID, ["mine", "mine"])


def test_an_entry_with_faults_takes_no_results_from_another(tmp_path: Path):
    entry, files = entry_of(MADE)
    put(tmp_path / "board", entry, files)
    copy = again(entry, 1, day="2025-06-01", method="thief", plugin_file="none.py")
    put(tmp_path / "board", copy, files)
    found = checked(tmp_path / "board", registry())
    assert [one.entry.method for one in found.stored] == ["mine"]


def test_the_pages_say_of_data_what_is_registered(tmp_path: Path):
    entry, files = entry_of(MADE)
    put(tmp_path / "board", entry, files)
    said = replace(entry.data, licence="all mine", origin="my desk")
    put(tmp_path / "board", again(entry, 1, data=said, dataset_changed={"size": "9999"}), files)
    found = checked(tmp_path / "board", registry())
    assert [(one.entry.data, one.entry.dataset_changed) for one in found.stored] == [(entry.data, {})] * 2
