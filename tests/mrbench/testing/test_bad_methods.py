"""Every check catches the method that is made to break its rule, and few others do."""

import pytest
import torch

from mrbench.testing import devices
from mrbench.testing.drawing import CHECKS as DRAWING
from mrbench.testing.learning import CHECKS as LEARNING

NAMED_BY_STATE = {"predictions-repeat", "samples-asked", "case-order", "interleaved", "save-and-load"}

CAUGHT = {
    "no-method": {"loads"},
    "gone": {"loads"},
    "lost": {"presets"},
    "helpless": {"options"},
    "misspelt": {"presets"},
    "undeclared": {"capabilities"},
    "twin-a": {"family"},
    "twin-b": {"family"},
    "one-channel": {"learns-channels"},
    "even-sizes": {"learns-odd"},
    "normalises-the-batch": {"learns-absent", "learns-one-case", "learns-single"},
    "complete-cases-only": {"learns-missing", "learns-absent"},
    "divides-by-marks": {"learns-empty", "learns-volumes"},
    "slice-of-volume": {"draws-volumes"},
    "stays-in-training": {"evaluation-mode"},
    "wants-gradients": {"evaluation-mode"},
    "unused": {"gradients"},
    "does-not-learn": {"loss-falls"},
    "reads-absent": {"absent-unread"},
    "other-stages": {"stages-repeat", "training-repeats"},
    "system-noise": {"training-repeats"},
    "one-training": {"training-seed"},
    "counts": {*NAMED_BY_STATE, "random-state-unused", "masks-unseen"},
    "no-seed": {"prediction-seed"},
    "not-deterministic": {"deterministic"},
    "by-number": {"samples-asked"},
    "carries-over": {"case-order", "interleaved", "save-and-load"},
    "one-image": {"interleaved"},
    "shared-noise": {"case-noise"},
    "copies": {"samples-differ"},
    "unsaved": {"save-and-load"},
    "saves-elsewhere": {"save-and-load"},
    "pickles": {"no-pickled-code"},
    "seeds-globally": {"random-state-kept"},
    "seeds-in-training": {"random-state-kept"},
    "reads-global-state": {"random-state-unused"},
    "writes": {"nothing-written"},
    "writes-in-training": {"nothing-written"},
    "writes-to-image": {"input-kept"},
    "writes-to-batch": {"input-kept"},
    "peeps": {"masks-unseen", "interleaved"},
}


def test_a_good_method_passes_all(failures):
    assert failures("good", kind="method") == {}
    assert failures("good", "memory-steady", "cpu", kind="method") == {}


@pytest.mark.parametrize("name", CAUGHT)
def test_a_fault_is_caught_by_its_check_alone(failures, name: str):
    assert set(failures(name, kind="method")) == CAUGHT[name]


@pytest.mark.parametrize("name", ["remembers", "remembers-tensors"])
def test_memory_that_every_prediction_keeps_is_caught(failures, name: str):
    found = failures(name, "memory-steady", "draws-slices")
    assert set(found) == {"memory-steady"}
    assert "half an image, per prediction |" in found["memory-steady"]


def test_a_method_that_declares_no_output_is_told_what_it_may_declare(failures):
    found = failures("silent", "capabilities")
    assert found == {"capabilities": "it declares no output | consensus, diverse or personal | multi-class, volumes"}


@pytest.mark.parametrize("check", [check.name for check in LEARNING if check.name.startswith("learns-")])
def test_a_training_that_fails_on_one_kind_of_data_fails_one_check(failures, check: str):
    scenes = [one.name for one in LEARNING if one.name.startswith("learns-")]
    found = failures(check, *scenes, *(check.replace("learns", "draws"),))
    assert found == {check: found[check]}
    assert found[check].startswith("ValueError: no loss for such data |  | bad_methods.py:")


@pytest.mark.parametrize("check", [check.name for check in DRAWING if "method" in check.kinds])
def test_draws_that_are_wrong_on_one_kind_of_data_fail_one_check(failures, check: str):
    found = failures(check, *(one.name for one in DRAWING if "method" in one.kinds))
    assert set(found) == {check}
    assert "values in [0, 1] that sum to one" in found[check]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hides-in-a-list", "HidesInAList.heads hides a Conv2d in a list | networks where torch sees them"),
        ("hides-its-loss", "HidesItsLoss assigns a CrossEntropyLoss to 'loss', which is something else already"),
        ("trains-anothers", "stage 'only' of TrainsAnothers trains what is not the method's"),
    ],
)
def test_networks_that_are_not_the_methods_are_caught_where_it_is_built_or_trained(failures, name: str, said: str):
    found = failures(name, "learns-slices", "draws-slices")
    assert set(found) == {"learns-slices"}
    assert said in found["learns-slices"]


def test_a_wrong_number_of_samples_is_caught_on_every_kind_of_data(failures):
    found = failures("too-few")
    assert {check.name for check in DRAWING if "method" in check.kinds} <= set(found)
    assert "wrong number of samples" in found["draws-slices"]


def test_a_method_that_cannot_draw_fails_the_checks_of_that_alone(failures):
    found = failures("exits")
    assert set(found) == {check.name for check in DRAWING if "method" in check.kinds}
    assert found["draws-slices"].startswith("SystemExit: 3 |  | bad_methods.py:")


def test_a_method_that_needs_a_device_is_caught_where_it_is_hidden(failures, monkeypatch):
    monkeypatch.setattr(devices, "accelerator_device", lambda: torch.device("cpu", 0))
    found = failures("wants-a-device", "cpu")
    assert found == {"cpu": found["cpu"]}
    assert "no CUDA device" in found["cpu"]


def test_a_method_that_does_not_go_to_the_device_is_caught_where_there_is_one(failures, monkeypatch):
    monkeypatch.setattr(devices, "accelerator_device", lambda: torch.device("cpu", 0))
    assert failures("good", "accelerator") == {}
    found = failures("stays-behind", "accelerator")
    assert found == {"accelerator": "RuntimeError: tensors on two devices |  | " + found["accelerator"].split("| ")[-1]}


def test_modules_that_are_not_light_are_caught(failures):
    assert failures("good", "light-import", "light-options") == {}
    assert "h5py" in failures("heavy", "light-import", "light-options")["light-import"]
    assert set(failures("heavy-options", "light-import", "light-options")) == {"light-options"}
    slow = failures("slow", "light-import")["light-import"]
    assert "takes long to import | under 100 ms" in slow


def test_a_failure_says_what_was_expected_and_found(failures):
    assert failures("does-not-learn", "loss-falls")["loss-falls"].startswith(
        "the loss of stage 'only' does not fall in 24 steps on one batch | below 1."
    )
    assert failures("unused", "gradients") == {
        "gradients": "1 parameters never get a gradient | one in some step each | network.extra"
    }
