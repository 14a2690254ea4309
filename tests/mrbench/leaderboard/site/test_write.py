"""The site as files: closed to the outside, and deaf to what names try."""

import struct
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest

from mrbench.errors import DataError, UsageError
from mrbench.leaderboard.board import Board
from mrbench.leaderboard.site.write import write_site

POLICY = {"default-src": "'none'", "script-src": "'self' file:", "style-src": "'self' file:", "base-uri": "'none'",
          "form-action": "'none'"}  # fmt: skip


class Elements(HTMLParser):
    """Tags with their attributes, and what stands in scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag


def png(width: int = 3, height: int = 2) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x00\x00\x00\x00"


def test_no_page_leads_out_of_the_folder_and_none_has_a_script_of_its_own(
    make_board: Callable[..., Board], hostile: str, tmp_path: Path
):
    write_site(make_board(name=hostile), tmp_path)
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) == 21
    for path in pages:
        elements = Elements(path.read_text())
        assert not {"img", "iframe", "object", "form", "style"} & {tag for tag, _ in elements.tags}
        for tag, attributes in elements.tags:
            assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
            for name in ("href", "src"):
                if value := attributes.get(name):
                    target = value.partition("#")[0] or path.name
                    assert value == "data:," or (path.parent / target).resolve().is_relative_to(tmp_path), value
                    assert value == "data:," or (path.parent / target).is_file(), value
            assert tag != "script" or attributes.get("src")


def test_a_policy_forbids_what_is_not_of_the_site(site: Path):
    for path in site.rglob("*.html"):
        (policy,) = (a["content"] for _, a in Elements(path.read_text()).tags if "http-equiv" in a)
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert POLICY.items() <= rules.items()
        assert "unsafe" not in policy


def test_rows_are_ascii(make_board: Callable[..., Board], hostile: str, tmp_path: Path):
    write_site(make_board(name=hostile + "\u2028é"), tmp_path)
    scripts = list((tmp_path / "rows").iterdir())
    assert len(scripts) == 4
    for path in scripts:
        assert path.read_bytes().isascii()


def test_images_are_shown_where_the_licence_permits_it(make_board: Callable[..., Board], tmp_path: Path):
    folder = tmp_path / "pictures" / "method"
    folder.mkdir(parents=True)
    (folder / "four-raters.png").write_bytes(png())
    board = make_board(3)
    write_site(board, tmp_path / "site", pictures=tmp_path / "pictures")
    page = Elements((tmp_path / "site" / "datasets" / "method.html").read_text())
    (image,) = (a for tag, a in page.tags if tag == "img")
    assert (image["alt"], image["width"], image["height"]) == ("four raters", "3", "2")
    assert (tmp_path / "site" / "images" / "method--0.png").read_bytes() == png()
    object.__setattr__(board.datasets[0], "pictures", False)
    write_site(board, tmp_path / "none", pictures=tmp_path / "pictures")
    assert not (tmp_path / "none" / "images").exists()


@pytest.mark.parametrize("content", [b"GIF89a", png(0, 1), png(20_000, 1), b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused(make_board: Callable[..., Board], tmp_path: Path, content: bytes):
    folder = tmp_path / "pictures" / "method"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png is no image"):
        write_site(make_board(3), tmp_path / "site", pictures=tmp_path / "pictures")


def test_a_link_is_no_image(make_board: Callable[..., Board], tmp_path: Path):
    folder = tmp_path / "pictures" / "method"
    folder.mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "a.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="cannot read the image"):
        write_site(make_board(3), tmp_path / "site", pictures=tmp_path / "pictures")


def test_an_empty_board_is_a_page_that_says_how_to_begin(tmp_path: Path):
    written = write_site(Board([], [], [], [], "0.0"), tmp_path)
    assert written.pages == 3
    text = (tmp_path / "index.html").read_text()
    assert "Nothing is ranked yet" in text
    assert "submit.html" in text
    assert "mrbench leaderboard add last" in (tmp_path / "submit.html").read_text()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(
        "mrbench.leaderboard.site.write.find_spec", lambda name: None if name == "jinja2" else find_spec(name)
    )
    with pytest.raises(UsageError, match=r"need jinja2[\s\S]*mrbench\[report\]"):
        write_site(Board([], [], [], [], "0.0"), tmp_path)


def test_what_was_set_aside_is_said_and_not_shown_as_a_record(site: Path):
    text = (site / "index.html").read_text()
    assert "wrong: method" in text
    assert "None of their numbers" in text
    assert "Does not verify" in text
