"""Boards made by hand, and their pages in a browser."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from synthetic_board import Made, entry_of, put, registry

from mrbench.comparison.differences import Verdict
from mrbench.comparison.questions import Question
from mrbench.engine.conditions import Conditions
from mrbench.leaderboard.asked import Answer, Asked
from mrbench.leaderboard.board import Board, DatasetPage, MethodPage
from mrbench.leaderboard.pack import metric_facts
from mrbench.leaderboard.site.write import write_site
from mrbench.leaderboard.source import method_run_of
from mrbench.leaderboard.store import SetAside, Stored
from mrbench.results.readers import with_marks
from mrbench.results.table import Reported, Row, RowKind, Table, Value
from mrbench.statistics.interval import Interval

HOSTILE = "</script><img src=x onerror='window.hacked=1'><script>window.hacked=1</script>\"'&"
OF_LEVEL = ("ged_pp", "ged_pp_unbiased", "dice_soft", "dice_rater")
COLUMNS = ("ged", "ged_unbiased", "ged_pa", "ged_aa_unbiased", *OF_LEVEL)


@pytest.fixture(scope="session")
def hostile() -> str:
    """What strangers put into names."""
    return HOSTILE


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stored]:
    """Entries on disk; what is said in ``change`` is changed after reading, as no schema would let it."""
    folder = tmp_path_factory.mktemp("records")
    base = {people: entry_of(Made(method="m", people=people), ("strict", "published")) for people in (False, True)}

    def make(number: int, people: bool = False, **change: Any) -> Stored:
        entry, files = base[people]
        path = put(folder, entry, files)
        return Stored(f"{number:016x}", path, replace(entry, **change))

    return make


def _row(stored: Stored, kind: RowKind, level: float, **change: Any) -> Row:
    means = {"ged": 1 - level, "ged_unbiased": 1 - level, "ged_pa": 1.0, "ged_aa_unbiased": 1.0}
    means |= dict.fromkeys(OF_LEVEL, level)
    values = {
        name: Value(mean, 0.01, {0: mean, 1: mean}, 2, interval=Interval(mean - 0.02, mean + 0.02))
        for name, mean in means.items()
    }
    costs = {"train s": 100 * (1 + level), "ms/image": 2.0, "peak MiB": 400.0, "parameters": 250_000.0}
    row = Row(stored.entry.method, kind, values, 50, (), costs, (2, 2), run=method_run_of(stored))
    return replace(row, **change)


def _reported(method: str, level: float) -> Row:
    source = Reported(method, "A paper, 2025", "Table 1", "published", Conditions(raters_present=4), ())
    value = Value(level)
    return Row(method, RowKind.REPORTED, {"dice_soft": value}, None, ("reported",), reported=source)


@pytest.fixture(scope="session")
def make_board(stored: Callable[..., Stored]) -> Callable[..., Board]:
    """A board of so many methods with two people, reported figures, a failure and an older record.

    ``name`` stands in every text that may come from others.
    """

    def make(methods: int = 6, name: str = "method") -> Board:
        said = {"dataset": name, "submitter": name, "note": name,
                "options": {name: name}, "preset": name}  # fmt: skip
        ours = [stored(n, method=f"{name}-{n}", **said) for n in range(methods)]
        people = stored(methods, people=True, method=f"{name}-people", **said)
        older = stored(methods + 1, method=f"{name}-0", **said)
        level = [0.9 - 0.5 * n / methods for n in range(methods)]
        rows = [_row(one, RowKind.METHOD, level[n], caveats=(f"mark {n}",)) for n, one in enumerate(ours)]
        rows[0] = replace(rows[0], values={**rows[0].values, "ged": replace(rows[0].values["ged"], best=True)})
        rows[-1] = replace(rows[-1], cells=(1, 2), failures=(f"fold1-seed0 failed: {name}",))
        rows.append(_row(people, RowKind.HUMAN, 0.95, samples=1))
        rows.append(_row(older, RowKind.METHOD, 0.2, newest=False))
        rows += [_reported(f"{name}-0", 0.77), _reported(f"{name}-unseen", 0.66)]
        columns = {metric: metric_facts(registry().get("metric", metric).card) for metric in COLUMNS}
        question = Question(name, f"Is it so? {name}", "ged", f"{name}-0", f"why {name}")
        answers = (
            Answer(rows[1].id, -0.1, -0.2, -0.05, 0.01, Verdict.DIFFERS, better=True),
            Answer(rows[2].id, 0.01, reason=f"one seed {name}"),
        )
        asked = [
            Asked(question, name, "strict-key", rows[0].id, 0.02, answers),
            Asked(question, name, "other-key", reason=f"no complete record {name}"),
        ]
        table = Table(name, {"raters": "identified"}, {}, "strict", columns, rows, (f"note {name}",))
        table = with_marks(table, registry())
        rows = table.rows
        # The other protocol has the other order.
        published = replace(table, protocol="published", rows=[*reversed(rows[:methods]), *rows[methods:]])
        page = DatasetPage(name, "identified", ("a", name), ("background", name), "slice", name, name, name, True,
                           [table, published])  # fmt: skip
        pages = [MethodPage(one.entry.method, name, name, name, False, [one], []) for one in ours]
        pages[0] = replace(pages[0], history=[ours[0], older], reported=[(name, rows[-2])])
        pages += [MethodPage(f"{name}-people", "", "", "", True, [people], []),
                  MethodPage(f"{name}-unseen", "", "", "", False, [], [(name, rows[-1])])]  # fmt: skip
        return Board([page], pages, asked, [SetAside(f"records/{name}", f"wrong: {name}")], "0.0")

    return make


@pytest.fixture(scope="session")
def site(make_board: Callable[..., Board], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small site."""
    folder = tmp_path_factory.mktemp("site")
    write_site(make_board(), folder, downloads=["leaderboard.csv"])
    return folder


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page and, at the end, checks that it has neither complained nor asked for anything beyond its folder."""
    contexts, complaints, requests, roots = [], [], [], []

    def open_page(path: Path, width: int = 1280, height: int = 900, **settings: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        root = path.parent if path.name in ("index.html", "methods.html") else path.parent.parent
        roots.append(root.as_uri() + "/")
        page.goto(path.as_uri())
        if path.parent.name == "datasets" and settings.get("java_script_enabled", True):
            page.wait_for_selector("[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith((*roots, "data:"))] == []
