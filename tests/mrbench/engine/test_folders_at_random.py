"""Cleaning and merging folders of random runs: what stays shows what it showed."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from results_folders import bytes_below, shown, store_training, stored_cell
from stored_runs import StoredCell, spec_of, store_run

from mrbench.engine.clean import removable, remove
from mrbench.engine.merge import Outcome, merge
from mrbench.engine.run import Run
from mrbench.engine.unreferred import holdings
from mrbench.engine.usage import by_kind, total

Call = Callable[..., Result]
CELLS = [stored_cell(method, fold, fold / 8) for method in ("proseg", "proseg-prior", "staple") for fold in range(3)]


def store(out: Path, runs: dict[str, list[StoredCell]]) -> None:
    """Writes runs that share cells, each cell and training once."""
    for name, cells in runs.items():
        new = [cell for cell in cells if not spec_of(cell).folder(out).exists()]
        run = store_run(out, name, *new)
        Run(name, out, [(spec_of(cell), "") for cell in cells], run.descriptions, "mrbench run").write()
        for cell in cells:
            if cell.method != "staple" and not spec_of(cell).training_folder(out).exists():
                store_training(out, cell)


def drawn(seed: int) -> dict[str, list[StoredCell]]:
    chance = random.Random(seed)
    return {name: chance.sample(CELLS, chance.randint(1, 5)) for name in ("one", "two", "three")}


@pytest.mark.parametrize("seed", range(6))
def test_cleaning_leaves_what_the_runs_that_stay_refer_to_and_nothing_else(mrbench: Call, seed: int):
    runs, out, alone = drawn(seed), Path("out"), Path("alone")
    store(out, runs)
    numbers = {name: shown(mrbench, out, name) for name in ("one", "two")}
    shutil.rmtree(out / "runs/three")
    for one in removable(out):
        assert remove(out, one.item) == ""
    assert {name: shown(mrbench, out, name) for name in ("one", "two")} == numbers
    store(alone, {name: runs[name] for name in ("one", "two")})
    left = {path.relative_to(out) for path in out.rglob("*")}
    assert left == {path.relative_to(alone) for path in alone.rglob("*")}


@pytest.mark.parametrize("seed", range(6))
def test_merging_shows_what_each_folder_shows_in_any_order(mrbench: Call, seed: int):
    runs = drawn(seed)
    sources = [Path(name) for name in runs]
    for source in sources:
        store(source, {source.name: runs[source.name]})
    for out, order in ((Path("forward"), sources), (Path("backward"), sources[::-1])):
        assert not [one.fault for one in merge(order, out) if one.outcome is Outcome.REFUSED]
        for source in sources:
            assert shown(mrbench, out, source.name) == shown(mrbench, source, source.name)
        assert removable(out) == []
        assert {one.outcome for one in merge(order, out)} == {Outcome.KEPT}


@pytest.mark.parametrize("seed", range(3))
def test_every_byte_is_of_one_kind(mrbench: Call, seed: int):
    store(Path("out"), drawn(seed))
    found = holdings(Path("out"))
    assert total(found) == bytes_below(Path("out")) == sum(amount.bytes for amount in by_kind(found).values())
