"""Decorators make cards, and discovery finds them where they are defined."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import mrbench
from mrbench.cards import DECLARED, NO_OPTIONS, DatasetCard, MethodCard, load_attribute
from mrbench.errors import PluginError
from mrbench.registry import discover


class Options(mrbench.Config):
    """Options of a test."""


@mrbench.fusion("own-vote", "a vote", gives="consensus", config=Options, multi_class=False, citation="us")
def fuse(masks, present, n, noise): ...


@mrbench.dataset("own-data", prepare=fuse, source="the shelf")
def load(config, folder): ...


@mrbench.method("own-seg", "a method", gives="samples raters", presets={"quick": {"width": 2}})
class Own:
    class Config(mrbench.Config):
        """Options within."""


@mrbench.method("own-other", gives="raters", config="elsewhere:Config")
class Other(Own):
    """One with a card of its own."""


class Plain(Own):
    """One without."""


def test_a_card_says_what_the_decorator_does_and_names_its_code():
    assert vars(fuse)[DECLARED] == MethodCard(
        name="own-vote", summary="a vote", kind="fusion", gives="consensus", multi_class=False, citation="us",
        code=f"{__name__}:fuse", config=f"{__name__}:Options",
    )  # fmt: skip
    assert vars(load)[DECLARED] == DatasetCard(
        name="own-data", prepare=f"{__name__}:fuse", source="the shelf", code=f"{__name__}:load", config=NO_OPTIONS
    )


def test_a_class_within_the_method_is_its_options():
    card = vars(Own)[DECLARED]
    assert (card.code, card.config) == (f"{__name__}:Own", f"{__name__}:Own.Config")
    assert load_attribute("mrbench.data.case:Case.without_masks") is mrbench.Case.without_masks
    assert vars(Other)[DECLARED].config == "elsewhere:Config"


def test_the_preset_paper_is_the_defaults_without_being_named():
    assert vars(Own)[DECLARED].presets == {"paper": {}, "quick": {"width": 2}}
    assert not vars(Other)[DECLARED].presets
    with pytest.raises(PluginError, match="has a preset 'paper' that changes options"):
        MethodCard(name="x", code="a:b", presets={"paper": {"width": 3}})


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: mrbench.fusion("again", gives="consensus")(fuse), "fuse is declared twice"),
        (lambda: mrbench.dataset("x", colour="red")(lambda config, folder: None), "cannot be imported"),
        (lambda: mrbench.dataset("x", colour="red")(Plain), "the card of 'x' cannot be made"),
        (lambda: mrbench.fusion("x", gives="colours")(Plain), "the card of method 'x' gives 'colours'"),
    ],
)
def test_what_cannot_be_a_card_is_refused(declare: Callable[[], object], message: str):
    with pytest.raises(PluginError, match=message):
        declare()


FILE = """
import mrbench
from shared_plugin import imported
from mrbench import DatasetCard, Trial, hookimpl

MRBENCH_API = "2"

@mrbench.fusion("second", gives="consensus")
def fuse(masks, present, n, noise):
    return Trial(consensus=masks[0])

again = fuse

@mrbench.dataset("data")
def load(config, folder): ...

@mrbench.fusion("first", gives="consensus")
def other(masks, present, n, noise):
    return Trial(consensus=masks[0])

@hookimpl
def mrbench_methods():
    return [fuse.__mrbench_card__]
"""
SHARED = """
import mrbench
MRBENCH_API = "2"

@mrbench.fusion("imported", gives="consensus")
def imported(masks, present, n, noise): ...
"""


def test_a_module_provides_what_its_hooks_return_and_what_is_declared_in_it(
    make_distribution: Callable[..., None], tmp_path: Path
):
    make_distribution("both", {"both_plugin": FILE, "shared_plugin": SHARED}, {"both": "both_plugin"})
    registry = discover()
    assert registry.quarantined == []
    own = {kind: [p.name for p in plugins if p.distribution == "both"] for kind, plugins in registry.plugins.items()}
    assert own == {"method": ["second", "first"], "dataset": ["data"], "metric": []}


def test_a_file_needs_no_hook(tmp_path: Path):
    file = tmp_path / "declared_alone.py"
    file.write_text(SHARED)
    registry = discover([], files=[file])
    assert registry.names("method") == ["declared_alone.py:imported"]
    assert registry.get("method", "imported").load().__name__ == "imported"


def test_a_further_row_of_a_class_is_a_card_beside_it():
    row = replace(vars(Own)[DECLARED], name="own-samples", family="own-seg", gives="samples")
    assert (row.code, row.config) == (f"{__name__}:Own", f"{__name__}:Own.Config")
