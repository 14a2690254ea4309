"""Scores from what is stored: the same to the bit in one process or in several, whoever wrote the metric."""

import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from stored_runs import lines_of

from mrbench.engine.predict import Predicted
from mrbench.engine.predictions import PredictionWriter
from mrbench.engine.score import Scored, applicable_metrics, metrics_json, score_cell, score_cells
from mrbench.errors import DataError, UsageError
from mrbench.interfaces.draw import Draw, DrawKind, binary_probability
from mrbench.metrics.protocol import PUBLISHED, STRICT
from mrbench.metrics.tables import TableBuilder
from mrbench.registry import Registry, discover

BUILT_IN = applicable_metrics(discover(), "identified")


@pytest.fixture(autouse=True)
def many_blocks(monkeypatch: pytest.MonkeyPatch):
    """Small files have several blocks, and are many cases."""
    monkeypatch.setattr("mrbench.engine.predictions.BLOCK_CASES", 3)
    monkeypatch.setattr("mrbench.engine.score.PARALLEL_CASES", 2)


def predicted(rng: np.random.Generator, samples: int) -> Predicted:
    raters = rng.integers(0, 2, (3, 6, 7)).astype(np.uint8)
    builder = TableBuilder(raters, rng.random(3) < 0.8, 2, (0.7, 1.3))
    for _ in range(samples):
        builder.add(Draw(DrawKind.SAMPLE, binary_probability(rng.random((6, 7)).astype(np.float32))))
    for rater in range(3):
        builder.add(Draw(DrawKind.RATER, binary_probability(rng.random((6, 7)).astype(np.float32)), rater))
    return Predicted(builder.finish(), builder.packed())


@pytest.fixture
def cell(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str = "p.h5", cases: int = 10, samples: int = 5) -> Path:
        rng = np.random.default_rng(len(name) + cases)
        with PredictionWriter(tmp_path / name) as writer:
            for case in range(cases):
                writer.add(f"case-{case}", f"subject-{case // 2}", [predicted(rng, samples)] * (1 + case % 2))
        return tmp_path / name

    return write


def told(scored: Scored) -> tuple[object, object, object]:
    return lines_of(scored.cases), metrics_json(scored.values), dict(scored.faults)


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
@pytest.mark.parametrize("samples", [None, 2])
def test_any_number_of_processes_gives_the_same_bits(cell: Callable[..., Path], protocol, samples):
    paths = [cell("a.h5"), cell("bb.h5", cases=4), cell("ccc.h5", cases=1)]
    alone, two, three = (
        [told(scored) for scored in score_cells(paths, BUILT_IN, protocol, samples=samples, jobs=jobs)]
        for jobs in (1, 2, 3)
    )
    assert alone == two == three
    assert [len({row[0] for row in rows}) for rows, _, _ in alone] == [10, 4, 1]
    assert {"hd95", "ece", "ged"} - ({"ece"} if samples else set()) <= set(alone[0][1])


def test_few_cases_are_scored_in_this_process(cell: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mrbench.engine.pool.map_in_processes", None)
    monkeypatch.setattr("mrbench.engine.score.PARALLEL_CASES", 11)
    assert score_cell(cell(), BUILT_IN, STRICT, jobs=2).values["ged"].n_cases == 10


METRICS = """
    import os
    import numpy as np
    from mrbench import Key, metric

    MRBENCH_API = "2"
    FACTS = {"direction": "lower", "range": (0, 1), "needs": "samples"}

    @metric("pixels", "share of pixels", **FACTS)
    def pixels(tables, protocol):
        return {Key(1): np.array([tables.masks(1, tables.sample_rows).mean()])}

    @metric("faulty", "raises", **FACTS)
    def faulty(tables, protocol):
        if tables.areas[0, 0] % 2:
            raise ValueError("odd")
        return {Key(1): np.array([0.0])}

    @metric("where", "in which process", **FACTS)
    def where(tables, protocol):
        return {Key(1): np.array([float(os.getpid())])}
"""


def of_others(registry: Registry) -> dict[str, object]:
    own = applicable_metrics(registry, "identified")
    return {plugin.card.name: plugin for name, plugin in own.items() if ":" in name}


def check_metrics_of_others(path: Path, registry: Registry, files: tuple[Path, ...]) -> None:
    metrics = of_others(registry)
    elsewhere = score_cell(path, {"where": metrics.pop("where")}, STRICT, jobs=2, files=files)
    assert os.getpid() not in set(elsewhere.cases.numbers.tolist())
    alone = score_cell(path, metrics, STRICT)
    assert told(score_cell(path, metrics, STRICT, jobs=2, files=files)) == told(alone)
    assert set(alone.values) == {"pixels"}
    assert alone.faults["faulty"].startswith("metric 'faulty', case 'case-")


def test_metrics_of_other_distributions_work_in_processes(cell: Callable[..., Path], make_distribution):
    make_distribution("other", {"other_metrics": METRICS}, {"x": "other_metrics"})
    check_metrics_of_others(cell(), discover(), ())


def test_metrics_of_a_plugin_file_work_in_processes(cell: Callable[..., Path], tmp_path: Path):
    file = tmp_path / "my_metrics_file.py"
    file.write_text(textwrap.dedent(METRICS))
    check_metrics_of_others(cell(), discover(files=[file]), (file,))


def test_damaged_predictions_are_told_whoever_reads_them(cell: Callable[..., Path]):
    import h5py

    path = cell()
    with h5py.File(path, "a") as file:
        del file["block000002"]
    for jobs in (1, 2):
        with pytest.raises(DataError, match=r"p\.h5"):
            score_cell(path, BUILT_IN, STRICT, jobs=jobs)


def test_more_samples_than_are_stored_are_told_whoever_reads_them(cell: Callable[..., Path]):
    for jobs in (1, 2):
        with pytest.raises(UsageError, match="at most the S = 5"):
            score_cell(cell(), BUILT_IN, STRICT, samples=6, jobs=jobs)


def test_damaged_masks_cost_the_metrics_of_masks_alone(cell: Callable[..., Path]):
    import h5py

    path = cell()
    with h5py.File(path, "a") as file:
        array = ~file["block000000/bits"][:]
        file["block000000/bits"][...] = array
    scored = score_cell(path, BUILT_IN, STRICT)
    assert set(scored.faults) == {"hd95", "nsd@1", "nsd@2"}
    assert "stored masks are damaged" in scored.faults["hd95"]
    assert scored.values["ged"].n_cases == 10


def test_no_cell_gives_no_score():
    assert list(score_cells([], BUILT_IN, STRICT, jobs=2)) == []
