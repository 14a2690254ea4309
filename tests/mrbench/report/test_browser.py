"""The page in a browser: what a reader sees and can do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrbench.engine.run import Run
from mrbench.pictures import load_cases
from mrbench.registry import Registry
from mrbench.report.choices import Choices
from mrbench.report.gather import gather
from mrbench.report.page import write_page

Open = Callable[..., Any]

READ = """(canvas, [h, w]) => {
  const k = canvas.width / w, pen = canvas.getContext("2d"), found = [];
  const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    const at = 4 * (Math.floor((y + 0.5) * k) * canvas.width + Math.floor((x + 0.5) * k));
    found.push([...data.slice(at, at + 3)]);
  }
  return found;
}"""

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
def written(run: Run, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    write_page(gather([run], registry, Choices(samples=2)), path)
    return path


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Opens a page and, at the end, checks that it has neither complained nor asked for anything."""
    contexts, complaints, requests = [], [], []

    def open_page(path: Path, width: int = 1280, height: int = 900, **settings: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("[data-shown]")
        assert {url for url in requests if not url.startswith("data:")} == {path.as_uri()}
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def shown(page: Any) -> str:
    return str(page.get_attribute(".gallery", "data-shown"))


def go(page: Any, key: str) -> str:
    before = shown(page)
    page.keyboard.press(key)
    page.wait_for_selector(f'.gallery:not([data-shown="{before}"])')
    return shown(page)


def test_the_first_case_is_the_worst_and_arrow_keys_go_on(opened: Open, written: Path):
    page = opened(written)
    options = page.locator("[data-pick=case] option").all_text_contents()
    values = [float(text.rsplit(" ", 1)[1]) for text in options]
    assert values == sorted(values, reverse=True)
    names = [text.split(" · ")[0] for text in options]
    assert shown(page) == names[0]
    page.locator(".gallery h4").first.scroll_into_view_if_needed()
    assert go(page, "ArrowRight") == names[1]
    assert go(page, "ArrowRight") == names[2]
    assert go(page, "ArrowLeft") == names[1]
    assert page.text_content(".place") == f"2 of {len(names)}"


def test_arrow_keys_do_nothing_where_they_mean_something_else(opened: Open, written: Path):
    page = opened(written)
    first = shown(page)
    page.keyboard.press("ArrowRight")
    page.focus(".gallery .scroll")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(100)
    assert shown(page) == first, "the cases are out of view, then a table has the focus"


def test_worst_median_and_best_of_any_method_and_metric(opened: Open, written: Path):
    page = opened(written)
    page.select_option("[data-pick=metric]", label="dice_soft")
    page.select_option("[data-pick=entry]", label="beta")
    names = [text.split(" · ")[0] for text in page.locator("[data-pick=case] option").all_text_contents()]
    values = [float(text.rsplit(" ", 1)[1]) for text in page.locator("[data-pick=case] option").all_text_contents()]
    assert values == sorted(values), "a higher value is better"
    for where, place in (("best", len(names) - 1), ("median", (len(names) - 1) // 2), ("worst", 0)):
        page.click(f"[data-go={where}]")
        page.wait_for_selector(f'[data-shown="{names[place]}"]')
    page.select_option("[data-pick=metric]", label="dice_rater")
    assert page.locator("[data-pick=entry] option", has_text="beta").is_disabled(), "it has no rater predictions"


def test_what_is_drawn_is_what_is_stored(opened: Open, written: Path, run: Run, registry: Registry):
    page = opened(written)
    cases = load_cases(run.cells[0][0], registry, run)
    masks = cases.pixels.masks(cases.ids.index(shown(page))) > 0
    size = list(masks.shape[1:])
    for layer in ("image", "contours", "masks"):
        page.click(f"[data-layer={layer}]")
    raters = page.locator(".draws").first
    for rater, name in enumerate(cases.description.rater_names):
        drawn = np.array(raters.locator(f"canvas[aria-label^='{name}: ']").evaluate(READ, size))
        assert (drawn.any(axis=1) == masks[rater].reshape(-1)).all()
        assert len(np.unique(drawn[masks[rater].reshape(-1)], axis=0)) == 1, "one colour"
    mean = np.array(raters.locator("canvas[aria-label='mean of raters']").evaluate(READ, size))[:, 0]
    np.testing.assert_allclose(mean, 255 * masks.mean(axis=0).reshape(-1), atol=1)


def test_layers_can_be_switched(opened: Open, written: Path):
    page = opened(written)
    read = "canvas => canvas.toDataURL()"
    pictures = {page.locator(".large canvas").evaluate(read)}
    for layer in ("contours", "masks", "image"):
        button = page.locator(f"[data-layer={layer}]")
        before = button.get_attribute("aria-pressed")
        button.click()
        assert button.get_attribute("aria-pressed") != before
        pictures.add(page.locator(".large canvas").evaluate(read))
    assert len(pictures) == 4


def test_tables_sort_by_click_and_by_keyboard(opened: Open, written: Path):
    page = opened(written)
    heading = page.locator(".results thead th", has_text="ged").first
    column = ".results tbody:first-of-type tr td:nth-child(3)"
    page.locator(".results thead th button").nth(2).click()
    values = [float(cell.get_attribute("data-value")) for cell in page.locator(column).all()]
    assert values == sorted(values)
    assert heading.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    values = [float(cell.get_attribute("data-value")) for cell in page.locator(column).all()]
    assert values == sorted(values, reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.locator(".results [aria-sort]").count() == 1
    assert "vote" in str(page.locator(".results tbody").last.text_content()), "human references stay apart"


def test_blanks_stay_at_the_end_of_a_sorted_column(opened: Open, written: Path):
    page = opened(written)
    button = page.locator(".results thead th button", has_text="dice_rater")
    for _ in range(2):
        button.click()
        assert "beta" in str(page.locator(".results tbody").first.locator("th").last.text_content())


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_is_never_wider_than_the_window(opened: Open, written: Path, width: int):
    page = opened(written, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_can_be_told_from_the_paper(opened: Open, written: Path, scheme: str):
    page = opened(written, color_scheme=scheme)
    texts = ["body", ".notice", ".contents a", ".facts dt", "caption", ".sd", "thead button", "small", "figcaption"]
    contrast = page.evaluate(CONTRAST, texts)
    assert min(contrast.values()) >= 4.5, contrast
    page.evaluate("for (let n = 0; n < 7; n++) document.body.append("
                  "Object.assign(document.createElement('i'), { className: `c${n} hue` }))")  # fmt: skip
    hues = page.evaluate(CONTRAST, [f".hue.c{n}" for n in range(7)])
    assert min(hues.values()) >= 3, hues


def test_dark_and_light_can_be_switched(opened: Open, written: Path):
    page = opened(written, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    colours = [page.evaluate(paper)]
    page.click(".theme")
    colours.append(page.evaluate(paper))
    page.click(".theme")
    assert page.evaluate(paper) == colours[0] != colours[1]


def test_hostile_names_do_nothing(opened: Open, make_odd: Any, registry: Registry, hostile: str, tmp_path: Path):
    write_page(gather([make_odd()], registry, Choices()), tmp_path / "odd.html")
    page = opened(tmp_path / "odd.html")
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    assert shown(page).endswith(hostile)
    assert hostile in str(page.text_content(".about h4"))
    assert hostile in str(page.text_content(".legend"))
    assert page.locator("[data-pick=class] option").first.text_content() == f"rim {hostile}"


def test_the_slices_of_a_volume_can_be_gone_through(opened: Open, make_odd: Any, registry: Registry, tmp_path: Path):
    write_page(gather([make_odd(depth=7)], registry, Choices()), tmp_path / "odd.html")
    page = opened(tmp_path / "odd.html")
    assert page.text_content(".slice output") == "3 of 7", "the one that raters mark most"
    tiles = page.locator(".draws").first.locator(".tiles").nth(1).locator("canvas")
    assert str(tiles.first.get_attribute("aria-label")).endswith(": 36 pixels")
    page.locator("[data-pick=slice]").fill("0")
    assert page.text_content(".slice output") == "1 of 7"
    assert str(tiles.first.get_attribute("aria-label")).endswith(": 0 pixels")
    page.locator("[data-pick=slice]").fill("3")
    page.select_option("[data-pick=class]", label="core")
    assert str(tiles.nth(1).get_attribute("aria-label")).endswith(": 4 pixels")


def test_the_page_speaks_to_a_screen_reader(opened: Open, written: Path):
    page = opened(written)
    assert page.locator("main").count() == page.locator("header.top").count() == page.locator("h1").count() == 1
    assert page.locator("canvas:not([aria-label])").count() == 0
    assert page.locator("svg:not([aria-label]):not([aria-hidden])").count() == 0
    assert page.locator("table:not(:has(caption))").count() == 0
    unnamed = "select, input, button"
    for control in page.locator(unnamed).all():
        name = control.evaluate(
            "one => one.getAttribute('aria-label') || one.textContent || one.labels[0]?.textContent"
        )
        assert name.strip()


def test_arrow_keys_turn_the_cases_that_are_in_view(
    opened: Open, run: Run, make_odd: Any, registry: Registry, tmp_path: Path
):
    write_page(gather([run, make_odd()], registry, Choices()), tmp_path / "both.html")
    page = opened(tmp_path / "both.html")
    page.wait_for_selector("[data-gallery='1'][data-shown]")
    page.locator("[data-gallery='1'] .draws").last.scroll_into_view_if_needed()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelectorAll('.place')[1].textContent.startsWith('2 of')")
    assert str(page.locator(".place").first.text_content()).startswith("1 of")
