"""The git commit that code was checked out at, read from git's own files: no program is started."""

from pathlib import Path

HEX = frozenset("0123456789abcdef")


def commit_of(place: Path) -> str:
    """The commit of the checkout that a file or folder lies in; blank where it lies in none, or none can be read.

    Says nothing of files that were changed since: the digests of code do.
    """
    for folder in (place, *place.parents):
        git = folder / ".git"
        if git.exists():
            try:
                return _head(_git_folder(git))
            except (OSError, ValueError):
                return ""
    return ""


def _git_folder(git: Path) -> Path:
    # In a worktree it is a file that names the folder.
    return git if git.is_dir() else git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()


def _head(folder: Path) -> str:
    head = (folder / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref: "):
        return _checked(head)
    name = head.removeprefix("ref: ")
    shared = folder / "commondir"
    roots = [folder, *([folder / shared.read_text(encoding="utf-8").strip()] if shared.is_file() else [])]
    for root in roots:
        if (root / name).is_file():
            return _checked((root / name).read_text(encoding="utf-8").strip())
    packed = (roots[-1] / "packed-refs").read_text(encoding="utf-8").splitlines()
    return _checked(next((line.split()[0] for line in packed if line.split()[1:] == [name]), ""))


def _checked(text: str) -> str:
    return text if len(text) in (40, 64) and HEX.issuperset(text) else ""
