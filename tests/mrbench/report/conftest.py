"""Runs to report on."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synthetic_results import external, fusion, method, write_results

from mrbench.engine.run import Run
from mrbench.registry import Registry, discover

SETTINGS = {"subjects": 9, "size": 32, "slices": 2}
ODD = Path(__file__).with_name("odd_data.py")


@pytest.fixture(scope="session")
def registry() -> Registry:
    return discover(files=[ODD])


@pytest.fixture(scope="session")
def hostile(registry: Registry) -> str:
    """What stands in the names of the odd data set."""
    registry.get("dataset", "odd").load()
    return str(sys.modules["odd_data"].HOSTILE)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Run:
    """Two methods, predictions made elsewhere and a human reference, on two folds of slices."""
    methods = [fusion("vote"), method("alpha"), method("beta", raters=False), external("mine")]
    return write_results(tmp_path_factory.mktemp("slices") / "results", methods, SETTINGS, registry=registry)


@pytest.fixture(scope="session")
def make_odd(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Callable[..., Run]:
    """A run on the data set with hostile names."""

    def make(**settings: Any) -> Run:
        methods = [method("alpha", classes=3), fusion("vote", classes=3)]
        results = tmp_path_factory.mktemp("odd") / "results"
        return write_results(results, methods, settings, dataset="odd", registry=registry)

    return make
