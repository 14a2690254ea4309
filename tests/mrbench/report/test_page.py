"""The page as a file: whole, closed to the outside, and deaf to what names try."""

import base64
import hashlib
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mrbench.engine.run import Run, open_run
from mrbench.errors import UsageError
from mrbench.registry import Registry
from mrbench.report.choices import Choices
from mrbench.report.gather import Report, gather
from mrbench.report.page import render, write_page


class Elements(HTMLParser):
    """Tags with their attributes, and the content of scripts and styles, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in = tag if tag in ("script", "style") else ""
        if self._in:
            self.raw.append((tag, ""))

    def handle_data(self, data):
        if self._in:
            self.raw[-1] = (self.raw[-1][0], self.raw[-1][1] + data)

    def handle_endtag(self, tag):
        self._in = ""

    handle_startendtag = handle_starttag


@pytest.fixture(scope="module")
def report(run: Run, registry: Registry) -> Report:
    return gather([run], registry, Choices())


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render(report)


def test_the_same_results_are_the_same_page(run: Run, registry: Registry, page: str):
    assert render(gather([run], registry, Choices())) == page


def test_nothing_on_the_page_leads_out_of_it(page: str):
    for tag, attributes in Elements(page).tags:
        assert tag not in ("iframe", "object", "embed", "base", "form", "img", "video", "audio")
        for name in ("src", "srcset", "action", "data", "poster", "background", "style", "xlink:href"):
            assert name not in attributes, f"{tag} {name}"
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith(("#", "data:,"))
    assert not re.search(r"@import|url\((?!#)|https?://(?!www\.w3\.org/2000/svg)", page)


def test_only_the_scripts_and_the_style_of_the_page_may_run(page: str):
    elements = Elements(page)
    (policy,) = (a["content"] for tag, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    kinds = [a.get("type", "") for tag, a in elements.tags if tag == "script"]
    texts = [text for tag, text in elements.raw if tag == "script"]
    own = [text for kind, text in zip(kinds, texts, strict=True) if not kind]
    own_style = [text for tag, text in elements.raw if tag == "style"]
    assert (len(own), len(own_style)) == (3, 1)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in own]
    assert rules["script-src"] == " ".join(hashes)
    assert set(kinds) == {"", "application/json", "text/plain"}


def test_hostile_names_stay_text(make_odd, registry: Registry, hostile: str):
    text = render(gather([make_odd()], registry, Choices()))
    elements = Elements(text)
    assert "img" not in [tag for tag, _ in elements.tags]
    (index,) = (raw for (_, raw), (tag, a) in zip(
        elements.raw, [one for one in elements.tags if one[0] in ("script", "style")], strict=True
    ) if a.get("type") == "application/json")  # fmt: skip
    assert "\u2028" not in index
    assert "<" not in index
    names = json.loads(index)
    assert names["raters"][0] == f"r0 {hostile}"
    assert names["cases"][0]["id"].endswith(hostile)
    assert names["classes"] == [f"rim {hostile}", "core"]
    assert "window.hacked=1</script>" not in text


def test_an_identifier_is_there_once(page: str):
    names = [attributes["id"] for _, attributes in Elements(page).tags if "id" in attributes]
    assert len(names) == len(set(names))


def test_every_link_of_the_contents_leads_somewhere(page: str):
    elements = Elements(page).tags
    names = {attributes.get("id") for _, attributes in elements}
    links = [attributes["href"][1:] for tag, attributes in elements if tag == "a"]
    assert len(links) > 5
    assert set(links) <= names


def test_failures_and_text_of_records_are_escaped(report: Report, hostile: str):
    (part,) = report.datasets
    bad = replace(part.table.rows[0], failures=(hostile,), label=hostile)
    table = replace(part.table, rows=[bad, *part.table.rows[1:]])
    text = render(replace(report, datasets=[replace(part, table=table, styles={**part.styles, hostile: 0})]))
    assert "<script>window" not in text
    assert "<img" not in text
    assert "&lt;img src=x onerror=window.hacked=1&gt;" in text


def test_the_file_is_written_whole_or_not_at_all(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "new" / "page.html"
    assert write_page(report, path) == path.stat().st_size
    before = path.read_bytes()
    monkeypatch.setattr("mrbench.files.flush", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_page(report, path)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["page.html"]


def test_another_kind_of_file_is_refused(report: Report, tmp_path: Path):
    with pytest.raises(UsageError, match=r"a name that ends with \.html"):
        write_page(report, tmp_path / "page.pdf")


@pytest.mark.parametrize("name", ["jinja2", "matplotlib"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(name: str, monkeypatch: pytest.MonkeyPatch):
    import importlib.util

    from mrbench.report.page import check_packages

    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted: None if wanted == name else object())
    with pytest.raises(UsageError, match=f"needs {name}") as error:
        check_packages()
    assert error.value.hint == "pip install 'mrbench[report]'"


def test_a_run_of_which_nothing_has_finished_is_a_page_that_says_so(run: Run, registry: Registry, tmp_path: Path):
    copy = shutil.copytree(run.results, tmp_path / "r")
    shutil.rmtree(copy / "cells")
    text = render(gather([open_run("last", copy)], registry, Choices()))
    assert "No cell of this data set has finished." in text
    assert text.count("interrupted: not finished; run the same command again") == 8
    assert "<svg" not in text
