"""Scores of method runs: read once, and reduced to the row that the record holds, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
from stored_runs import StoredCell, Values, lines_of, registry, store_run

from mrbench.engine.cases import CellFiles
from mrbench.engine.cell import Status
from mrbench.errors import UnknownNameError
from mrbench.metrics.protocol import STRICT
from mrbench.results.method_run import runs_of
from mrbench.results.reader import ScoreReader
from mrbench.results.tabulate import tabulate

REGISTRY = registry()


def random_values(random: np.random.Generator) -> Values:
    """Cases of unequal number per subject; values are missing here and there, the first case has all."""
    found: dict[str, dict[str, dict[int | None, float]]] = {}
    for subject in random.permutation(6).tolist():
        for case in range(1 + subject % 3):
            places = [("ged", None), ("dice_max", None), *(("dice_rater", r) for r in (1, 0))]
            kept = [place for place in places if not found or random.random() > 0.3]
            own: dict[str, dict[int | None, float]] = {}
            for metric, rater in kept:
                own.setdefault(metric, {})[rater] = float(random.random())
            found[f"subject {subject}, case {case}"] = own
    return found


@pytest.mark.parametrize("seed", range(10))
def test_the_row_of_the_scores_is_the_row_of_the_record_bit_for_bit(tmp_path: Path, seed: int):
    random = np.random.default_rng(seed)
    cells = [StoredCell("proseg", random_values(random), fold=f, seed=s) for f in range(3) for s in range(2)]
    failed = [StoredCell("proseg", fold=3, status=Status.FAILED)]
    (run,) = runs_of(store_run(tmp_path, "r", *cells, *failed[: seed % 2]))
    reader = ScoreReader(REGISTRY, STRICT)
    (table,) = tabulate([run], REGISTRY, STRICT)
    (stored,) = table.rows
    computed = reader.row(run)
    assert computed.values == stored.values
    assert set(computed.values) == {"ged", "dice_max", "dice_rater"}
    assert (computed.cells, computed.failures, computed.caveats) == (stored.cells, stored.failures, stored.caveats)


def test_folds_hold_the_scores_of_each_seed_and_cells_all_of_them(tmp_path: Path):
    random = np.random.default_rng(0)
    values = {(f, s): random_values(random) for f in (1, 0) for s in (0, 1)}
    cells = [StoredCell("proseg", own, fold=f, seed=s) for (f, s), own in values.items()]
    (run,) = runs_of(store_run(tmp_path, "r", *cells))
    found = ScoreReader(REGISTRY, STRICT).scores(run)
    assert {name: {f: len(seeds) for f, seeds in own.items()} for name, own in found.folds.items()} == {
        name: {0: 2, 1: 2} for name in ("ged", "dice_max", "dice_rater")
    }
    assert [fold for fold, _ in found.cells] == [0, 0, 1, 1]
    for (_, scores), place in zip(found.cells, [(0, 0), (0, 1), (1, 0), (1, 1)], strict=True):
        told = {(case, metric, rater): x for case, _, metric, label, rater, (x, *_) in
                (line for line in lines_of(scores) if line[3])}  # fmt: skip
        assert told == {
            (case, metric, rater): x
            for case, own in values[place].items() for metric, by in own.items() for rater, x in by.items()
        }  # fmt: skip


def test_scores_that_cannot_be_read_cost_their_own_cell(tmp_path: Path):
    values = random_values(np.random.default_rng(0))
    stored = store_run(tmp_path, "r", *(StoredCell("proseg", values, fold=fold) for fold in (0, 1)))
    (path,) = stored.cells[0][0].folder(tmp_path).glob("cases.csv*")
    path.write_bytes(path.read_bytes()[:40])
    (run,) = runs_of(stored)
    found = ScoreReader(REGISTRY, STRICT).scores(run)
    assert [fold for fold, _ in found.cells] == [1]
    assert found.run.cells == (1, 2)
    assert found.run.failures[0].startswith("fold0-seed0 damaged: ")
    assert str(path) in found.run.failures[0]


def test_a_cell_is_read_once_and_another_method_run_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read, original = [], CellFiles.read
    monkeypatch.setattr(CellFiles, "read", lambda self, *rest: read.append(self.folder) or original(self, *rest))
    values = random_values(np.random.default_rng(0))
    runs = runs_of(store_run(tmp_path, "r", *(StoredCell(method, values) for method in ("proseg", "staple"))))
    reader = ScoreReader(REGISTRY, STRICT)
    for run in (*runs, *runs):
        reader.row(run)
    assert len(read) == len(set(read)) == 2


def test_metrics_are_those_meant_for_tables_or_those_that_are_named(tmp_path: Path):
    (run,) = runs_of(store_run(tmp_path, "r", StoredCell("proseg", random_values(np.random.default_rng(0)))))
    assert "ged" in ScoreReader(REGISTRY, STRICT).metrics(run)
    assert "ged_pp" not in ScoreReader(REGISTRY, STRICT).metrics(run)
    assert list(ScoreReader(REGISTRY, STRICT, ("ged_pp", "ged")).records(run)) == ["ged_pp", "ged"]
    with pytest.raises(UnknownNameError, match="gde"):
        ScoreReader(REGISTRY, STRICT, ("gde",)).metrics(run)
