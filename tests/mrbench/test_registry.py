"""Discovery: what works stays, what is broken is set aside and harms nobody."""

from collections.abc import Callable

import pytest

from mrbench.errors import UnknownNameError, UsageError
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
        ("MRBENCH_API = '2'", "interface '2'"),
        (LIGHT.format(name="Bad Name"), "lower-case"),
        (LIGHT.replace("nowhere:Nothing", "nowhere").format(name="ok"), "module:attribute"),
        (LIGHT.replace("return [", "return 3 # [").format(name="ok"), "list of records"),
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
