"""Every check catches the method that is made to break its rule, and few others do."""

import pytest
import torch

from mrbench.configuration import flat
from mrbench.registry import BUILT_IN, discover
from mrbench.testing import answers, learning, surroundings
from mrbench.testing.candidate import find_candidate
from mrbench.testing.catalogue import checks_of
from mrbench.testing.check import Verdict, rules_of, run_check

LEARNS = [check.name for check in rules_of(learning) if check.name.startswith("learns-")]
DRAWS = [check.name for check in rules_of(answers) if check.name.startswith("draws-") and "method" in check.kinds]

CAUGHT = {
    "no-method": {"loads"},
    "gone": {"loads"},
    "lost": {"presets"},
    "helpless": {"options"},
    "misspelt": {"presets"},
    "silent": {"capabilities"},
    "lacking": {"capabilities"},
    "undeclared": {"capabilities"},
    "first-edition": {"capabilities"},
    "samples-of-raters": set(),
    "samples-of-certain-raters": {"capabilities", *DRAWS},
    "twin-a": {"family"},
    "twin-b": {"family"},
    "double": {"family"},
    "half": {"family"},
    "other-half": {"family"},
    "one-channel": {"learns-channels"},
    "even-sizes": {"learns-odd"},
    "normalises-the-batch": {"learns-absent", "learns-one-case", "learns-single"},
    "complete-cases-only": {"learns-missing", "learns-absent"},
    "divides-by-marks": {"learns-empty", "learns-volumes"},
    "unused": {"gradients"},
    "does-not-learn": {"loss-falls", "raters-differ"},
    "reads-absent": {"absent-unread"},
    "reads-void": {"void-unread"},
    "shows-void": {"void-unread"},
    "other-stages": {"stages-repeat", "training-repeats"},
    "system-noise": {"training-repeats"},
    "one-training": {"training-seed"},
    "one-slice": {"answer-shape", "draws-volumes"},
    "one-draw": {"answer-shape"},
    "exits": {"answer-shape", *DRAWS},
    "too-few": {"answer-shape", *DRAWS},
    "no-tensor": {"answer-shape", *DRAWS},
    "sigmoid": {"logits"},
    "sigmoid-of-each": {"logits"},
    "two-class-sigmoid": {"logits"},
    "centres-the-batch": {"slices-apart"},
    "normalises-the-call": {"slices-apart"},
    "attends-across": {"slices-apart"},
    "by-number": {"samples-asked"},
    "by-place": {"samples-asked"},
    "ranks": {"samples-asked"},
    "copies": {"samples-differ"},
    "ignores-the-rater": {"raters-differ"},
    "two-raters-alike": {"raters-differ"},
    "whispers-the-rater": {"conditioning-acts"},
    "inert": {"noise-acts"},
    "inert-for-raters": {"noise-acts"},
    "other-sites": {"noise-sites"},
    "sites-of-many": {"noise-sites", "samples-asked"},
    "tells": set(),
    "tells-of-one-rater": {"encode-latents", "encode-densities", "encode-absent"},
    "tells-anew": {"encode-latents", "encode-absent"},
    "tells-no-density": {"encode-densities"},
    "tells-of-the-absent": {"encode-absent"},
    "writes-to-features": {"features-kept"},
    "writes-to-features-as-rater": {"features-kept"},
    "stays-in-training": {"evaluation-mode"},
    "wants-gradients": {"evaluation-mode"},
    "counts": {
        "slices-apart", "samples-asked", "features-kept", "predictions-repeat", "case-order", "interleaved",
        "save-and-load", "random-state-unused", "masks-unseen",
    },
    "no-seed": {"prediction-seed"},
    "shared-noise": {"case-noise"},
    "carries-over": {"slices-apart", "case-order", "save-and-load"},
    "one-image": {"interleaved"},
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
    "peeps": {"masks-unseen"},
}  # fmt: skip


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


def test_every_rule_for_methods_is_broken_by_a_method():
    from mrbench.testing.catalogue import all_checks

    elsewhere = {"cpu", "accelerator", "light-import", "light-options", "memory-steady"}
    rules = {check.name for check in all_checks() if "method" in check.kinds} - {*LEARNS, *DRAWS} - elsewhere
    assert rules == set.union(*CAUGHT.values()) - {*LEARNS, *DRAWS}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("silent", "its card gives no answer | gives = one or more of samples, raters, consensus | "),
        (
            "lacking",
            "Lacking does not give consensus, as the card of 'lacking' says | consensus() | sample(), as_rater()",
        ),
        (
            "undeclared",
            "it defines consensus(), which no card gives | gives = samples raters consensus, or no consensus() | "
            "gives = samples raters",
        ),
        (
            "first-edition",
            "FirstEdition is of the first edition of the interface (bad_methods.py:LINE) | sample(), as_rater() | "
            "predict(), and no answer",
        ),
        (
            "samples-of-certain-raters",
            "its samples are answers of raters that draw nothing | a sample(), or noise in as_rater() | ",
        ),
    ],
)
def test_what_the_card_says_and_the_class_defines_are_told(failures, name: str, said: str):
    assert failures(name, "capabilities") == {"capabilities": said}


@pytest.mark.parametrize("check", LEARNS)
def test_a_training_that_fails_on_one_kind_of_data_fails_one_check(failures, check: str):
    found = failures(check, *LEARNS, check.replace("learns", "draws"))
    assert found == {check: found[check]}
    assert found[check].startswith("ValueError: no loss for such data |  | bad_methods.py:")


@pytest.mark.parametrize("check", DRAWS)
def test_draws_that_are_wrong_on_one_kind_of_data_fail_one_check(failures, check: str):
    found = failures(check, *DRAWS)
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


def test_answers_of_a_wrong_shape_name_what_was_drawn(failures):
    assert failures("one-draw", "answer-shape")["answer-shape"] == (
        "OneDraw.as_rater(0) has a wrong shape (S, N, L, H, W) (bad_methods.py:LINE) | "
        "(3, 3, 1, 32, 32) float logits | (1, 3, 1, 32, 32); drawn from style"
    )


def test_a_method_that_ends_the_process_is_named_with_its_line(failures):
    assert failures("exits", "draws-slices")["draws-slices"].startswith("SystemExit: 3 |  | bad_methods.py:")


def test_noise_that_does_nothing_or_comes_and_goes_is_named(failures):
    assert failures("inert", "noise-acts")["noise-acts"].startswith(
        "the noise of site 'texture' in sample answers changes nothing"
    )
    assert failures("other-sites", "noise-sites")["noise-sites"] == (
        "as_rater(1) draws from other sites than before | style of 0 | style of 1 with the first noise"
    )
    assert failures("sites-of-many", "noise-sites")["noise-sites"] == (
        "sample() draws from other sites than before | more, z | z with draws = [0]"
    )


def test_a_method_that_needs_a_device_is_caught_where_it_is_hidden(failures, monkeypatch):
    monkeypatch.setattr(surroundings, "accelerator_device", lambda: torch.device("cpu", 0))
    found = failures("wants-a-device", "cpu")
    assert found == {"cpu": found["cpu"]}
    assert "no CUDA device" in found["cpu"]


def test_a_method_that_does_not_go_to_the_device_is_caught_where_there_is_one(failures, monkeypatch):
    monkeypatch.setattr(surroundings, "accelerator_device", lambda: torch.device("cpu", 0))
    assert failures("good", "accelerator") == {}
    found = failures("stays-behind", "accelerator")
    assert found == {"accelerator": "RuntimeError: tensors on two devices |  | " + found["accelerator"].split("| ")[-1]}


def test_modules_that_are_not_light_are_caught(failures):
    assert failures("good", "light-import", "light-options") == {}
    assert "h5py" in failures("heavy", "light-import", "light-options")["light-import"]
    assert set(failures("heavy-options", "light-import", "light-options")) == {"light-options"}
    slow = failures("slow", "light-import")["light-import"]
    assert "takes long to import | under 100 ms" in slow


def test_a_rater_who_hardly_acts_is_told_of_with_both_spreads(failures):
    said = failures("whispers-the-rater", "conditioning-acts", "raters-differ")
    assert set(said) == {"conditioning-acts"}
    assert said["conditioning-acts"].startswith(
        "the rater hardly acts on the answers | a spread of logits over raters of 0.0001 of that over pixels"
    )


@pytest.mark.parametrize(("scale", "acts"), [("mean1", True), ("sum1", False)])
def test_the_released_queries_of_tab_hardly_act_and_the_scaled_ones_do(scale: str, acts: bool):
    candidate = find_candidate(discover(), f"{BUILT_IN}:tab")
    own = flat(candidate.plugin.card.presets["quick"]) | {"attention_scale": scale}
    candidate.config = candidate.plugin.load_config().parse(own, owner="tab")
    (check,) = checks_of(candidate, ["conditioning-acts"])
    assert run_check(check, candidate).verdict is (Verdict.PASSED if acts else Verdict.FAILED)


def test_a_failure_says_what_was_expected_and_found(failures):
    assert failures("does-not-learn", "loss-falls")["loss-falls"].startswith(
        "the loss of stage 'only' does not fall in 24 steps on one batch | below 0.8"
    )
    assert failures("unused", "gradients") == {
        "gradients": "1 parameters never get a gradient | one in some step each | network.extra"
    }
