import getpass
import socket
from pathlib import Path

import pytest

from mrbench.leaderboard import strip
from mrbench.leaderboard.strip import stripped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot read /data/anna/x.npz", "cannot read x.npz"),
        ("'/data/anna maria/x.npz' is damaged", "'x.npz' is damaged"),
        ("see ~/runs/a/log.txt", "see log.txt"),
        (r"C:\Users\anna\x.npz", "x.npz"),
        (r"\\server\share\x.npz", "x.npz"),
        ("file:///data/x.npz", "x.npz"),
        ("in /home/anna", "in ~"),
        ("3/4 of mm/pixel and/or", "3/4 of mm/pixel and/or"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("two\nlines", "two lines"),
        ("\x1b[31mred", r"\x1b[31mred"),
    ],
)
def test_a_path_keeps_no_folder_and_other_text_stays(text: str, expected: str):
    assert stripped(text) == expected


def test_hosts_and_people_are_not_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "tower.lab.example")
    monkeypatch.setattr(getpass, "getuser", lambda: "anna")
    monkeypatch.setattr(Path, "home", lambda: Path("/srv/people/anna"))
    strip._known.cache_clear()
    try:
        assert stripped("anna on tower.lab.example, tower, /srv/people/anna/x: annals") == "… on …, …, x: annals"
    finally:
        strip._known.cache_clear()
