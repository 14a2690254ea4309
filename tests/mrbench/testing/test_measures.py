"""What the checks measure with: global generators, memory, differences of draws, and the synthetic data."""

import random

import numpy as np
import pytest
import torch

from mrbench.cards import Need
from mrbench.data.checks import check_cases
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.testing.drawn import Drawn, difference, differing_weights
from mrbench.testing.scenes import SCENES
from mrbench.testing.stored import SHAPES, tables_of
from mrbench.testing.watch import Growth, RandomState, seeded_globally


@pytest.mark.parametrize(
    ("name", "move"),
    [("random", random.random), ("numpy", np.random.random), ("torch", lambda: torch.rand(1))],
)
def test_a_generator_that_moves_is_seen_and_given_back(name: str, move):
    before = RandomState.now()
    assert before.changed() == []
    move()
    assert before.changed() == [name]
    before.restore()
    assert before.changed() == []


def test_seeding_globally_leaves_no_trace():
    before = RandomState.now()
    with seeded_globally(1):
        one = (random.random(), np.random.random(), torch.rand(1).item())
    with seeded_globally(1):
        assert one == (random.random(), np.random.random(), torch.rand(1).item())
    assert before.changed() == []


def test_memory_kept_by_every_call_is_measured_and_a_cache_is_not():
    kept: list[object] = []
    cache: dict[int, object] = {}
    assert Growth.measure(lambda n: kept.append(np.zeros(1000))).bytes_per_round == pytest.approx(8000, rel=0.1)
    grown = Growth.measure(lambda n: kept.append(torch.zeros(1000)))
    assert grown.bytes_per_round == pytest.approx(4000, rel=0.2)
    assert grown.tensors_per_round == 1
    assert Growth.measure(lambda n: cache.setdefault(n > 10, np.zeros(10**6))).bytes_per_round < 100


def trial(value: float, *kinds: DrawKind) -> list[Drawn]:
    draws = [Draw(kind, np.full((2, 3, 3), value), 0 if kind is DrawKind.RATER else None) for kind in kinds]
    return [Drawn(np.ones(2, bool), draws)]


def test_differences_of_draws_are_told():
    one = trial(0.5, DrawKind.SAMPLE, DrawKind.RATER)
    assert difference(one, trial(0.5, DrawKind.SAMPLE, DrawKind.RATER)) == ""
    assert difference(one, trial(0.50001, DrawKind.SAMPLE, DrawKind.RATER)) == ""
    assert "differs by up to 1e-05" in difference(one, trial(0.50001, DrawKind.SAMPLE, DrawKind.RATER), tolerance=0)
    assert difference(one, trial(0.75, DrawKind.SAMPLE, DrawKind.RATER)) == "draw 0 (sample) differs by up to 0.25"
    assert difference(one, trial(0.5, DrawKind.SAMPLE)) == "2 and 1 draws"
    assert difference(one, trial(0.5, DrawKind.RATER, DrawKind.SAMPLE)) == "kinds in another order"
    assert difference(one, [*one, *one]) == "1 and 2 trials"
    assert difference(one, [Drawn(np.array([True, False]), one[0].draws)]) == "truths [0, 1] and [0]"


def test_weights_that_differ_are_named():
    one, other = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    other.load_state_dict(one.state_dict())
    assert differing_weights(one, other) == []
    other.bias.data += 1
    assert differing_weights(one, other) == ["bias"]
    assert differing_weights(other, torch.nn.Linear(2, 1, bias=False)) == ["weight", "bias"]


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene.name != "empty"], ids=lambda scene: scene.name)
def test_the_synthetic_data_are_sound_and_what_they_say(scene):
    check_cases(scene.cases)
    masks = [scene.case(index).masks for index in range(scene.count)]
    assert max(int(one.max()) for one in masks) == scene.classes - 1
    assert scene.case(0).image.shape[0] == scene.channels
    assert scene.case(0).image.ndim == (4 if scene.depth else 3)
    assert all(not one[rater].any() for one in masks for rater in scene.silent)
    assert len(scene.training) + len(scene.tested) == scene.count or scene.count == 1


def test_the_synthetic_data_show_each_rater_both_present_and_absent():
    missing = next(scene for scene in SCENES if scene.name == "missing").cases.present
    assert (missing.any(0) & ~missing.all(0)).all()
    absent = next(scene for scene in SCENES if scene.name == "absent")
    assert absent.batch_size == 1
    assert not absent.cases.present.all(1).any()
    assert absent.cases.present[absent.training].any(0).all()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_synthetic_tables_are_what_they_say(shape):
    tables = tables_of(shape)
    assert tables.truth_raters.tolist() == list(shape.present)
    assert (len(tables.sample_rows) > 0) == (Need.SAMPLES in shape.gives)
    assert tables.predicts_every_rater == (Need.RATERS in shape.gives)
    assert tables.n_samples == shape.samples
    assert len(tables.intersection) == shape.classes - 1
    assert tables.areas[:, : tables.n_predicted].any() == (not shape.empty)
    assert tables.areas[:, tables.n_predicted :].any() == bool(shape.marked)
