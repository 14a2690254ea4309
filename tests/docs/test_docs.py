"""The documentation speaks of the program as it is."""

import doctest
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["commands.md", "metrics.md", "hooks.md", "conformance.md"])
def test_generated_pages_are_up_to_date(name: str):
    assert (ROOT / "docs" / name).read_text() == generator().PAGES[name](), "run: make docs"


def test_the_examples_of_metrics_give_what_they_show():
    found = doctest.testfile(str(ROOT / "docs" / "metrics.md"), module_relative=False)
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]), ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_readme_names_only_what_is_installed():
    from mrbench.registry import discover

    registry = discover()
    text = (ROOT / "README.md").read_text()
    for kind, name in re.findall(r"--(method|dataset) ([a-z-]+)", text):
        assert registry.get(kind, name)
