"""Before the first cell: options are checked against each data set, and each method is built once."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mrbench.data.description import Description, Raters
from mrbench.engine import first_build
from mrbench.engine.first_build import Build, build_all
from mrbench.errors import PluginError, UsageError

TINY = (
    *("--dataset", "phantom", "--set", "phantom.subjects=9", "--set", "phantom.size=32"),
    *("--fold", "0", "--samples", "2", "--out", "out"),
)
DESCRIPTION = Description(
    name="made", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=("a", "b")
).as_json()

pytestmark = pytest.mark.usefixtures("toys")
Call = Callable[..., Result]


def run_toys(mrbench: Call, *names: str, more: tuple[str, ...] = ()) -> Result:
    return mrbench("run", *(word for name in names for word in ("--method", name)), *TINY, *more)


def build(behaviour: str) -> Build:
    options = {"behaviour": behaviour, "epochs": 1, "seconds": 0.0, "shift": 0.0}
    return Build(f"mrbench-toys:toy-{behaviour}", "made", "1", options, DESCRIPTION)


def test_methods_that_do_not_fit_a_data_set_are_all_told_of_before_anything_is_computed(mrbench: Call, tmp_path: Path):
    result = run_toys(mrbench, "toy-unfit", "proseg", "toy-fine", more=("--set", "proseg.tau_size=3"))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "methods do not fit their data sets:",
        "    method 'mrbench-toys:toy-unfit' on data set 'phantom': option 'epochs' is odd",
        "      expected: an even number",
        "      found:    3",
        "      next:     mrbench info mrbench-toys:toy-unfit",
        "    method 'proseg' on data set 'phantom': option 'tau_size' is too small",
        "      expected: at least the number of raters, 4",
        "      found:    3",
        "      next:     mrbench info proseg",
    ]
    assert not (tmp_path / "out").exists()


def test_a_check_of_options_that_raises_names_its_file_and_line(mrbench: Call):
    result = run_toys(mrbench, "toy-check-raises")
    assert result.exit_code == 1
    line = next(n for n, text in enumerate(open_toy("toy_config"), 1) if "ZeroDivisionError" in text)
    assert result.stderr == (
        "method 'mrbench-toys:toy-check-raises' on data set 'phantom': its options cannot be checked: "
        f"ZeroDivisionError: a fault of the author's (toy_config.py:{line})"
    )


def open_toy(module: str) -> list[str]:
    return Path(str(sys.modules[module].__file__)).read_text().splitlines()


def test_methods_that_cannot_be_built_are_all_told_of_before_the_first_cell(mrbench: Call, tmp_path: Path):
    result = run_toys(mrbench, "toy-fine", "toy-cannot-build", "staple", "toy-foreign-parameters")
    assert result.exit_code == 1
    source = (tmp_path / "site/mrbench-toys/toy_methods.py").read_text().splitlines()
    raising = next(n for n, text in enumerate(source, 1) if "raise ValueError" in text)
    listing = next(n for n, text in enumerate(source, 1) if "def stages" in text)
    assert result.stderr.splitlines()[1:] == [
        "methods cannot be built:",
        "    method 'mrbench-toys:toy-cannot-build' cannot be built for data set 'phantom': "
        f"ValueError: a fault of the author's (toy_methods.py:{raising})",
        "    method 'mrbench-toys:toy-foreign-parameters' cannot be built for data set 'phantom': "
        f"stage 'toy' of Toy trains what is not the method's (toy_methods.py:{listing})",
        "      expected: parameters of its submodules, or its own",
        "      found:    2 of 4 are not, the first of shape (1, 1, 3, 3)",
        "      next:     assign the network, or the parameter, to an attribute of the method",
    ]
    assert not (tmp_path / "out").exists()


def test_methods_that_lack_what_their_cards_give_are_not_built(mrbench: Call, tmp_path: Path):
    result = run_toys(mrbench, "toy-lacking", "toy-first-edition")
    assert result.exit_code == 1
    source = (tmp_path / "site/mrbench-toys/toy_methods.py").read_text().splitlines()
    line = next(n for n, text in enumerate(source, 1) if "def predict" in text)
    assert result.stderr.splitlines()[1:] == [
        "methods cannot be built:",
        "    method 'mrbench-toys:toy-lacking' cannot be built for data set 'phantom': "
        "Toy does not give raters, as the card of 'toy-lacking' says",
        "      expected: as_rater()",
        "      found:    sample()",
        "    method 'mrbench-toys:toy-first-edition' cannot be built for data set 'phantom': "
        f"FirstEdition is of the first edition of the interface (toy_methods.py:{line})",
        "      expected: sample()",
        "      found:    predict(), and no answer",
        "      next:     docs/moving.md says how to move",
    ]
    assert not (tmp_path / "out").exists()


def test_what_was_built_is_not_built_again_until_it_changes(
    mrbench: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[list[str]] = []

    def remembered(builds, *rest):
        asked.append([one.method for one in builds])
        return build_all(builds, *rest)

    monkeypatch.setattr(first_build, "build_all", remembered)
    cells = [json.loads(run_toys(mrbench, "staple", more=("--dry-run", "--json")).stdout)["cells"]]
    assert run_toys(mrbench, "staple").exit_code == 0
    cells += [json.loads(run_toys(mrbench, "staple", more=more).stdout)["cells"] for more in (
        ("--dry-run", "--json"), ("--dry-run", "--json", "--force"), ("--dry-run", "--json", "--fold", "1"),
        ("--dry-run", "--json", "--set", "staple.max_iterations=9"),
    )]  # fmt: skip
    assert [(cell["state"], cell["built"]) for (*_, cell) in cells] == [
        ("to do", False), ("kept", None), ("to do", True), ("to do", True), ("to do", False),
    ]  # fmt: skip
    assert run_toys(mrbench, "staple", "majority-vote", more=("--force",)).exit_code == 0
    (tmp_path / "out/built.json").write_text("[")
    assert run_toys(mrbench, "staple").exit_code == 0, "finished cells need no building"
    assert run_toys(mrbench, "staple", more=("--force",)).exit_code == 0
    assert asked == [["staple"], ["majority-vote"], ["staple"]]


def test_a_dry_run_says_what_is_not_yet_built(mrbench: Call):
    lines = run_toys(mrbench, "staple", more=("--dry-run",)).stdout.splitlines()
    assert lines[0].endswith("  to do, not yet built")


def test_a_constructor_that_asks_for_a_weight_is_built_with_memory():
    assert build_all([build("asks-weights"), build("fine")], ()) == [None, None]


def test_want_of_memory_is_left_to_the_cell():
    assert build_all([build("no-memory-building")], ()) == [None]


def test_a_constructor_that_ends_the_process_is_named_with_its_last_words():
    first, second = build_all([build("fine"), build("exits-building"), build("fine")], ())
    assert first is None
    assert isinstance(second, PluginError)
    assert second.message == (
        "method 'mrbench-toys:toy-exits-building' cannot be built for data set 'made': "
        "its process ended with code 7: the last words"
    )


def test_a_constructor_that_hangs_is_named_when_the_time_is_up():
    first, second = build_all([build("fine"), build("hangs-building")], (), seconds=20)
    assert first is None
    assert "'mrbench-toys:toy-hangs-building' cannot be built for data set 'made': it took longer than 20 s" in str(
        second
    )


def test_options_that_a_constructor_refuses_are_a_usage_error():
    options = {"backbone": {"name": "unet", "weights": "nowhere.pt"}}
    (error,) = build_all([Build("unet-majority", "made", "1", options, DESCRIPTION)], ())
    assert isinstance(error, UsageError)
    assert error.what.startswith(
        "method 'unet-majority' cannot be built for data set 'made': option 'backbone.weights' needs the backbone "
        "resnet34 or mit-b2 (mrbench_unet/method.py:"
    )
    assert error.found == "backbone.name = unet"


@pytest.mark.parametrize("field", ["version", "options", "description"])
def test_version_options_and_description_are_what_an_answer_depends_on(field: str):
    from dataclasses import replace

    other = {"version": "2", "options": {"epochs": 2}, "description": {**DESCRIPTION, "channels": ["a", "b"]}}
    assert replace(build("fine"), **{field: other[field]}).digest != build("fine").digest
    assert replace(build("fine")).digest == build("fine").digest
