"""Checkpoints vouch for themselves: the furthest whole one is continued from, and a damaged one never."""

from pathlib import Path

import pytest
import torch

from mrbench.engine.checkpoints import load_checkpoints, save_checkpoint

CPU = torch.device("cpu")


def values(folder: Path) -> list[int]:
    return [saved["value"] for _, saved in load_checkpoints(folder, CPU)]


def test_a_checkpoint_replaces_those_before_it(tmp_path: Path):
    folder = tmp_path / "checkpoint"
    for epoch in range(3):
        save_checkpoint(folder, (0, epoch), {"value": epoch})
    assert values(folder) == [2]
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_changed_bit_makes_it_absent_and_a_line_says_so(
    tmp_path: Path, at: int, capsys: pytest.CaptureFixture[str]
):
    save_checkpoint(tmp_path, (0, 1), {"value": 1})
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)
    assert values(tmp_path) == []
    assert str(path) in capsys.readouterr().err
    assert not path.exists()


def test_the_furthest_whole_one_is_taken(tmp_path: Path):
    whole = []
    for place in ((0, 5), (1, 2), (0, 10)):
        folder = tmp_path / f"{place}"
        save_checkpoint(folder, place, {"value": place[0] * 100 + place[1]})
        (path,) = folder.iterdir()
        whole.append(path.rename(tmp_path / path.name))
        folder.rmdir()
    assert values(tmp_path) == [102, 10, 5]
    whole[1].write_bytes(whole[1].read_bytes()[:50])
    assert values(tmp_path) == [10, 5]


def test_one_under_another_name_is_none(tmp_path: Path):
    torch.save({"value": 1}, tmp_path / "checkpoint.pt")
    assert values(tmp_path) == []


def test_one_that_cannot_be_written_leaves_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_checkpoint(tmp_path, (0, 1), {"value": 1})

    def full(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(RuntimeError, match="PytorchStreamWriter"):
        save_checkpoint(tmp_path, (0, 2), {"value": 2})
    assert values(tmp_path) == [1]
    assert len(list(tmp_path.iterdir())) == 1
