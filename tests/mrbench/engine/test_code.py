"""Digests of code: what computes changes them, what explains does not, and what cannot be read is told of."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from mrbench.engine.code import Code, Find, code_of, differing, digest_of_tree, in_words, recorded
from mrbench.errors import PluginError
from mrbench.registry import discover

SOURCE = '''
"""A method."""
T = 0.5
"""Where it cuts."""

class Cut:
    """It cuts."""
    def predict(self, x, scale=2):
        """Above the threshold."""
        return x * scale > T  # strictly
'''


def digest(source: str) -> str:
    return digest_of_tree(ast.parse(source))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A method."""', '"""Another text."""'),
        ('    """It cuts."""\n', ""),
        ('"""Where it cuts."""\n', ""),
        ("  # strictly", ""),
        ("x * scale > T", "(x * scale\n                > T)"),
        ("0.5", "5e-1"),
        ("class Cut", "\n\nclass Cut"),
    ],
)
def test_comments_docstrings_and_layout_change_no_digest(old: str, new: str):
    assert old in SOURCE
    assert digest(SOURCE.replace(old, new)) == digest(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.5", "0.2"), ("scale=2", "scale=2.0"), ("> T", ">= T"), ("x * scale", "scale * x"), ("predict", "sample"),
        ("self, x, scale=2", "self, x, *, scale=2"), ("return x", "return -x"), ("T = 0.5", "T = '0.5'"),
    ],
)  # fmt: skip
def test_whatever_computes_changes_it(old: str, new: str):
    assert digest(SOURCE.replace(old, new)) != digest(SOURCE)


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[dict[str, str]], Find]:
    """Writes files and gives what finds packages among them alone."""

    def make(files: dict[str, str]) -> Find:
        for name, source in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(source)

        def find(top: str) -> Path | None:
            return next((path for path in (tmp_path / top, tmp_path / f"{top}.py") if path.exists()), None)

        return find

    return make


HARNESS = {
    "mrbench/__init__.py": "",
    "mrbench/engine/__init__.py": "",
    "mrbench/engine/train.py": "from mrbench.engine.fit import fit",
    "mrbench/engine/fit.py": "import mrbench.seeds\ndef fit():\n    from mrbench.engine import late",
    "mrbench/engine/late.py": "",
    "mrbench/engine/initial.py": "",
    "mrbench/engine/source.py": "",
    "mrbench/engine/predict.py": "from mrbench.errors import PluginError",
    "mrbench/engine/sent_draws.py": "",
    "mrbench/seeds.py": "SEED = 1",
    "mrbench/errors.py": "",
    "mrbench/pages.py": "",
    "mrbench/nn/__init__.py": "",
    "mrbench/nn/unet.py": "from mrbench.nn.blocks import Block",
    "mrbench/nn/blocks.py": "",
    "mrbench/nn/other.py": "",
    "mrbench/interfaces/method.py": "",
}
OWN = {
    "mine/__init__.py": "",
    "mine/method.py": "from . import parts\nfrom mrbench import Method\nfrom mrbench.nn.unet import UNet\nimport numpy",
    "mine/parts.py": "",
    "mine/deep/more.py": "from ..parts import x",
}


DRAWS = {"mrbench/engine/predict.py", "mrbench/engine/source.py", "mrbench/engine/sent_draws.py"}


def test_the_package_counts_whole_and_of_mrbench_what_is_imported(tree: Callable[..., Find]):
    code = code_of(["mine.method"], trains=True, find=tree(HARNESS | OWN))
    assert set(code.trained) == {
        "mine/__init__.py", "mine/method.py", "mine/parts.py", "mine/deep/more.py", "mrbench/nn/unet.py",
        "mrbench/nn/blocks.py", "mrbench/engine/train.py", "mrbench/engine/fit.py", "mrbench/engine/late.py",
        "mrbench/seeds.py", "mrbench/interfaces/method.py", "mrbench/engine/initial.py",
    }  # fmt: skip
    assert set(code.drawn) - set(code.trained) == DRAWS


@pytest.mark.parametrize(
    ("file", "source", "moves"),
    [
        ("mine/parts.py", "x = 1", {"training", "prediction"}),
        ("mine/new.py", "x = 1", {"training", "prediction"}),
        ("mrbench/seeds.py", "SEED = 2", {"training", "prediction"}),
        ("mrbench/nn/blocks.py", "x = 1", {"training", "prediction"}),
        ("mrbench/engine/predict.py", "x = 1", {"prediction"}),
        ("mrbench/errors.py", "x = 1", set()),
        ("mrbench/pages.py", "x = 1", set()),
        ("mrbench/nn/other.py", "x = 1", set()),
        ("mrbench/seeds.py", "# why\nSEED = 1", set()),
    ],
)
def test_a_step_has_another_digest_where_its_own_code_changed(
    tree: Callable[..., Find], file: str, source: str, moves: set[str]
):
    before = code_of(["mine"], trains=True, find=tree(HARNESS | OWN))
    after = code_of(["mine"], trains=True, find=tree({file: source}))
    assert {step for step in ("training", "prediction") if getattr(before, step) != getattr(after, step)} == moves
    assert differing(before.drawn, after.drawn) == ([file] if moves else [])


def test_a_fusion_trains_nothing(tree: Callable[..., Find]):
    code = code_of(["one"], trains=False, find=tree(HARNESS | {"one.py": ""}))
    assert (code.training, set(code.drawn)) == ("", {"one.py", *DRAWS})


@pytest.mark.parametrize("content", [b"def f(:", b"\xff\xfe", b"x = '\x00'"])
def test_what_is_no_python_is_told_of_with_its_file(tree: Callable[..., Find], tmp_path: Path, content: bytes):
    find = tree(HARNESS | {"mine/__init__.py": ""})
    (tmp_path / "mine/bad.py").write_bytes(content)
    with pytest.raises(PluginError, match=r"code of 'mine.bad' cannot be read(.|\n)*bad\.py"):
        code_of(["mine"], trains=True, find=find)


def test_a_module_that_is_nowhere_is_told_of(tree: Callable[..., Find]):
    with pytest.raises(PluginError, match="the code of 'nowhere' is not found"):
        code_of(["nowhere"], trains=True, find=tree(HARNESS))


def test_a_compiled_module_counts_byte_by_byte(tree: Callable[..., Find], tmp_path: Path):
    find = tree(HARNESS | {"mine/__init__.py": ""})
    (tmp_path / "mine/fast.cpython-311.so").write_bytes(b"\x7fELF1")
    before = code_of(["mine"], trains=True, find=find)
    (tmp_path / "mine/fast.cpython-311.so").write_bytes(b"\x7fELF2")
    assert differing(before.drawn, code_of(["mine"], trains=True, find=find).drawn) == ["mine/fast.cpython-311.so"]


def test_files_are_named_as_people_do_and_those_of_plugins_first():
    before = {"mrbench/engine/fit.py": "1", "mrbench_tab/network.py": "1", "mine.py": "1"}
    after = {"mrbench/engine/fit.py": "2", "mrbench_tab/network.py": "2", "mrbench_tab/new.py": "1"}
    files = differing(before, after)
    assert in_words(files) == "mine.py, network.py of mrbench_tab, new.py of mrbench_tab and 1 more"


def test_of_the_built_in_methods_every_module_of_the_training_loop_counts():
    plugin = discover().get("method", "tab")
    code = code_of(plugin.modules, trains=True)
    assert {
        f"mrbench/engine/{name}.py" for name in ("train", "fit", "slices", "augmentation", "sparsity", "initial")
    } < set(code.trained)
    assert {"mrbench/seeds.py", "mrbench/interfaces/method.py", "mrbench_tab/network.py"} < set(code.trained)
    assert "mrbench/engine/draws.py" not in code.trained
    assert {"mrbench/engine/draws.py", "mrbench/interfaces/noise.py", "mrbench/metrics/tables.py"} < set(code.drawn)
    assert not [
        name for name in code.drawn if name.startswith(("mrbench/cli", "mrbench/report", "mrbench/leaderboard"))
    ]


def test_a_record_holds_files_modules_and_the_commit_of_a_checkout():
    plugin = discover().get("method", "tab")
    code = code_of(plugin.modules, trains=True)
    found = recorded(code, plugin.modules)
    assert (found["modules"], found["files"]) == (["mrbench_tab"], dict(code.drawn))
    assert Code({}, found["files"]).prediction == code.prediction
