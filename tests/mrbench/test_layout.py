"""The rules of the layout: who may import whom, and what must stay light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.name for folder in ("plugins", "datasets") for path in (ROOT / folder).glob("mrbench_*"))
PUBLIC = ("mrbench.nn", "mrbench.interfaces", "mrbench.data", "mrbench.cards", "mrbench.configuration",
          "mrbench.consensus", "mrbench.errors", "mrbench.hooks", "mrbench.seeds")  # fmt: skip
HEAVY = ("torch", "pandas", "scipy", "h5py")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def package_imports() -> dict[str, set[str]]:
    """For each package or module right below ``mrbench``, those that it imports, for types alone too."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "mrbench").rglob("*.py"):
        names = [*imported(path), *imported_from_the_top(path)]
        package = path.relative_to(ROOT / "mrbench").parts[0].removesuffix(".py")
        found.setdefault(package, set()).update(name.split(".")[1] for name in names if name.startswith("mrbench."))
    return found


def imported_from_the_top(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "mrbench":
            yield from (f"mrbench.{name.name}" for name in node.names)


def loaded_after(code: str) -> set[str]:
    script = f"import sys; sys.argv = ['mrbench', *sys.argv[1:]]\n{code}\nprint('LOADED', *sys.modules)"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return {name.partition(".")[0] for name in output.rpartition("LOADED")[2].split()}


@pytest.mark.parametrize("path", sorted((ROOT / "mrbench").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_harness_imports_no_plugin(path: Path):
    assert not [name for name in imported(path) if name.partition(".")[0] in PLUGINS]


def test_no_library_imports_the_command_line():
    importers = {name for name, others in package_imports().items() if "cli" in others}
    assert importers <= {"cli", "__main__"}


def test_no_packages_import_each_other_in_a_circle():
    imports = package_imports()
    imports.pop("hooks")  # names what it hands to plugins, for types alone
    reached = {name: reachable(name, imports) for name in imports}
    assert not [(a, b) for a in imports for b in imports if a < b and b in reached[a] and a in reached[b]]


def reachable(start: str, imports: dict[str, set[str]]) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        new = imports.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("package", PLUGINS)
def test_a_plugin_imports_the_public_interfaces_and_itself_alone(package: str):
    folder = next(ROOT.glob(f"*/{package}"))
    for path in folder.rglob("*.py"):
        for name in imported(path):
            if name.startswith("mrbench."):
                assert name.startswith(PUBLIC), f"{path.name} imports {name}"
            elif name.startswith("mrbench_"):
                assert name.partition(".")[0] == package, f"{path.name} imports {name}"


@pytest.mark.parametrize(
    "code",
    [
        "import mrbench",
        "import mrbench.cli",
        "from mrbench.registry import discover; discover()",
        "from click.testing import CliRunner; from mrbench.cli import group; CliRunner().invoke(group, ['list'])",
        *(f"import {package}" for package in PLUGINS),
    ],
)
def test_what_must_be_light_loads_nothing_heavy(code: str):
    assert not loaded_after(code) & set(HEAVY)


@pytest.mark.parametrize("name", ["load_dataset", "load_model", "run"])
def test_naming_a_door_loads_neither_torch_nor_pandas(name: str):
    assert not loaded_after(f"import mrbench; mrbench.{name}") & {"torch", "pandas"}


def test_planning_loads_no_torch():
    code = (
        "from mrbench.engine.plan import Request, make_plan; from mrbench.registry import discover\n"
        "from pathlib import Path\n"
        "make_plan(Request(methods=['proseg'], datasets=['phantom'], settings={'phantom.subjects': 9},"
        " data=Path('.')), discover())"
    )
    assert "torch" not in loaded_after(code)
