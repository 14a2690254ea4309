"""The page of 8 methods and 100 cases: its size, the time to write it, and the time until a browser shows a case.

Run: pytest tests/benchmarks/test_report.py --benchmark-enable -s
"""

from pathlib import Path
from typing import Any

import pytest
from synthetic_results import fusion, method, write_results

from mrbench.engine.run import Run
from mrbench.registry import discover
from mrbench.report.choices import Choices
from mrbench.report.gather import gather
from mrbench.report.page import write_page

METHODS = [
    *(method(f"method-{letter}", 50) for letter in "abcdef"),
    method("method-g", 50, raters=False),
    fusion("vote"),
]
SETTINGS = {"subjects": 39, "slices": 3, "size": 128}  # somewhat more than 100 cases on three folds

TURN = """() => new Promise((done) => {
  const root = document.querySelector(".gallery"), start = performance.now();
  new MutationObserver(() => done(performance.now() - start)).observe(root, { attributeFilter: ["data-shown"] });
  root.querySelector("[data-go=next]").click();
})"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Run:
    if not request.config.getoption("--benchmark-enable"):
        pytest.skip("writes 8 x 100 cases with 50 samples each: run with --benchmark-enable")
    return write_results(tmp_path_factory.mktemp("report") / "results", METHODS, SETTINGS, folds=(0, 1, 2))


@pytest.fixture(scope="module")
def page(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    write_page(gather([run], discover(), Choices(cases=100)), path)
    return path


@pytest.mark.benchmark(group="report")
def test_writing_the_page(benchmark: Any, run: Run, tmp_path: Path):
    path = tmp_path / "page.html"
    benchmark.pedantic(lambda: write_page(gather([run], discover(), Choices(cases=100)), path), rounds=3)
    size = path.stat().st_size / 2**20
    print(f"\n8 methods x 100 cases of 128 x 128, 6 samples of each shown: {size:.1f} MiB")
    assert size < 20


@pytest.mark.benchmark(group="report")
def test_opening_the_page(benchmark: Any, page: Path, browser: Any):
    tab = browser.new_page()

    def load() -> None:
        tab.goto(page.as_uri(), wait_until="commit")
        tab.wait_for_selector("[data-shown]")

    benchmark.pedantic(load, rounds=10, warmup_rounds=1)
    turns = sorted(tab.evaluate(TURN) for _ in range(20))
    print(f"\nthe next case after {turns[10]:.0f} ms (median)")
    tab.close()
