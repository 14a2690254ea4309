"""A data set with two or three classes, in slices or volumes, and draws of every kind for it, in one plugin file."""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from mrbench.engine.plan import Request, make_plan
from mrbench.engine.run import run_of
from mrbench.engine.worker import CellLife, Order
from mrbench.registry import discover

PLUGIN = '''
"""A data set and a fusion whose draws follow from the masks and the case's name alone."""

import zlib

import numpy as np

from mrbench import CaseSet, Config, DatasetCard, Description, MethodCard, Raters, Trial, Unit, hookimpl
from mrbench.configuration import option
from mrbench.data.caseset import ArrayPixels
from mrbench.data.splits import split_by_subject
from mrbench.interfaces.draw import Draw, DrawKind

MRBENCH_API = "2"
NAMES = ("ann", "Dr. Bo/b", "2")
SPACING = (3.0, 0.5, 0.75)


class OddConfig(Config):
    classes: int = option(2, "K", ge=2)
    volumes: bool = option(False, "volumes")
    cases: int = option(6, "number of cases", ge=3)


def load(config, folder):
    n, k = config.cases, config.classes
    shapes = [(3, 9 + i % 2, 7) if config.volumes else (9 + i % 2, 7) for i in range(n)]
    rngs = [np.random.default_rng(i) for i in range(n)]
    masks = [blobs(rng, k, (len(NAMES), *shape)) for rng, shape in zip(rngs, shapes, strict=True)]
    present = np.ones((n, len(NAMES)), bool)
    present[0, 1] = False
    masks[0][1] = 0
    subjects = tuple(f"s{i}" for i in range(n))
    return CaseSet(
        description=Description(
            name="odd", version="1", classes=("none", "disc", "cup")[:k], channels=("grey",),
            raters=Raters.IDENTIFIED, rater_names=NAMES,
            unit=Unit.VOLUME if config.volumes else Unit.SLICE,
        ),
        pixels=ArrayPixels([np.full((1, *s), i, np.float32) for i, s in enumerate(shapes)], masks),
        ids=tuple(f"hospital {i}/scan:{i}" for i in range(n)),
        subjects=subjects,
        present=present,
        spacings=tuple(SPACING[-len(shape):] for shape in shapes),
        splits={"strict": split_by_subject(subjects, folds=2, seed=0)},
    )


def blobs(rng, classes, shape):
    labels = rng.integers(0, classes, shape).astype(np.uint8)
    labels[..., :2] = 0
    return labels


def probabilities(rng, classes, shape):
    values = rng.random((classes, *shape)).astype(np.float32) ** 3 + np.float32(1e-3)
    return values / values.sum(axis=0)


def draws_of(masks):
    """Five samples, one prediction per rater and a consensus; nothing but the masks decides."""
    classes, shape = int(max(2, masks.max() + 1)), masks.shape[1:]
    rng = np.random.default_rng(zlib.crc32(masks.tobytes()))
    kinds = [(DrawKind.SAMPLE, None)] * 5 + [(DrawKind.RATER, r) for r in range(len(NAMES))]
    kinds += [(DrawKind.CONSENSUS, None)]
    return [Draw(kind, probabilities(rng, classes, shape), rater) for kind, rater in kinds]


def guess(masks, present, n, noise):
    assert n == 5
    *given, consensus = (draw.probability for draw in draws_of(masks))
    return Trial(consensus=consensus, samples=given[:5], raters=dict(enumerate(given[5:])))


@hookimpl
def mrbench_datasets():
    return [DatasetCard(name="odd", code="odd:load", config="odd:OddConfig")]


@hookimpl
def mrbench_methods():
    return [
        MethodCard(
            name="guess", code="odd:guess", kind="fusion",
            gives="samples raters consensus",
        )
    ]
'''


@dataclass(frozen=True)
class Origin:
    """A run of known draws.

    Attributes:
        folder: of its results.
        plugin: the plugin file.
        classes, volumes: of the data set.
        module: the plugin file, imported.
    """

    folder: Path
    plugin: Path
    classes: int
    volumes: bool
    module: ModuleType

    @property
    def results(self) -> Path:
        """The results folder."""
        return self.folder / "results"

    @property
    def run_id(self) -> str:
        """The run of known draws."""
        paths = self.results.glob("runs/*/run.json")
        return next(path.parent.name for path in paths if b'"odd.py:guess"' in path.read_bytes())

    @property
    def data(self) -> tuple[str, ...]:
        """The words that choose the data set."""
        settings = ("--set", f"odd.classes={self.classes}", "--set", f"odd.volumes={self.volumes}")
        return ("--dataset", "odd", "--plugin-file", str(self.plugin), *settings)

    @property
    def cases(self):
        """Its case set."""
        config = self.module.OddConfig(classes=self.classes, volumes=self.volumes)
        return self.module.load(config, self.folder)

    def call(self, *words: object, code: int = 0) -> Result:
        """A command that ends as expected."""
        from mrbench.cli import group
        from mrbench.errors import MrbenchError

        result = CliRunner().invoke(group, [*map(str, words), "--out", str(self.results)])
        if isinstance(result.exception, MrbenchError):
            result.exit_code = result.exception.exit_code
            result.stderr_bytes = (result.stderr_bytes or b"") + result.exception.message.encode()
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output + result.stderr
        return result

    def export(self, *words: object, code: int = 0) -> Result:
        """An export that ends as expected."""
        return self.call("export", *words, "--plugin-file", self.plugin, code=code)

    def score(self, path: Path, *more: object, code: int = 0) -> Result:
        """Scores predictions at a path."""
        return self.call("score", "--predictions", path, *self.data, *more, code=code)

    def refused(self, path: Path, *more: object, code: int = 1) -> str:
        """What is said of predictions that are refused; nothing of them is left in the results."""
        before = self.records()
        text = self.score(path, *more, code=code).stderr
        assert self.records().keys() == before.keys()
        assert not list(self.results.glob("**/*.attempt-*"))
        return text

    def records(self) -> dict[tuple[str, int], dict]:
        """Records of the results by method and fold; the last one written where there are several."""
        paths = sorted(self.results.glob("cells/**/record.json"), key=lambda path: path.stat().st_mtime_ns)
        records = [json.loads(path.read_text()) | {"folder": path.parent} for path in paths]
        return {(record["spec"]["method"], record["spec"]["fold"]): record for record in records}


def _run(origin: Origin) -> None:
    # Each cell's life within this process: starting one for each would take most of the tests' time.
    settings = {"odd.classes": str(origin.classes), "odd.volumes": str(origin.volumes)}
    request = Request(methods=["guess"], datasets=["odd"], settings=settings, samples=5, data=origin.folder)
    run = run_of(make_plan(request, discover(files=[origin.plugin])), origin.results, origin.folder, "mrbench run")
    for spec, _ in run.cells:
        order = Order(spec, origin.results, origin.folder, plugin_files=(origin.plugin,))
        CellLife(order, lambda event: None).live()
    run.write()


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("odd_of_tests", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make_origin(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, bool], Origin]:
    """A run of known draws on a data set of K classes, made once per test session."""
    plugin = tmp_path_factory.mktemp("plugin") / "odd.py"
    plugin.write_text(PLUGIN)
    made: dict[tuple[int, bool], Origin] = {}

    def make(classes: int, volumes: bool) -> Origin:
        if (classes, volumes) not in made:
            origin = Origin(tmp_path_factory.mktemp("origin"), plugin, classes, volumes, _imported(plugin))
            _run(origin)
            made[classes, volumes] = origin
        return made[classes, volumes]

    return make


@pytest.fixture
def origin(make_origin: Callable[[int, bool], Origin]) -> Origin:
    """Slices with two classes."""
    return make_origin(2, False)


@pytest.fixture
def volumes(make_origin: Callable[[int, bool], Origin]) -> Origin:
    """Volumes with three classes."""
    return make_origin(3, True)
