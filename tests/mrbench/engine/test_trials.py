"""Answers of a fusion are checked against its card and the case, and become draws."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mrbench import Case, Config, Description, MethodCard, Raters, Trial
from mrbench.engine.predict import Predictor
from mrbench.errors import DivergedError, PluginError
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.fusion import bound

DESCRIPTION = Description(
    name="x", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=("a", "b", "c")
)
PRESENT = np.array([True, False, True])
CASE = Case("case", "subject", np.zeros((1, 2, 3), np.float32), np.ones((3, 2, 3), np.uint8), PRESENT)
LABELS = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)
FOREGROUND = np.array([[0.25, 1, 0.5], [0, 0, 1]], np.float32)
PROBABILITIES = np.stack([1 - FOREGROUND, FOREGROUND])
HERE = r"\(.*test_trials.py:\d+\)"


def answered(found: Any, gives: str, samples: int = 2) -> list[tuple[list[bool], list[tuple[Any, ...]]]]:
    card = MethodCard(name="f", code="a:b", kind="fusion", gives=gives)
    predictor = Predictor.of_fusion(card, DESCRIPTION, samples, lambda masks, present, n, noise: found, 0)
    return [
        (truth.tolist(), [(d.kind, d.rater, d.probability) for d in draws]) for truth, draws in predictor.draws(CASE)
    ]


def certain(labels: np.ndarray) -> np.ndarray:
    return np.stack([labels == 0, labels == 1]).astype(np.float32)


def test_labels_are_certain_probabilities_and_probabilities_stay_as_they_are():
    ((truth, ((kind, rater, first),)),) = answered(Trial(consensus=LABELS), "consensus")
    assert (truth, kind, rater) == ([True, False, True], DrawKind.CONSENSUS, None)
    np.testing.assert_array_equal(first, certain(LABELS))
    ((_, ((_, _, second),)),) = answered(Trial(consensus=PROBABILITIES), "consensus")
    assert second is PROBABILITIES
    ((_, ((_, _, third),)),) = answered(Trial(consensus=LABELS > 0), "consensus")
    np.testing.assert_array_equal(third, first)


@pytest.mark.parametrize(
    "samples",
    [np.stack([LABELS, 1 - LABELS]), [LABELS, 1 - LABELS], np.stack([certain(LABELS), certain(1 - LABELS)])],
    ids=["labels", "sequence", "probabilities"],
)
def test_samples_come_in_an_array_or_a_sequence(samples: Any):
    ((_, draws),) = answered(Trial(samples=samples), "samples")
    assert [(kind, rater) for kind, rater, _ in draws] == [(DrawKind.SAMPLE, None)] * 2
    np.testing.assert_array_equal([p for _, _, p in draws], [certain(LABELS), certain(1 - LABELS)])


@pytest.mark.parametrize("several", [False, True])
def test_a_rater_has_one_answer_or_several_in_their_order(several: bool):
    second = [LABELS, 1 - LABELS]
    for given in (np.stack(second), second) if several else (LABELS,):
        ((_, draws),) = answered(Trial(raters={2: PROBABILITIES, np.int64(0): given}), "raters")
        assert [(kind, rater) for kind, rater, _ in draws] == [
            (DrawKind.RATER, 2), *[(DrawKind.RATER, 0)] * (2 if several else 1)
        ]  # fmt: skip
        np.testing.assert_array_equal(draws[1][2], certain(LABELS))
        np.testing.assert_array_equal(draws[-1][2], certain(1 - LABELS if several else LABELS))


def test_samples_stand_before_raters_and_these_before_the_consensus():
    trial = Trial(consensus=LABELS, samples=[LABELS] * 2, raters={1: LABELS})
    ((_, draws),) = answered(trial, "raters consensus samples")
    assert [str(kind) for kind, _, _ in draws] == ["sample", "sample", "rater", "consensus"]


def test_several_trials_have_truths_of_their_own_and_none_is_an_answer():
    trials = [Trial(consensus=LABELS, truth=np.arange(3) == rater) for rater in (0, 2)]
    for found in (trials, iter(trials), tuple(trials)):
        assert [truth for truth, _ in answered(found, "consensus")] == [[True, False, False], [False, False, True]]
    assert answered(None, "consensus") == answered([], "consensus") == []


@pytest.mark.parametrize(
    ("trial", "gives", "what", "expected", "found"),
    [
        (LABELS, "consensus", "the answer is no trial", "a Trial, several, or None where there are too few raters",
         "(2, 3) uint8"),
        ({"consensus": LABELS}, "consensus", "the answer is no trial",
         "a Trial, several, or None where there are too few raters", "a dict"),
        ("text", "consensus", "the answer is no trial", "a Trial, several, or None where there are too few raters",
         "a str"),
        ([LABELS], "consensus", "not a Trial", "trials, none of too few raters", "(2, 3) uint8"),
        ([None], "consensus", "not a Trial", "trials, none of too few raters", "a NoneType"),
        (7, "consensus", "the answer is no trial", "a Trial, several, or None where there are too few raters", "a int"),
        (Trial(), "consensus", "a trial without consensus", "consensus", "nothing"),
        (Trial(), "raters", "a trial without an answer", "raters", "nothing"),
        (Trial(raters={}), "raters", "a trial without an answer", "raters", "nothing"),
        (Trial(consensus=LABELS), "samples consensus", "a trial without samples", "samples consensus", "consensus"),
        (Trial(consensus=LABELS, raters={0: LABELS}), "consensus", "gives raters, which its card does not say",
         "consensus", "raters consensus"),
        (Trial(samples=[LABELS]), "samples", "wrong number of samples", "2", "1"),
        (Trial(samples=np.stack([LABELS] * 3)), "samples", "wrong number of samples", "2", "3"),
        (Trial(samples=LABELS), "samples", "samples have a wrong shape",
         "n = 2 of integer labels (2, 3) or float probabilities (2, 2, 3)", "(2, 3) uint8"),
        (Trial(samples=7), "samples", "answers are no array", "NumPy arrays, or a sequence of them", "a int"),
        (Trial(consensus=[[0, 1]]), "consensus", "a consensus answer is neither labels nor probabilities",
         "integer labels (2, 3) or float probabilities (2, 2, 3)", "a list"),
        (Trial(consensus=LABELS.astype(complex)), "consensus", "a consensus answer is neither labels nor probabilities",
         "integer labels (2, 3) or float probabilities (2, 2, 3)", "(2, 3) complex128"),
        (Trial(consensus=LABELS.T), "consensus", "a consensus answer has a wrong shape",
         "integer labels (2, 3) or float probabilities (2, 2, 3)", "(3, 2) uint8"),
        (Trial(consensus=FOREGROUND), "consensus", "a consensus answer has a wrong shape",
         "integer labels (2, 3) or float probabilities (2, 2, 3)", "(2, 3) float32"),
        (Trial(samples=[LABELS, PROBABILITIES[:1]]), "samples", "a sample answer has a wrong shape",
         "integer labels (2, 3) or float probabilities (2, 2, 3)", "(1, 2, 3) float32"),
        (Trial(consensus=LABELS + 1), "consensus", "labels of a consensus answer are not below K",
         "labels from 0 to 1", "labels from 1 to 2"),
        (Trial(consensus=LABELS.astype(int) - 1), "consensus", "labels of a consensus answer are not below K",
         "labels from 0 to 1", "labels from -1 to 0"),
        (Trial(raters={3: LABELS}), "raters", "predicts a rater who is not there", "columns from 0 to 2", "3"),
        (Trial(raters={True: LABELS}), "raters", "predicts a rater who is not there", "columns from 0 to 2", "True"),
        (Trial(raters={"a": LABELS}), "raters", "predicts a rater who is not there", "columns from 0 to 2", "'a'"),
        (Trial(raters={1: []}), "raters", "no answer for rater 1", "one or more", "none"),
        (Trial(consensus=LABELS, truth=np.zeros(3, bool)), "consensus", "the truth of a trial names no rater",
         "one or more of the raters present, [0, 2]", "raters []"),
        (Trial(consensus=LABELS, truth=np.ones(3, bool)), "consensus", "the truth of a trial names absent raters",
         "one or more of the raters present, [0, 2]", "raters [0, 1, 2]"),
        (Trial(consensus=LABELS, truth=np.array([0, 2])), "consensus", "the truth of a trial is no set of raters",
         "(3,) bool", "(2,) int64"),
    ],
)  # fmt: skip
def test_a_wrong_answer_names_the_fusion_the_case_what_was_expected_and_found(
    trial: Any, gives: str, what: str, expected: str, found: str
):
    with pytest.raises(PluginError) as error:
        answered(trial, gives)
    assert (error.value.what, error.value.expected, error.value.found) == (
        f"fusion 'f', case 'case': {what}", expected, found
    )  # fmt: skip


def test_probabilities_that_are_none_are_refused_and_not_finite_ones_are_a_divergence():
    with pytest.raises(PluginError, match=rf"fusion 'f', case 'case': not probabilities {HERE}"):
        answered(Trial(consensus=np.full((2, 2, 3), 0.9)), "consensus")
    with pytest.raises(DivergedError, match=rf"fusion 'f', case 'case': non-finite probabilities {HERE}") as error:
        answered(Trial(consensus=np.full((2, 2, 3), np.nan)), "consensus")
    assert error.value.found == "12 of 12 values are NaN or infinite"


def test_a_wrong_trial_names_the_line_that_yielded_it_or_else_the_function():
    def yields(masks, present, n, noise) -> Iterator[Trial]:
        yield Trial(consensus=LABELS)
        yield Trial(consensus=LABELS.T)

    def returns(masks, present, n, noise) -> Trial:
        return Trial(consensus=LABELS.T)

    card = MethodCard(name="f", code="a:b", kind="fusion", gives="consensus")
    for fuse, line in ((yields, 2), (returns, 0)):
        with pytest.raises(PluginError) as error:
            Predictor.of_fusion(card, DESCRIPTION, 2, fuse, 0).predict(CASE)
        assert re.search(rf"test_trials.py:{fuse.__code__.co_firstlineno + line}$", error.value.place)


def test_a_fusion_cannot_change_what_it_is_scored_against():
    card = MethodCard(name="f", code="a:b", kind="fusion", gives="consensus")

    def of_masks(masks, present, n, noise):
        masks[:] = 1

    def of_present(masks, present, n, noise):
        present |= True

    for fuse in (of_masks, of_present):
        with pytest.raises(ValueError, match="read-only"):
            Predictor.of_fusion(card, DESCRIPTION, 2, fuse, 0).predict(CASE)


def test_a_fusion_is_not_asked_where_nobody_is_present():
    def fuse(masks, present, n, noise):
        raise AssertionError("asked")

    card = MethodCard(name="f", code="a:b", kind="fusion", gives="consensus")
    nobody = Case("case", "subject", CASE.image, CASE.masks, np.zeros(3, bool))
    assert Predictor.of_fusion(card, DESCRIPTION, 2, fuse, 0).predict(nobody) == []


def test_noise_follows_from_the_seed_and_the_case_alone():
    card = MethodCard(name="f", code="a:b", kind="fusion", gives="consensus")

    def fuse(masks, present, n, noise):
        return Trial(consensus=noise.integers(0, 2, masks.shape[1:]))

    def drawn(seed: int, name: str) -> list[int]:
        case = Case(name, "subject", CASE.image, CASE.masks, PRESENT)
        ((_, draws),) = Predictor.of_fusion(card, DESCRIPTION, 2, fuse, seed).draws(case)
        return next(iter(draws)).probability[1].ravel().tolist()

    found = [drawn(seed, name) for seed in range(4) for name in ("one", "other")]
    assert found == [drawn(seed, name) for seed in range(4) for name in ("one", "other")]
    assert len({tuple(one) for one in found}) > 4


class Chosen(Config):
    """Options of a test."""


def test_a_fusion_gets_the_options_and_the_description_that_it_names():
    def neither(masks, present, n, noise):
        return {}

    def options(masks, present, n, noise, config):
        return {"config": config}

    def both(masks, present, n, noise, *, description, config):
        return {"config": config, "description": description}

    config = Chosen()
    assert bound(neither, config, DESCRIPTION)(1, 2, 3, 4) == {}
    assert bound(options, config, DESCRIPTION)(1, 2, 3, 4) == {"config": config}
    assert bound(both, config, DESCRIPTION)(1, 2, 3, 4) == {"config": config, "description": DESCRIPTION}


def test_a_function_of_other_arguments_is_no_fusion():
    def fuse(masks, present): ...

    with pytest.raises(PluginError, match="a fusion cannot be called: too many positional arguments") as error:
        bound(fuse, Chosen(), DESCRIPTION)
    assert error.value.expected.startswith("a function of masks, present, n, noise")
    assert error.value.found == "fuse(masks, present)"
    assert "test_trials.py:" in error.value.place
