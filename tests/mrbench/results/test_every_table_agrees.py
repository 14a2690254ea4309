"""One run, one truth: every command and the Python interface tell the same of it, to the last bit."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from every_table import FACTS, Told, contradictions, told_by_commands, told_by_frame
from random_runs import DIGESTS, counted, never_ranked, store_predictions, store_scores
from stored_runs import StoredCell, cases, store_run

SAMPLED = ("proseg", "prob-unet")
SCORES, PREDICTIONS = range(12), range(4)
RUNS = [
    *(pytest.param(("scores", number, "strict"), id=f"scores {number}") for number in SCORES),
    *(
        pytest.param(("predictions", number, protocol), id=f"predictions {number} {protocol}")
        for number in PREDICTIONS
        for protocol in ("strict", "published")
    ),
]


@dataclass(frozen=True, eq=False)
class Stored:
    """A run on disk, and what the commands tell of it under a protocol."""

    results: Path
    cells: Sequence[StoredCell]
    protocol: str
    told: dict[str, Told]


def mrbench_in(home: Path, *arguments: object) -> str:
    """Runs a command; what it prints. A run with a failed cell exits with 1."""
    from mrbench.cli import group

    environment = {"MRBENCH_DATA": str(home / "data"), "COLUMNS": "200"}
    result = CliRunner().invoke(group, list(map(str, arguments)), prog_name="mrbench", env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in (0, 1), result.output
    return result.stdout


def told_of(home: Path, protocol: str = "strict", *, predictions: bool = False) -> dict[str, Told]:
    """What the commands tell of the run in ``home``."""
    work = home / protocol
    work.mkdir()
    return told_by_commands(partial(mrbench_in, home), home / "results", work, protocol, predictions=predictions)


@pytest.fixture(scope="module", params=RUNS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A random run: of scores alone, or of predictions, which any protocol scores."""
    holds, number, protocol = request.param
    home = tmp_path_factory.mktemp("run")
    cells = {"scores": store_scores, "predictions": store_predictions}[holds](home / "results", number)
    return Stored(home / "results", cells, protocol, told_of(home, protocol, predictions=holds == "predictions"))


@pytest.mark.parametrize("fact", FACTS)
def test_every_command_tells_the_same(run: Stored, fact: str):
    assert not contradictions(run.told, fact)


@pytest.mark.parametrize("fact", ["folds", "cases", "of"])
def test_counts_are_those_of_the_cells(run: Stored, fact: str):
    known = counted(run.cells)
    told = {source: {place: shown[place] for place in shown if place in known} for source, shown in run.told.items()}
    assert not contradictions({"the cells": known, **told}, fact)


def test_what_is_incomplete_or_sees_the_masks_has_no_star_and_no_letter(run: Stored):
    assert not ranked_of(run.told, never_ranked(run.cells))


def test_the_data_frame_tells_what_the_commands_tell(run: Stored):
    told = run.told | {"to_pandas": told_by_frame(run.results, run.protocol)}
    assert not [line for fact in FACTS for line in contradictions(told, fact)]
    assert not ranked_of(told, never_ranked(run.cells))


def ranked_of(told: dict[str, Told], places: set[tuple[str, str]]) -> list[str]:
    """Those of the places that a source ranks, with the source."""
    return [
        f"{source}: {' '.join(place)}"
        for source, shown in told.items()
        for place in sorted(places & shown.keys())
        if shown[place].get("best") or shown[place].get("tied")
    ]


def test_one_fold_has_no_spread_under_any_protocol(tmp_path: Path):
    masks = np.random.default_rng(0).random((2, 6, 6)) < 0.5
    cells = []
    for method, drawn in zip(SAMPLED, masks.astype(np.float32), strict=True):
        cells.append(StoredCell(method, drawn={f"{s}, 0": (masks, [drawn], {}) for s in "abc"}, spec=DIGESTS))
    store_run(tmp_path / "results", "run", *cells)
    for protocol in ("strict", "published"):
        told = told_of(tmp_path, protocol, predictions=True)
        spreads = {source: shown["proseg", "ged"].get("sd", "none shown") for source, shown in told.items()}
        assert set(spreads.values()) <= {None, "none shown"}, protocol


def test_the_order_of_subjects_decides_no_star(tmp_path: Path):
    orders = dict(zip(SAMPLED, ((0.1, 0.2, 0.3), (0.3, 0.2, 0.1)), strict=True))
    values = {method: cases("dice_max", *([value] for value in own)) for method, own in orders.items()}
    cells = [StoredCell(m, own, seed=seed, spec=DIGESTS) for m, own in values.items() for seed in (0, 1)]
    store_run(tmp_path / "results", "run", *cells)
    told = told_of(tmp_path)
    for source, shown in told.items():
        facts = [shown[method, "dice_max"] for method in orders]
        assert {own.get("best", True) for own in facts} == {True}, source
        assert {own.get("tied", tuple(sorted(orders))) for own in facts} == {tuple(sorted(orders))}, source


def test_a_value_of_one_case_of_six_is_counted_and_not_ranked(tmp_path: Path):
    masks, methods = np.random.default_rng(0).random((4, 6, 6)) < 0.5, ("unet-majority", "unet-staple")
    raters = dict(zip("abcdef", (4, 3, 2, 1, 4, 4), strict=True))
    cells = []
    for method, drawn in zip(methods, masks.astype(np.float32), strict=False):
        own = {f"{name}, 0": (masks[:count], [drawn], {}) for name, count in raters.items()}
        cells.append(StoredCell(method, drawn=own, spec=DIGESTS))
    store_run(tmp_path / "results", "run", *cells)
    told = told_of(tmp_path, predictions=True)
    assert not ranked_of(told, {(method, "dice_match") for method in methods})
    for source in ("show", "score", "compare", "leaderboard.json"):
        own = told[source]["unet-majority", "dice_match"]
        assert (own.get("cases"), own.get("of")) == (1, 6), source
    assert "1/6" in mrbench_in(tmp_path, "show", "run", "--out", tmp_path / "results")
