"""The commit of a checkout, read from git's own files."""

import subprocess
from pathlib import Path

import pytest

from mrbench.engine.commit import commit_of

A, B = "a" * 40, "b" * 40


def checkout(folder: Path, head: str, **files: str) -> Path:
    for name, text in {"HEAD": head, **files}.items():
        (folder / ".git" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / ".git" / name).write_text(text)
    (folder / "package").mkdir()
    return folder / "package"


def test_a_branch_a_packed_branch_and_a_bare_commit(tmp_path: Path):
    assert commit_of(checkout(tmp_path / "1", f"{A}\n")) == A
    assert commit_of(checkout(tmp_path / "2", "ref: refs/heads/x\n", **{"refs/heads/x": f"{B}\n"})) == B
    packed = f"# pack-refs\n{A} refs/heads/other\n{B} refs/heads/x\n"
    assert commit_of(checkout(tmp_path / "3", "ref: refs/heads/x\n", **{"packed-refs": packed})) == B


def test_a_worktree_has_its_branches_in_the_first_checkout(tmp_path: Path):
    checkout(tmp_path / "main", f"{A}\n", **{
        "worktrees/w/HEAD": "ref: refs/heads/x\n", "worktrees/w/commondir": "../..\n", "refs/heads/x": f"{B}\n",
    })  # fmt: skip
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text(f"gitdir: {tmp_path / 'main/.git/worktrees/w'}\n")
    assert commit_of(tmp_path / "w") == B


@pytest.mark.parametrize("head", ["", "ref: refs/heads/gone\n", "zzz\n", "ref: ../../etc/passwd\n"])
def test_what_cannot_be_read_is_no_commit(tmp_path: Path, head: str):
    assert commit_of(checkout(tmp_path / "c", head)) == ""


def test_git_agrees():
    root = Path(__file__).parent
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        assert commit_of(root) == done.stdout.strip()
