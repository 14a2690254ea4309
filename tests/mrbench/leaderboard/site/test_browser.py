"""The site in a browser: what a reader sees and can do."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mrbench.leaderboard.board import Board
from mrbench.leaderboard.site.write import write_site

Open = Callable[..., Any]

NAME = "one => one.getAttribute('aria-label') || one.textContent || one.labels[0]?.textContent"
SHOWN = "section.board:not([hidden])"

CONTRAST = """(selectors) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((byte) => byte / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return Object.fromEntries(selectors.map((selector) => {
    const own = light(getComputedStyle(document.querySelector(selector)).color);
    return [selector, (Math.max(own, paper) + 0.05) / (Math.min(own, paper) + 0.05)];
  }));
}"""


@pytest.fixture(scope="module")
def dataset(site: Path) -> Path:
    return site / "datasets" / "method.html"


def names(page: Any, group: str = "methods") -> list[str]:
    return page.locator(f"{SHOWN} tbody[data-group={group}] tr:not(.under) th a").all_text_contents()


def test_what_is_drawn_again_is_what_was_written(opened: Open, dataset: Path):
    page = opened(dataset)
    body = f"{SHOWN} .results tbody"
    rows = [one.evaluate("one => one.outerHTML") for one in page.locator(f"{body} tr").all()]
    page.fill("[data-pick=text]", "no such row")
    page.fill("[data-pick=text]", "")
    again = [one.evaluate("one => one.outerHTML") for one in page.locator(f"{body} tr").all()]
    assert len(rows) == len(again) == 11
    assert again == rows


def test_a_table_sorts_by_click_and_by_keyboard(opened: Open, dataset: Path):
    page = opened(dataset)
    heading = page.locator(f"{SHOWN} thead th", has_text="ged").first
    assert names(page) == [f"method-{n}" for n in range(6)]
    heading.locator("button").click()
    assert names(page) == [f"method-{n}" for n in range(6)]
    assert heading.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert names(page) == [f"method-{n}" for n in reversed(range(6))]
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.locator(f"{SHOWN} [aria-sort]").count() == 1
    assert names(page, "people") == ["method-people"], "human references stay apart"


def test_reported_rows_stay_below_the_reproduced_one_of_their_method(opened: Open, dataset: Path):
    page = opened(dataset)
    page.locator(f"{SHOWN} thead th button").first.click()
    page.keyboard.press("Enter")
    rows = page.locator(f"{SHOWN} tbody[data-group=methods] tr")
    assert "method-0" in str(rows.nth(5).text_content())
    below = str(rows.nth(6).text_content())
    assert "reported" in below
    assert "A paper, 2025, Table 1" in below
    assert "0.7700" in below
    page.click("[data-rows=reported]")
    assert "A paper" not in str(page.text_content(SHOWN))


def test_rows_are_filtered_by_name_setting_and_samples(opened: Open, dataset: Path):
    page = opened(dataset)
    page.fill("[data-pick=text]", "METHOD-3")
    assert names(page) == ["method-3"]
    page.fill("[data-pick=text]", "mark 4")
    assert names(page) == ["method-4"]
    page.fill("[data-pick=text]", "nothing like it")
    assert "No row fits the filter" in str(page.text_content(SHOWN))
    page.fill("[data-pick=text]", "")
    page.select_option("[data-pick=samples]", "1")
    assert names(page) == []
    assert names(page, "people") == ["method-people"]


def test_the_protocol_is_switched_and_the_filter_stays(opened: Open, dataset: Path):
    page = opened(dataset)
    page.click("[data-protocol=published]")
    page.wait_for_selector(f"{SHOWN}[data-protocol=published][data-ready]")
    assert names(page) == [f"method-{n}" for n in reversed(range(6))]
    page.fill("[data-pick=text]", "method-2")
    page.click("[data-protocol=strict]")
    assert page.get_attribute("[data-protocol=strict]", "aria-pressed") == "true"
    page.wait_for_selector(f"{SHOWN}[data-protocol=strict][data-drawn]")
    assert names(page) == ["method-2"]


def test_an_address_leads_to_a_table(opened: Open, dataset: Path):
    page = opened(dataset)
    key = page.get_attribute("section[data-protocol=published]", "id")
    page.goto(f"{dataset.as_uri()}#{key}")
    page.wait_for_selector(f"{SHOWN}[data-protocol=published][data-ready]")


def test_older_rows_come_when_they_are_asked_for(opened: Open, dataset: Path):
    page = opened(dataset)
    assert page.locator("[data-group=older]").count() == 0
    page.click("[data-rows=older]")
    page.wait_for_selector("[data-group=older] tr th .badge")
    assert names(page, "older") == ["method-0"]


def test_a_failure_is_seen_and_says_what_failed(opened: Open, dataset: Path):
    page = opened(dataset)
    row = page.locator(f"{SHOWN} tr", has=page.locator("small.alert"))
    assert "1 of 2 cells did not finish" in str(row.text_content())


def test_a_row_states_the_command_that_computes_it_again(opened: Open, dataset: Path):
    page = opened(dataset)
    page.locator(f"{SHOWN} button[popovertarget]").first.click()
    page.wait_for_selector(".how:popover-open")
    assert page.text_content(".how:popover-open code") == (
        "mrbench run --method method-0 --seed 0 --samples 50 --preset method --fold 0 --fold 1 --dataset method"
    )
    page.click(".how:popover-open [data-copy]")
    page.wait_for_selector("text=Copied")
    page.keyboard.press("Escape")
    assert page.locator(".how:popover-open").count() == 0


def test_quality_against_every_cost(opened: Open, dataset: Path):
    page = opened(dataset)
    marks = page.locator(f"{SHOWN} .scatter .mark")
    assert marks.count() == 5, "a method with failures has no point"
    costs = page.locator(f"{SHOWN} [data-pick=cost] option").all_text_contents()
    assert costs == ["train s", "predict s", "ms/image", "peak MiB", "parameters"]
    page.select_option(f"{SHOWN} [data-pick=cost]", label="parameters")
    page.select_option(f"{SHOWN} [data-pick=quality]", label="dice_soft")
    label = str(page.get_attribute(f"{SHOWN} .scatter svg", "aria-label"))
    assert label.startswith("dice_soft against parameters: method-0 0.9 at 250000")
    page.select_option(f"{SHOWN} [data-pick=cost]", label="predict s")
    assert "Fewer than two methods" in str(page.text_content(f"{SHOWN} .picture"))


def test_many_rows_are_paged(opened: Open, make_board: Callable[..., Board], tmp_path: Path):
    write_site(make_board(120), tmp_path)
    page = opened(tmp_path / "datasets" / "method.html")
    assert len(names(page)) == 50
    assert page.text_content(f"{SHOWN} .place") == "Rows 1 to 50 of 120"
    page.click(f"{SHOWN} [data-go='1']")
    assert names(page)[0] == "method-50"
    page.click(f"{SHOWN} [data-go='1']")
    assert names(page) == [f"method-{n}" for n in range(100, 120)]
    assert page.is_disabled(f"{SHOWN} [data-go='1']")
    page.fill("[data-pick=text]", "method-11")
    assert len(names(page)) == 11
    assert page.is_hidden(f"{SHOWN} .pager")


def test_without_javascript_every_table_is_there(opened: Open, dataset: Path):
    page = opened(dataset, java_script_enabled=False)
    assert page.locator("section.board:visible").count() == 2
    assert page.locator("section.board").first.locator("tbody[data-group=methods] tr:not(.under)").count() == 6
    assert page.is_hidden(".controls")


def every_page(site: Path) -> list[Path]:
    pages = [site / "index.html", site / "methods.html"]
    return pages + [sorted((site / folder).iterdir())[0] for folder in ("datasets", "methods", "records")]


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_window(opened: Open, site: Path, width: int):
    for path in every_page(site):
        page = opened(path, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name


def test_every_link_leads_to_a_page(opened: Open, site: Path):
    (site / "leaderboard.csv").touch()
    for path in every_page(site):
        page = opened(path)
        for link in page.locator("a[href]").all():
            target, _, anchor = str(link.evaluate("one => one.href")).removeprefix("file://").partition("#")
            assert Path(target).is_file(), f"{path.name}: {target}"
            assert not anchor or f'id="{anchor}"' in Path(target).read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_can_be_told_from_the_paper(opened: Open, dataset: Path, scheme: str):
    page = opened(dataset, color_scheme=scheme)
    texts = ["body", ".lead", "caption", f"{SHOWN} .sd", f"{SHOWN} td small", "small.alert", ".badge", "thead button",
             "tr.reported td", ".controls label", "th a"]  # fmt: skip
    contrast = page.evaluate(CONTRAST, texts)
    assert min(contrast.values()) >= 4.5, contrast


def test_dark_and_light_are_kept_from_page_to_page(opened: Open, site: Path):
    page = opened(site / "index.html", color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click(".theme")
    dark = page.evaluate(paper)
    page.click("text=method-2")
    page.wait_for_url("**/methods/**")
    assert page.evaluate(paper) == dark != light


def test_the_pages_speak_to_a_screen_reader(opened: Open, site: Path):
    for path in every_page(site):
        page = opened(path)
        assert page.locator("main").count() == page.locator("h1").count() == 1
        assert page.locator("svg:not([aria-label])").count() == 0
        assert page.locator("table:not(:has(caption))").count() == 0
        assert page.locator("thead th:not([scope]), tbody th:not([scope])").count() == 0
        assert page.get_attribute("html", "lang") == "en"
        for control in page.locator("select, input, button").all():
            assert control.evaluate(NAME).strip(), control.evaluate("one => one.outerHTML")
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
        assert all(after - before <= 1 for before, after in pairwise(levels)), (path, levels)
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
        assert len(ids) == len(set(ids))


def test_the_first_key_leads_past_the_head(opened: Open, dataset: Path):
    page = opened(dataset)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0


def test_hostile_names_are_text(opened: Open, make_board: Callable[..., Board], hostile: str, tmp_path: Path):
    write_site(make_board(name=hostile), tmp_path)
    for path in every_page(tmp_path):
        page = opened(path)
        if path.parent.name == "datasets":
            page.fill("[data-pick=text]", "x")
            page.fill("[data-pick=text]", "")
            page.click("[data-rows=older]")
            page.wait_for_selector("[data-group=older]")
        assert page.evaluate("window.hacked") is None, path
        assert page.locator("img").count() == 0
        assert hostile in str(page.text_content("body"))
