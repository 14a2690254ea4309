"""A leaderboard of 10,000 entries: the time to build it, anew and with what was compared before, its size, and the time
until a browser shows it.

Run: pytest tests/benchmarks/test_leaderboard.py --benchmark-enable -s
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synthetic_board import registry, write_board

from mrbench.leaderboard.build import CACHE, build

ENTRIES = 10_000
DATASETS = ("lidc", "npc", "other", "phantom")
SECONDS = 20.0


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    if not request.config.getoption("--benchmark-enable"):
        pytest.skip("writes 10,000 entries: run with --benchmark-enable")
    folder = tmp_path_factory.mktemp("board") / "leaderboard"
    write_board(folder, ENTRIES, datasets=DATASETS)
    return folder


@pytest.mark.parametrize("kept", [False, True], ids=["anew", "compared before"])
def test_ten_thousand_entries_are_built_in_time(board: Path, benchmark: Callable[..., Any], kept: bool):
    to = board.parent / "site"
    if not kept and (to / CACHE).exists():
        (to / CACHE).write_text("{}")
    built = benchmark.pedantic(build, (board, to, registry()), rounds=1)
    assert len(built.board.entries) == ENTRIES
    assert not built.board.set_aside
    print(f"\n{built.files:,} files, {built.bytes / 2**20:.0f} MiB")
    assert benchmark.stats.stats.max < SECONDS


PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def test_a_browser_shows_every_page_within_a_second(board: Path, browser: Any, benchmark: Any):
    site = board.parent / "site"
    if not (site / CACHE).exists():
        build(board, site, registry())
    weights = {name: sum(p.stat().st_size for p in (site / name).iterdir()) for name in ("datasets", "rows", "records")}
    print("\n" + ", ".join(f"{name} {size / 2**20:.1f} MiB" for name, size in weights.items()))
    for name in ("index.html", "methods/method-3.html", "datasets/phantom.html"):
        painted, _ = shown(browser, site / name)
        print(f"{name}: {(site / name).stat().st_size / 2**10:.0f} KiB, first shown after {painted:.0f} ms")
        assert painted < 1000
    _, ready = benchmark.pedantic(shown, (browser, site / "datasets/phantom.html", "[data-ready]"), rounds=3)
    print(f"all rows there to sort and filter after {ready:.0f} ms")
    assert ready < 1000


def shown(browser: Any, path: Path, until: str = "main") -> tuple[float, float]:
    """Milliseconds until something is painted, and until what ``until`` selects is there."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri())
    page.wait_for_selector(until)
    ready = page.evaluate("performance.now()")
    page.wait_for_function(PAINTED, polling=20)
    painted = page.evaluate(PAINTED)
    page.close()
    return painted, ready
