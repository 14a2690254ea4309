"""The site written to a folder."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.errors import UsageError
from mrbench.leaderboard.board import Board, DatasetPage
from mrbench.leaderboard.site import addresses
from mrbench.leaderboard.site.gallery import images_of
from mrbench.leaderboard.site.lines import OLDER, Group, groups_of, rows_data
from mrbench.leaderboard.site.pages import (
    FIRST,
    TABLES,
    Site,
    dataset_view,
    index_view,
    method_view,
    methods_view,
    question_view,
    record_view,
    submit_view,
)

if TYPE_CHECKING:
    from jinja2 import Environment

PACKAGE = "mrbench.leaderboard.site"
SHARED = "mrbench.report"
SCRIPTS = ("site.js", "table.js", "scatter.js")


@dataclass(frozen=True)
class Written:
    """What was written: HTML pages, and the bytes of all files."""

    pages: int
    bytes: int


def write_site(board: Board, folder: Path, *, downloads: Sequence[str] = (), pictures: Path | None = None) -> Written:
    """Writes every page below ``folder``, over files of the same name; nothing there is removed.

    Args:
        downloads: names of files in ``folder`` that the first page links to.
        pictures: folder with a folder of PNG files per data set, shown where the licence of the data permits it.

    Raises:
        UsageError: a package is missing.
        DataError: a picture that is none.
    """
    check_packages()
    sizes: dict[str, int] = {}
    made: set[Path] = set()
    for name, content in _files(board, downloads, pictures):
        path = folder / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(content)
        sizes[name] = len(content)
    return Written(sum(name.endswith(".html") for name in sizes), sum(sizes.values()))


def check_packages() -> None:
    """Refuses to begin what cannot be finished.

    Raises:
        UsageError: a package is missing; names the command that installs it.
    """
    if find_spec("jinja2") is None:
        raise UsageError("the leaderboard's pages need jinja2", hint="pip install 'mrbench[report]'")


def _files(board: Board, downloads: Sequence[str], pictures: Path | None) -> Iterator[tuple[str, bytes]]:
    render = _Renderer(board)
    site = Site(board)
    yield "style.css", (_text(SHARED, "style.css") + "\n" + _text(PACKAGE, "site.css")).encode()
    yield "theme.js", _text(SHARED, "theme.js").encode()
    yield from ((name, _text(PACKAGE, name).encode()) for name in SCRIPTS)
    yield "index.html", render("index.html", "", **index_view(site), downloads=downloads)
    yield "submit.html", render("submit.html", "", **submit_view())
    yield "methods.html", render("methods.html", "", **methods_view(site))
    for question in dict.fromkeys(one.question for one in board.asked):
        yield addresses.question_page(question.name), render("question.html", "../", **question_view(question, site))
    for page in board.datasets:
        yield from _dataset_files(page, site, render, pictures)
    for method in board.methods:
        yield addresses.method_page(method.name), render("method.html", "../", **method_view(method, site))
        for stored in method.history:
            yield addresses.record_page(stored.id), render("record.html", "../", **record_view(stored, site))


def _dataset_files(
    page: DatasetPage, site: Site, render: "_Renderer", pictures: Path | None
) -> Iterator[tuple[str, bytes]]:
    groups = {table.key: groups_of(table, site.look) for table in page.tables[:TABLES]}
    for key, own in groups.items():
        name = addresses.rows_file(page.name, key)
        yield name, _rows_script(name, [group for group in own if group.name != OLDER])
        yield addresses.older_file(name), _rows_script(addresses.older_file(name), [g for g in own if g.name == OLDER])
    images = images_of(page, pictures)
    yield from ((image.file, image.content) for image in images)
    view = dataset_view(page, site, groups)
    yield addresses.dataset_page(page.name), render("dataset.html", "../", **view, gallery=images, first=FIRST)


def _rows_script(name: str, groups: Sequence[Group]) -> bytes:
    # A script, because a page that was opened from a file may read nothing else; ASCII, so that no letter is special;
    # one string, because browsers read JSON faster than programs.
    data = json.dumps(rows_data(groups), separators=(",", ":"), allow_nan=False)
    return f"(globalThis.mrbenchRows ??= {{}})[{json.dumps(name)}] = JSON.parse({json.dumps(data)});\n".encode("ascii")


class _Renderer:
    """Templates filled with texts, every one of which is escaped."""

    def __init__(self, board: Board) -> None:
        self.environment = _environment()
        self.shared = {"version": board.built_with, "title": board.title}

    def __call__(self, template: str, root: str, **view: Any) -> bytes:
        """A page; ``root``: the way from it to the site's folder."""
        text = self.environment.get_template(template).render(root=root, **self.shared, **view)
        return text.encode("utf-8", "replace")


def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader(PACKAGE)
    return Environment(autoescape=True, undefined=StrictUndefined, loader=loader, auto_reload=False)


def _text(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")
