"""Discovery: what works stays, what is broken is set aside and harms nobody."""

from collections.abc import Callable

import pytest

from mrbench import MRBENCH_API
from mrbench.errors import PluginError, UnknownNameError, UsageError
from mrbench.registry import discover

LIGHT = """
from mrbench import MethodCard, hookimpl
MRBENCH_API = "2"

@hookimpl
def mrbench_methods():
    return [MethodCard(name="{name}", code="nowhere:Nothing", config="nowhere:Config", summary="a stranger's")]
"""


def test_built_ins_are_found_by_their_entry_points():
    registry = discover()
    assert {"proseg", "unet-majority", "staple"} <= set(registry.names("method"))
    assert {"phantom", "lidc", "npc"} <= set(registry.names("dataset"))
    assert {"ged", "dice_rater"} <= set(registry.names("metric"))
    assert registry.quarantined == []


def test_a_strangers_method_answers_to_its_bare_and_its_qualified_name(make_distribution: Callable[..., None]):
    make_distribution("stranger", {"stranger": LIGHT.format(name="newseg")}, {"stranger": "stranger"})
    registry = discover()
    assert registry.get("method", "newseg").key == "stranger:newseg"
    assert registry.get("method", "stranger:newseg").card.summary == "a stranger's"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('broken at import')", "broken at import"),
        ("import sys; sys.exit(3)", "SystemExit"),
        ("import a_module_that_is_not_there", "a_module_that_is_not_there"),
        ("x = 1", "add MRBENCH_API"),
        ("MRBENCH_API = '1'", "interface '1', this is mrbench with interface '2': docs/moving.md says how to move it"),
        (LIGHT.format(name="Bad Name"), "lower-case"),
        (LIGHT.replace("nowhere:Nothing", "nowhere").format(name="ok"), "module:attribute"),
        (LIGHT.replace("return [", "return 3 # [").format(name="ok"), "list of cards"),
        (LIGHT.replace("def mrbench_methods()", "def mrbench_methods(what)").format(name="ok"), "what"),
        (LIGHT.replace("mrbench_methods", "mrbench_method").format(name="ok"), "mrbench_method"),
    ],
)
def test_a_broken_plugin_is_set_aside_with_its_reason_and_harms_nobody(
    make_distribution: Callable[..., None], source: str, reason: str
):
    make_distribution("broken", {"broken": source}, {"broken": "broken"})
    make_distribution("stranger", {"stranger": LIGHT.format(name="newseg")}, {"stranger": "stranger"})
    registry = discover()
    (quarantined,) = registry.quarantined
    assert quarantined.distribution == "broken"
    assert reason in quarantined.reason
    assert "Traceback" in quarantined.traceback
    assert "newseg" in registry.get("method", "newseg").qualified
    assert "proseg" in registry.names("method")
    assert registry.warnings() == [f"plugin 'broken' of 'broken' is set aside: {quarantined.reason.splitlines()[0]}"]


def test_a_name_of_two_strangers_must_be_qualified(make_distribution: Callable[..., None]):
    for name in ("first", "second"):
        make_distribution(name, {name: LIGHT.format(name="twin")}, {name: name})
    registry = discover()
    with pytest.raises(UsageError, match="'first:twin' or 'second:twin'"):
        registry.get("method", "twin")
    assert registry.get("method", "second:twin").distribution == "second"


def test_a_built_in_keeps_its_bare_name_with_a_warning(make_distribution: Callable[..., None]):
    make_distribution("usurper", {"usurper": LIGHT.format(name="staple")}, {"usurper": "usurper"})
    registry = discover()
    assert registry.get("method", "staple").distribution == "mrbench"
    assert registry.warnings() == ["method 'staple' means the built-in one; say 'usurper:staple' for the other"]


def test_a_second_record_of_the_same_name_in_one_distribution_is_set_aside(make_distribution: Callable[..., None]):
    source = LIGHT.format(name="twin")
    make_distribution("same", {"one": source, "two": source}, {"one": "one", "two": "two"})
    registry = discover()
    assert [p.qualified for p in registry.of_kind("method") if p.distribution == "same"] == ["same:twin"]
    assert "a second method named 'same:twin'" in registry.quarantined[0].reason


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'proseg'"):
        discover().get("method", "prosge")


DECORATED = """
import numpy as np
from mrbench import Key, hookimpl, metric
MRBENCH_API = "{api}"
FACTS = {{"direction": "higher", "range": (0, 1), "needs": "samples"}}

@metric("second", "named first in no list, but defined first", **FACTS)
def score_second(tables, protocol):
    return {{Key(1): np.ones(1)}}

@metric("first", "defined last", **FACTS)
def score_first(tables, protocol):
    return {{}}
"""
BY_HOOK = """
from mrbench import hookimpl
MRBENCH_API = "{api}"

@hookimpl
def mrbench_metrics():
    from strangers_scores import score_first
    return [score_first]
"""


def test_a_module_needs_no_hook_for_what_decorators_have_made_in_it(make_distribution: Callable[..., None]):
    source = DECORATED.format(api=MRBENCH_API)
    make_distribution("stranger", {"strangers_scores": source}, {"stranger": "strangers_scores"})
    registry = discover()
    assert registry.quarantined == []
    own = [plugin for plugin in registry.plugins["metric"] if plugin.distribution == "stranger"]
    assert [plugin.card.code for plugin in own] == ["strangers_scores:score_second", "strangers_scores:score_first"]
    assert own[1].load().__name__ == "score_first"


def test_a_hook_may_give_a_decorated_function_and_a_module_that_imports_it_gives_it_once(
    make_distribution: Callable[..., None],
):
    source = DECORATED.format(api=MRBENCH_API)
    imports = BY_HOOK.format(api=MRBENCH_API).replace(
        "\nfrom mrbench", "\nfrom strangers_scores import *\nfrom mrbench", 1
    )
    make_distribution("stranger", {"strangers_scores": source, "light": imports}, {"stranger": "light"})
    registry = discover()
    assert registry.quarantined == []
    assert [p.name for p in registry.plugins["metric"] if p.distribution == "stranger"] == ["first"]


def test_only_the_kinds_that_are_asked_for_are_looked_at(make_distribution: Callable[..., None]):
    broken = BY_HOOK.format(api=MRBENCH_API).replace("strangers_scores", "a_module_that_is_not_there")
    make_distribution("broken", {"broken": broken}, {"broken": "broken"})
    registry = discover(kinds=["method", "dataset"])
    assert registry.quarantined == []
    assert set(registry.plugins) == {"method", "dataset"}
    (quarantined,) = discover().quarantined
    assert "a_module_that_is_not_there" in quarantined.reason


def test_a_card_of_a_metric_whose_code_is_no_decorated_function_is_told(make_distribution: Callable[..., None]):
    source = f"""
from mrbench import MetricCard, hookimpl
MRBENCH_API = "{MRBENCH_API}"

@hookimpl
def mrbench_metrics():
    return [MetricCard(name="plain", code="strangers_scores:plain", direction="higher", range=(0, 1), needs="samples")]

def plain(tables, protocol):
    return {{}}
"""
    make_distribution("stranger", {"strangers_scores": source}, {"stranger": "strangers_scores"})
    with pytest.raises(PluginError) as caught:
        discover().get("metric", "plain").load()
    assert caught.value.what == "plugin 'stranger:plain' cannot load 'strangers_scores:plain'"
    assert caught.value.expected == "a function under @mrbench.metric"
    assert caught.value.found.startswith("<function plain")
