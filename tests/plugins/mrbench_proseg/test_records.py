import subprocess
import sys

import pytest

import mrbench_proseg
from mrbench_proseg import PRESETS
from mrbench_proseg.config import ProSegConfig
from mrbench_proseg.method import ProSeg


def test_plugin_module_and_configuration_load_neither_torch_nor_numpy() -> None:
    code = "import sys, mrbench_proseg, mrbench_proseg.config; print({'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_two_rows_share_one_training() -> None:
    personalised, prior = mrbench_proseg.mrbench_methods()
    assert (personalised.name, prior.name) == ("proseg", "proseg-prior")
    assert personalised.family == prior.family == "proseg"
    assert (personalised.sampler, prior.sampler) == ("posterior", "prior")
    assert "personal" in personalised.capabilities
    assert "personal" not in prior.capabilities
    assert personalised.load() is prior.load() is ProSeg
    assert mrbench_proseg.MRBENCH_API == "1"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_configuration(preset: str) -> None:
    ProSegConfig.parse(PRESETS[preset], owner="proseg")


def test_defaults_are_the_paper_and_every_preset_states_what_the_paper_states() -> None:
    assert ProSegConfig.parse(PRESETS["paper"], owner="proseg") == ProSegConfig()
    assert set(PRESETS["paper"]) == set(PRESETS["as_released"]) == set(PRESETS["quick"])


def test_only_sampling_options_leave_the_training_shared() -> None:
    assert set(ProSegConfig().step("prediction")) == {"draws_per_rater", "prior_expert"}
