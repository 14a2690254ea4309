"""The commands of docs/studies.md speak of methods, presets, data sets and options that are there."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from mrbench.configuration import flat
from mrbench.registry import discover

PAGE = (Path(__file__).parents[2] / "docs" / "studies.md").read_text()


def _commands() -> Iterator[str]:
    blocks = "\n".join(re.findall(r"```\n(.*?)```", PAGE, flags=re.DOTALL)).replace("\\\n", " ")
    lidc = shlex.split(re.findall(r'^LIDC="(.*)"$', blocks, flags=re.MULTILINE)[0])
    for line in blocks.splitlines():
        if line.startswith("mrbench run"):
            yield line.replace("$LIDC", shlex.join(lidc))


def _given(words: list[str], option: str) -> list[str]:
    return [value for name, value in pairwise(words) if name == option]


@pytest.mark.parametrize("command", list(_commands()))
def test_a_row_can_be_asked_for(command: str) -> None:
    registry, words = discover(), shlex.split(command, comments=True)
    assert [registry.get("dataset", name) for name in _given(words, "--dataset")]
    presets = dict(
        p.split("=") if "=" in p else (m, p) for p in _given(words, "--preset") for m in _given(words, "--method")
    )
    used = set()
    for method in _given(words, "--method"):
        plugin = registry.get("method", method)
        config = plugin.load_config()
        settings = [setting.removeprefix(f"{method}.").split("=") for setting in _given(words, "--set")]
        own = {name: value for name, value in settings if name in config.options()}
        config.parse(flat(plugin.card.presets[presets.get(method, "paper")]) | own, owner=method)
        used |= set(own)
    assert len(used) == len(_given(words, "--set"))


def test_every_row_is_another_training() -> None:
    commands = [shlex.join(shlex.split(command, comments=True)) for command in _commands()]
    assert len(commands) == 7 + 4 + 2 + 4
    assert len(set(commands)) == len(commands)
