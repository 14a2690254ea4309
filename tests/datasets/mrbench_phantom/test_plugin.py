"""The plugin module and its options."""

import subprocess
import sys

import pytest

import mrbench_phantom
from mrbench.cards import load_attribute
from mrbench.errors import UnknownNameError, UsageError
from mrbench_phantom import dataset
from mrbench_phantom.config import PhantomConfig


def test_importing_the_plugin_and_its_options_loads_neither_numpy_nor_torch():
    code = (
        "import sys, mrbench_phantom, mrbench_phantom.config;"
        "print(sorted({'numpy', 'torch', 'scipy', 'h5py'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_record_names_the_data_set_and_its_options():
    (record,) = mrbench_phantom.mrbench_datasets()
    assert record.name == "phantom"
    assert record.load() is dataset.load
    assert load_attribute(record.config) is PhantomConfig


@pytest.mark.parametrize(
    ("options", "named", "expected"),
    [
        ({"raters": 1}, "raters", "greater than or equal to 2"),
        ({"raters": 9}, "raters", "less than or equal to 8"),
        ({"size": 31}, "size", "greater than or equal to 32"),
        ({"subjects": 2}, "subjects", "greater than or equal to 3"),
        ({"unit": "patient"}, "unit", "'slice' or 'volume'"),
        ({"missing": 1.0}, "missing", "less than 1"),
        ({"style_scale": 1.5}, "style_scale", "less than or equal to 1"),
        ({"style_scale": -0.1}, "style_scale", "greater than or equal to 0"),
        ({"seed": "seven"}, "seed", "a valid integer"),
        ({"subjects": 4, "folds": 5}, "folds", "at most the number of subjects, 4"),
    ],
)
def test_a_bad_option_is_named_with_what_was_expected(options, named, expected):
    with pytest.raises(UsageError) as caught:
        PhantomConfig.parse(options, owner="phantom")
    assert f"option '{named}' of phantom" in str(caught.value)
    assert expected in str(caught.value)


def test_the_default_scale_of_styles_enters_no_digest_of_options():
    assert "style_scale" not in PhantomConfig().step("training")
    assert PhantomConfig(style_scale=0.5).step("training")["style_scale"] == 0.5


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'raters'"):
        PhantomConfig.parse({"rater": 4}, owner="phantom")


def test_the_strings_of_a_command_line_are_understood():
    config = PhantomConfig.parse({"raters": "5", "missing": "0.25"}, owner="phantom")
    assert (config.raters, config.missing) == (5, 0.25)
