"""Where in a plugin's code something is: file and line, and no folder of the machine."""

import sys
from functools import partial, wraps
from pathlib import Path
from types import ModuleType

import pytest

from mrbench.errors import DataError, PluginError
from mrbench.places import blamed, of_error, of_function, of_generator, told

SOURCE = """
def raises(error):
    raise error

def calls(function):
    function()

def draws():
    yield 1
    yield from inner()

def inner():
    yield 2
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module ``method`` of a package ``their_plugin``."""
    folder = tmp_path / "their_plugin"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "method.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__("their_plugin.method").method
    yield module
    for name in ("their_plugin", "their_plugin.method"):
        sys.modules.pop(name)


def caught(function, *arguments) -> BaseException:
    try:
        function(*arguments)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_an_exception_is_told_with_the_line_of_the_plugin_that_raised_it(plugin: ModuleType):
    error = caught(plugin.raises, ValueError("no masks\nat all"))
    assert told(error, {"their_plugin"}) == "ValueError: no masks (their_plugin/method.py:3)"
    assert told(error, {"others"}) == "ValueError: no masks"
    assert told(caught(plugin.raises, KeyError()), ()) == "KeyError"


def test_the_innermost_line_of_the_plugin_is_named_whoever_raised(plugin: ModuleType):
    assert of_error(caught(plugin.calls, lambda: int("x")), {"their_plugin"}) == "their_plugin/method.py:6"


def test_an_error_of_ours_keeps_its_parts_and_the_place_that_it_has(plugin: ModuleType):
    error = caught(plugin.raises, DataError("no masks", expected="some", found="none"))
    assert told(error, {"their_plugin"}) == ("no masks (their_plugin/method.py:3)\n  expected: some\n  found:    none")
    assert str(error) == error.message
    assert told(caught(plugin.raises, DataError("no", place="a.py:1")), {"their_plugin"}) == "no (a.py:1)"


def test_a_function_is_where_it_is_defined_whatever_wraps_it(plugin: ModuleType):
    @wraps(plugin.raises)
    def wrapper():
        pass

    places = [of_function(one) for one in (plugin.raises, partial(plugin.raises, 3), wrapper)]
    assert places == ["their_plugin/method.py:2"] * 3
    assert of_function(len) == ""


def test_a_generator_is_at_the_line_that_yielded(plugin: ModuleType):
    generator = plugin.draws()
    assert [of_generator(generator) for _ in generator] == ["their_plugin/method.py:9", "their_plugin/method.py:13"]
    assert of_generator(generator) == of_generator([1]) == ""


def test_what_a_plugin_raises_becomes_one_error(plugin: ModuleType):
    with (
        pytest.raises(PluginError, match=r"^x: ValueError: no \(their_plugin/method.py:3\)$"),
        blamed("x", {"their_plugin"}),
    ):
        plugin.raises(ValueError("no"))
    for passing in (MemoryError(), DataError("no")):
        with pytest.raises(type(passing)), blamed("x", {"their_plugin"}):
            plugin.raises(passing)
