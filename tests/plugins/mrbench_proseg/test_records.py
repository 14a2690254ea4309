import subprocess
import sys

import pytest

import mrbench_proseg
from mrbench.data.description import Description, Raters
from mrbench.errors import UsageError
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
    assert (personalised.gives, prior.gives) == ("samples raters", "samples")
    assert "personal" in personalised.capabilities
    assert "personal" not in prior.capabilities
    assert personalised.load() is ProSeg
    assert issubclass(prior.load(), ProSeg)
    assert mrbench_proseg.MRBENCH_API == "2"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_configuration(preset: str) -> None:
    ProSegConfig.parse(PRESETS[preset], owner="proseg")


def described(raters: int) -> Description:
    names = tuple(f"rater-{r}" for r in range(raters))
    return Description(
        name="made", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=names
    )


@pytest.mark.parametrize(("raters", "size"), [(4, 8), (8, 8), (9, 9)])
def test_the_size_of_tau_that_enters_the_training_is_eight_or_the_number_of_raters(raters: int, size: int) -> None:
    assert ProSegConfig().resolved(described(raters)).step("training")["tau_size"] == size
    said = ProSegConfig(tau_size=size).resolved(described(raters))
    assert said == ProSegConfig().resolved(described(raters)), "saying the default is the default"


def test_more_raters_than_dimensions_of_tau_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="'tau_size' is too small") as caught:
        ProSegConfig(tau_size=8).check(described(9))
    assert (caught.value.expected, caught.value.found) == ("at least the number of raters, 9", "8")
    ProSegConfig(tau_size=8, use_tau=False).check(described(9))
    ProSegConfig().check(described(9))


def test_only_sampling_options_leave_the_training_shared() -> None:
    assert set(ProSegConfig().step("prediction")) == {"draws_per_rater", "prior_expert"}
